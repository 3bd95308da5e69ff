"""What is forgotten, and when: by policy in small batches, and at once where somebody's personal data must go."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from incidents.alerts.models import Alert, Delivery, Outcome
from incidents.errors import Refused
from incidents.people.models import User

BATCH = 1000
WIPED = "(wiped)"


@dataclass(frozen=True)
class Pruned:
    bodies: int
    deliveries: int
    alerts: int


def prune(now: datetime | None = None, *, most: int = 50_000) -> Pruned:
    """Forget what the settings say is old enough; at most `most` rows of each kind a run, in batches of their own.

    Bodies go first and leave their delivery with its digest. Deliveries go with their outcomes. Alerts go when they have
    ended and belong to no incident: what an incident is made of stays with it.
    """
    moment = now or timezone.now()

    def older(days: int) -> datetime:
        return moment - timedelta(days=days)

    done = [Delivery.Status.PROCESSED, Delivery.Status.DEAD, Delivery.Status.REFUSED]
    finished = Delivery.objects.filter(status__in=done)
    bodies = finished.filter(received_at__lt=older(settings.KEEP_BODIES_DAYS)).exclude(body=b"")
    deliveries = finished.filter(received_at__lt=older(settings.KEEP_DELIVERIES_DAYS))
    alerts = Alert.objects.filter(
        status=Alert.Status.RESOLVED, incident=None, last_received_at__lt=older(settings.KEEP_ALERTS_DAYS)
    )
    return Pruned(
        bodies=_in_batches(bodies, lambda rows: rows.update(body=b"", pruned_at=moment), most=most),
        deliveries=_in_batches(deliveries, _delete, most=most),
        alerts=_in_batches(alerts, _delete, most=most),
    )


def _delete(rows: QuerySet[Any]) -> int:
    rows.delete()
    return 0


def _in_batches(rows: QuerySet[Any], act: Callable[[QuerySet[Any]], int], *, most: int) -> int:
    """Do it to the oldest rows, a thousand at a time: no lock is held for long, and what was done stays done."""
    done = 0
    while done < most:
        with transaction.atomic():
            ids = list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH])
            act(rows.filter(pk__in=ids))
        done += len(ids)
        if len(ids) < BATCH:
            break
    return done


def wipe(delivery: Delivery, *, by: User, reason: str) -> None:
    """Take what a delivery said out of it and out of the alerts that only it told of; that it was wiped stays, and why.

    Counts, times and links stay. What people copied elsewhere is not touched.
    """
    if not reason.strip():
        raise Refused("Say why, such as the request that it answers.")
    with transaction.atomic():
        stored = Delivery.objects.select_for_update(no_key=True).get(pk=delivery.pk)
        if stored.status == Delivery.Status.RECEIVED:
            raise Refused("It is still being processed; wipe it in a moment.")
        if stored.wiped_at:
            raise Refused(f"{stored} was wiped already.")
        Delivery.objects.filter(pk=stored.pk).update(
            body=b"",
            headers={},
            error=F("error"),
            wiped_at=timezone.now(),
            wiped_by=by,
            wiped_because=reason.strip()[:300],
        )
        spoken_of = Outcome.objects.filter(delivery=stored).exclude(alert=None).values("alert")
        elsewhere = Outcome.objects.filter(alert__in=spoken_of).exclude(delivery=stored).values("alert")
        Alert.objects.filter(pk__in=spoken_of).exclude(pk__in=elsewhere).update(
            title=WIPED,
            description="",
            labels={},
            annotations={},
            links=[],
            value="",
            measured={},
            ai={},
            upstream_id="",
        )
        Outcome.objects.filter(delivery=stored, alert=None).update(reason=WIPED)
    delivery.refresh_from_db()
