"""Sends what is due: one at a time, each at least once, so that one that cannot be sent holds up no other."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

import structlog
from django.db import connection, models, transaction
from django.utils import timezone

from incidents.notifications import email, push
from incidents.notifications.messages import MOST_ATTEMPTS, Channel, Dispatch, hidden
from incidents.notifications.topics import TOPICS, topic_of
from incidents.people.models import User

log = structlog.get_logger(__name__)

BUNDLED = [topic.code for topic in TOPICS.values() if topic.is_bundled]
# How long to wait after a message about alerts until the next to the same person, by how many they had within the window:
# the first two go out as they come, the third gathers a minute, then one every five. So a storm is three messages.
PACE = (timedelta(0), timedelta(seconds=10), timedelta(minutes=1), timedelta(minutes=5))
WINDOW = timedelta(minutes=10)
LONGEST_PAUSE = 3600
LOCK = 7_201_818  # of the database


def send(*, most: int = 500, seconds: float = 8.0) -> int:
    """Send what is due, within about so many seconds; returns how many dispatches went out.

    One process does it at a time, so that a mail server that hangs never keeps all workers from other work. Each is tried twelve times at most: after 10 seconds, then twice as long each time, an hour at most. Then it stays
    unsent with its error, and /readyz and the administrators hear of it.
    """
    sent, end = 0, time.monotonic() + seconds
    with _alone() as is_alone:
        for _ in range(most if is_alone else 0):
            with transaction.atomic():
                dispatch = _locked(Dispatch.objects.due()).order_by("due_at", "pk").first()
                if dispatch is None:
                    break
                sent += _send(dispatch)
            if time.monotonic() > end:
                break
    return sent


@contextmanager
def _alone() -> Iterator[bool]:
    """Whether nobody else sends meanwhile. The lock is of the session, since each message has a transaction of its own."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        is_alone = bool(cursor.fetchone()[0])
    try:
        yield is_alone
    finally:
        if is_alone:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


def _locked(rows: models.QuerySet[Dispatch]) -> models.QuerySet[Dispatch]:
    return rows.select_related("notification__person", "notification__incident").select_for_update(
        skip_locked=True, of=("self",)
    )


def _send(first: Dispatch) -> int:
    """Send it, with what else is due to the same person where such are bundled; returns how many went out."""
    now, notification = timezone.now(), first.notification
    bundle = [first]
    if topic_of(notification.topic).is_bundled:
        rows = Dispatch.objects.due().filter(
            notification__person=notification.person, notification__topic__in=BUNDLED, channel=first.channel
        )
        bundle = list(_locked(rows).order_by("notification__made_at", "pk"))
        if (earliest := next_allowed(notification.person, first.channel, at=now)) > now:
            _set(bundle, due_at=earliest)
            return 0
    bundle = _without_hidden(bundle)
    return len(bundle) if bundle and _deliver(bundle, now) else 0


def next_allowed(person: User, channel: str, *, at: datetime) -> datetime:
    """When the next message about alerts may go to a person: the pace grows with those of the last ten minutes."""
    recent = Dispatch.objects.filter(
        notification__person=person, notification__topic__in=BUNDLED, channel=channel, bundled_with=None
    )
    sent = recent.filter(sent_at__gt=at - WINDOW).aggregate(last=models.Max("sent_at"), number=models.Count("pk"))
    last: datetime | None = sent["last"]
    return last + PACE[min(sent["number"], len(PACE) - 1)] if last else at


def _without_hidden(bundle: Sequence[Dispatch]) -> list[Dispatch]:
    """Give up what became private since, and leave the rest."""
    person = bundle[0].notification.person
    gone = [dispatch for dispatch in bundle if hidden(dispatch.notification.about, person)]
    if not person.is_active:
        gone = list(bundle)
    error = "Not sent: what it tells of has become private since." if person.is_active else "Not sent: inactive."
    _set(gone, failed_at=timezone.now(), error=error)
    return [dispatch for dispatch in bundle if dispatch not in gone]


def _deliver(bundle: Sequence[Dispatch], now: datetime) -> bool:
    """Send the bundle as one message. Whatever goes wrong is its own trouble: noted, and tried again later."""
    first = bundle[0]
    try:
        with transaction.atomic():  # so that trouble with the database leaves this transaction usable
            refusal = _CHANNELS[Channel(first.channel)](bundle)
    except Exception as trouble:
        # The way to the mail server fails as an OSError, smtplib's errors among them; anything else is a fault to look at.
        attempts = first.attempts + 1
        log.warning(
            "notification_not_sent", dispatch=first.pk, attempts=attempts, exc_info=not isinstance(trouble, OSError)
        )
        again = now + timedelta(seconds=min(10 * 2**first.attempts, LONGEST_PAUSE))
        later = {"failed_at": now} if attempts >= MOST_ATTEMPTS else {"due_at": again}
        error = (str(trouble) or type(trouble).__name__)[:300]
        _set(bundle, attempts=models.F("attempts") + 1, error=error, **later)
        return False
    if refusal:
        _set(bundle, failed_at=now, attempts=models.F("attempts") + 1, error=refusal[:300])
        return False
    _set(bundle, sent_at=now, attempts=models.F("attempts") + 1, error="")
    _set(bundle[1:], bundled_with=first)
    return True


# Each sends a bundle and says why it never can be sent, "" where it was; what may work later, it raises.
_CHANNELS: dict[Channel, Callable[[Sequence[Dispatch]], str]] = {Channel.EMAIL: email.send, Channel.BROWSER: push.send}


def _set(rows: Sequence[Dispatch], **changes: object) -> None:
    Dispatch.objects.filter(pk__in=[row.pk for row in rows]).update(**changes)
