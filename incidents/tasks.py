"""Doorways for Celery: each loads, calls one verb, and may run twice. What is due is in PostgreSQL."""

from celery import shared_task
from django.utils import timezone

from incidents.alerts import retention, upkeep
from incidents.alerts.drain import drain
from incidents.followups import proofs, reminders
from incidents.health.models import Heartbeat
from incidents.notifications import lanes, nudges
from incidents.notifications import upkeep as notifications
from incidents.notifications.slack.replies import SlackReply, SlackRequest
from incidents.notifications.transmissions import Transmission
from incidents.oncall import fetching
from incidents.pagers import acting as pagers
from incidents.pagers.models import PagerDelivery
from incidents.people import signin
from incidents.postmortems import due, reading
from incidents.postmortems.document import Postmortem
from incidents.reports import months, saved
from incidents.response import updates


@shared_task
def drain_deliveries() -> None:
    drain()


@shared_task
def look_after_alerts() -> None:
    """End leases that ran out, let through what outlasted its silence, and tell of what is not heard of."""
    upkeep.look_after_alerts()


@shared_task
def prune() -> None:
    retention.prune()
    signin.prune()
    Transmission.objects.prune()
    SlackRequest.prune()
    PagerDelivery.objects.prune()


@shared_task
def start_postmortems() -> None:
    due.start_missing()


@shared_task
def share_learning() -> None:
    """On Mondays what was published last week; a year after publication whether it still holds. Owed once each."""
    reading.send_digest()
    reading.remember_anniversaries()
    Postmortem.objects.index_missing()


@shared_task
def look_after_reports() -> None:
    """Have the months ready that reports need, and owe the reports of months and quarters that are over."""
    months.prepare()
    saved.send_reports()


@shared_task
def notify() -> None:
    """Work out whom new Events concern, call whoever is next where nobody acknowledged, and send what is due."""
    notifications.notify()


@shared_task
def deliver_to_channels() -> None:
    SlackReply.objects.send()
    lanes.deliver()


@shared_task
def hear_pagers() -> None:
    """Act on what people did in pagers."""
    pagers.hear()


@shared_task
def remind_of_updates() -> None:
    """Remind of updates that are owed and of what an open incident still lacks; once each."""
    updates.remind_of_updates()
    nudges.nudge()


@shared_task
def remind_of_follow_ups() -> None:
    proofs.judge_due()
    reminders.remind()
    due.remind()


@shared_task
def read_calendars() -> None:
    """Each calendar by itself, so that a slow one holds up no other."""
    for pk in fetching.due(timezone.now()):
        read_calendar.delay(pk)


@shared_task
def read_calendar(pk: int) -> None:
    fetching.fetch(pk)


@shared_task
def tick() -> None:
    """Prove that beat sends, the broker carries and a worker works."""
    Heartbeat.note("worker")
