"""What an orchestrator and a load balancer ask: is the process alive, and is Faultline ready to be relied on."""

from datetime import timedelta

from celery import current_app
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe
from kombu.exceptions import OperationalError as BrokerError
from psycopg_pool import PoolTimeout

from incidents.alerts.models import Delivery
from incidents.health.models import Heartbeat
from incidents.notifications.messages import MOST_ATTEMPTS, Dispatch
from incidents.notifications.topics import Urgency
from incidents.response.events import PendingEvent

WORKER_SILENT_AFTER = timedelta(seconds=45)
DELIVERY_LATE_AFTER = timedelta(seconds=30)
PAGE_LATE_AFTER = timedelta(seconds=60)
FAILURES_COUNT_FOR = timedelta(hours=1)


@require_safe
def healthz(_request: HttpRequest) -> HttpResponse:
    """Answer that this process answers; asks nobody else, so a database in trouble does not get it restarted."""
    return HttpResponse("ok", content_type="text/plain")


@require_safe
def readyz(_request: HttpRequest) -> HttpResponse:
    """Answer 200 if alerts are stored and processed, else 503 with the reasons."""
    reasons = _database_trouble() or [
        *_broker_trouble(),
        *_worker_trouble(),
        *_late_deliveries(),
        *_untold(),
    ]
    return JsonResponse({"ready": not reasons, "reasons": reasons}, status=503 if reasons else 200)


def _database_trouble() -> list[str]:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (DatabaseError, PoolTimeout) as error:
        return [f"The database cannot be reached ({type(error).__name__})."]
    return []


def _broker_trouble() -> list[str]:
    try:
        with current_app.connection_for_write(connect_timeout=1) as broker:
            broker.ensure_connection(max_retries=1, timeout=1)
    except (BrokerError, OSError) as error:
        return [f"The broker cannot be reached ({type(error).__name__}); alerts are still stored and processed."]
    return []


def _worker_trouble() -> list[str]:
    age = Heartbeat.age("worker")
    if age is None:
        return ["No worker has been seen yet."]
    if age > WORKER_SILENT_AFTER:
        return [f"No worker has been seen for {age.total_seconds():.0f} s."]
    return []


def _late_deliveries() -> list[str]:
    oldest = Delivery.objects.due().order_by("due_at").values_list("due_at", flat=True).first()
    if oldest and (late := timezone.now() - oldest) > DELIVERY_LATE_AFTER:
        return [f"The oldest unprocessed delivery has waited {late.total_seconds():.0f} s."]
    return []


def _untold() -> list[str]:
    """Whether people hear what they must: Events that nobody worked out, pages that wait, channels that failed."""
    now, reasons = timezone.now(), []
    events = PendingEvent.objects.filter(event__at__lt=now - PAGE_LATE_AFTER).count()
    if events:
        reasons.append(f"{events} event{'s' if events > 1 else ''} waited over a minute for somebody to be told.")
    pages = Dispatch.objects.waiting().filter(
        notification__urgency=Urgency.PAGE, notification__made_at__lt=now - PAGE_LATE_AFTER, attempts__gt=0
    )
    if late := pages.count():
        error = pages.order_by("-pk").values_list("error", flat=True)[0]
        reasons.append(f"{late} page{'s' if late > 1 else ''} could not be sent yet: {error}")
    failed = Dispatch.objects.filter(failed_at__gt=now - FAILURES_COUNT_FOR, attempts__gte=MOST_ATTEMPTS).count()
    if failed:
        reasons.append(f"{failed} message{'s' if failed > 1 else ''} failed for good in the last hour.")
    return reasons
