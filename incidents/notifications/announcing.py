"""Works out, for each new Event, whom it concerns: claims the Events one after the other, and owes what their meaning says."""

from datetime import timedelta

import structlog
from django.db import connection, models, transaction
from django.utils import timezone

from incidents.notifications import announced, escalation, meaning
from incidents.notifications.messages import Notification
from incidents.notifications.transmissions import Transmission
from incidents.response.events import Event, PendingEvent

log = structlog.get_logger(__name__)

MOST_ATTEMPTS = 12
_LOCK = (
    7_201_816  # of the database: one process announces at a time, so that the Events of an incident keep their order
)


def announce(*, most: int = 500) -> int:
    """Owe what the Events that nobody heard of yet mean; returns how many. Safe to run anywhere, at any time.

    An Event that cannot be worked out is noted with its error, tried again later, twelve times at most, and holds up no other.
    """
    done = 0
    with transaction.atomic():
        if not _is_alone():
            return 0
        for pending in _due()[:most]:
            try:
                with transaction.atomic():
                    _announce(pending.event)
                    pending.delete()
            except Exception as trouble:  # a fault of ours in one Event must not silence all the others
                log.exception("event_not_announced", pending=pending.pk, attempts=pending.attempts + 1)
                _put_off(pending, trouble)
            else:
                done += 1
    return done


def _is_alone() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        return bool(cursor.fetchone()[0])


def _due() -> models.QuerySet[PendingEvent]:
    now = timezone.now()
    due = models.Q(due_at=None) | models.Q(due_at__lte=now)
    rows = PendingEvent.objects.filter(due, attempts__lt=MOST_ATTEMPTS).order_by("event_id")
    return rows.select_related(
        "event__by", "event__note", "event__incident__system", "event__incident__team", "event__incident__lead"
    )


def _announce(event: Event) -> None:
    """Tell each person once of an Event: the first of its messages that concerns them, which is the most urgent."""
    heard = {event.by_id}
    for message in meaning.of(event):
        people = [person for person in message.people if person.pk not in heard]
        heard |= {person.pk for person in people}
        Notification.objects.tell(
            people,
            topic=message.topic,
            about=[event.incident],
            subject=message.subject,
            text=message.text,
            path=event.incident.get_absolute_url() + message.fragment,
            key=f"event:{event.pk}:{message.topic}",
            urgency=message.urgency,
            event=event,
        )
    if announcement := announced.of(event):
        Transmission.objects.owe(announcement, event.incident, event=event)
    escalation.follow(event)


def _put_off(pending: PendingEvent, trouble: Exception) -> None:
    again = timezone.now() + timedelta(seconds=min(10 * 2**pending.attempts, 3600))
    error = (str(trouble) or type(trouble).__name__)[:300]
    PendingEvent.objects.filter(pk=pending.pk).update(attempts=pending.attempts + 1, due_at=again, error=error)
