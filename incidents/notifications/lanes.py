"""Sends what destinations are owed: each in order, several at once, so that one that hangs delays no other."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import urlsplit

import structlog
from django.db import connection, models, transaction
from django.utils import timezone

from incidents import outgoing
from incidents.notifications import escalation
from incidents.notifications.channels.answers import Judgement, Reception, refused, retry
from incidents.notifications.channels.base import Outgoing
from incidents.notifications.destinations import Destination
from incidents.notifications.paging import points_at
from incidents.notifications.transmissions import (
    GIVEN_UP_AFTER,
    MOST_ANSWER,
    MOST_BODY,
    Transmission,
    without_secrets,
)
from incidents.notifications.trouble import pause, tell_of_failure
from incidents.response.incident import Incident

log = structlog.get_logger(__name__)

LANES = 8
IN_A_ROW = 10  # to one destination, before another has its turn
SECONDS = 5.0  # one attempt takes no longer
_LOCK = 7_201_817  # of the database
_LEASE = timedelta(seconds=60)
UNREADABLE = "Its secrets cannot be read any more, because SECRET_KEY was changed. Enter them again."
PRIVATE = "Not sent: what it tells of has become private since."


def deliver(*, seconds: float = 8.0) -> int:
    """Send what is due, within about so many seconds; returns how many were delivered.

    One process does it at a time, so that receivers that hang never keep all workers from other work.
    """
    with transaction.atomic():
        waiting = min(_due().count(), LANES)
        if not waiting or not _is_alone():
            return 0
        end = time.monotonic() + seconds
        with ThreadPoolExecutor(waiting, thread_name_prefix="lane") as lanes:
            return sum(lanes.map(lambda _: _lane(end), range(waiting)))


def _is_alone() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        return bool(cursor.fetchone()[0])


def _lane(end: float) -> int:
    try:
        return work(until=end)
    finally:
        connection.close()


def work(*, until: float | None = None) -> int:
    """One lane: serve one destination after the other until nothing is due or the time is up."""
    delivered = 0
    while until is None or time.monotonic() < until:
        destination = _claim()
        if destination is None:
            break
        try:
            delivered += _serve(destination, until)
        finally:
            Destination.objects.filter(pk=destination.pk).update(busy_until=None)
    return delivered


def _due() -> models.QuerySet[Destination]:
    now = timezone.now()
    waiting = Transmission.objects.waiting().filter(destination=models.OuterRef("pk"))
    return Destination.objects.filter(
        models.Q(rests_until=None) | models.Q(rests_until__lte=now),
        models.Q(busy_until=None) | models.Q(busy_until__lte=now),
        models.Exists(waiting),
        paused_at=None,
    )


def _claim() -> Destination | None:
    """Take a destination that nobody serves, whoever waits longest first, for the length of a lease."""
    with transaction.atomic():
        tried = models.functions.Greatest("last_success_at", "last_failure_at")
        rows = _due().order_by(tried.asc(nulls_first=True), "pk").select_for_update(skip_locked=True, of=("self",))
        destination = rows.first()
        if destination:
            Destination.objects.filter(pk=destination.pk).update(busy_until=timezone.now() + _LEASE)
    return destination


def _serve(destination: Destination, until: float | None) -> int:
    delivered = 0
    rows = (
        Transmission.objects.waiting()
        .filter(destination=destination)
        .select_related("incident__team", "event__incident")
    )
    for row in rows.order_by("pk")[:IN_A_ROW]:
        reception = attempt(row, destination)
        delivered += reception is Reception.DELIVERED
        if reception in {Reception.RETRY, Reception.GONE} or (until is not None and time.monotonic() >= until):
            break
        Destination.objects.filter(pk=destination.pk).update(busy_until=timezone.now() + _LEASE)
    return delivered


def attempt(row: Transmission, destination: Destination) -> Reception:
    """Try one once, and write down what came of it. Nothing that a receiver or a message does raises here."""
    if row.is_hidden:
        _write(row, failed_at=timezone.now(), error=PRIVATE)
        return Reception.REFUSED
    begun = time.monotonic()
    judgement, record = _ask(row, destination)
    record["took_ms"] = int((time.monotonic() - begun) * 1000)
    _settle(row, destination, judgement, record)
    return judgement.reception


def _ask(row: Transmission, destination: Destination) -> tuple[Judgement, dict[str, object]]:
    config, now = destination.config(), timezone.now()
    if config is None:
        return refused(UNREADABLE), {}
    secrets = [config.get(field.name, "") for field in destination.receiver.fields if field.secret]
    secrets += [config.get("secret", ""), config.get("previous_secret", "")]

    def cut(text: str) -> str:
        return without_secrets(text, secrets)

    record: dict[str, object] = {"request": "", "answer": "", "status": None}
    try:
        request = destination.receiver.request(config, row.announcement, now=now)
        record["request"] = _written(request, cut)
        answer = outgoing.send(
            request.method, request.url, body=request.body, headers=request.headers, seconds=SECONDS, most=16_384
        )
        record |= {"status": answer.status, "answer": cut(_text(answer.body, MOST_ANSWER))}
        judgement = destination.receiver.judge(answer, now=now)
    except outgoing.Unreachable as trouble:
        judgement = retry(str(trouble))
    except outgoing.Blocked as trouble:
        judgement = refused(str(trouble))
    except Exception:  # a fault of ours in one message must not hold up the others
        log.exception("transmission_failed", transmission=row.pk, kind=destination.kind)
        judgement = refused("Faultline could not write this message. The logs say why.")
    return Judgement(judgement.reception, cut(judgement.reason)[:300], judgement.after), record


def _written(request: Outgoing, cut: Callable[[str], str]) -> str:
    """The request as the log shows it: where to, and its body; headers may sign or open, so only what they are is named."""
    parts = urlsplit(request.url)
    body = _text(request.body, MOST_BODY)
    return cut(f"{request.method} {parts.scheme}://{parts.netloc}/…\n{', '.join(sorted(request.headers))}\n\n{body}")


def _text(body: bytes, most: int) -> str:
    return body[:most].decode("utf-8", "replace").replace("\x00", "")


def _settle(row: Transmission, destination: Destination, judgement: Judgement, record: dict[str, object]) -> None:
    now = timezone.now()
    done: dict[str, object] = {
        "tried_at": now,
        "attempts": models.F("attempts") + 1,
        "error": judgement.reason,
    } | record
    given_up = judgement.reception is Reception.RETRY and now - row.owed_at >= GIVEN_UP_AFTER
    with transaction.atomic():
        match judgement.reception:
            case Reception.DELIVERED:
                _write(row, sent_at=now, **done)
                destination.failures, destination.rests_until = 0, None
                _note(destination, last_success_at=now)
            case Reception.RETRY:
                _write(row, **done | ({"failed_at": now} if given_up or row.topic == "test" else {}))
                destination.rest(at=now, asked=judgement.after)
                _note(destination, last_failure_at=now, last_error=judgement.reason)
            case _:
                _write(row, failed_at=now, **done)
                _note(destination, last_failure_at=now, last_error=judgement.reason)
        if row.incident and (given_up or judgement.reception in {Reception.REFUSED, Reception.GONE}):
            _pass_on(row.incident, destination)
        if judgement.reception is Reception.GONE:
            pause(destination, reason=judgement.reason)
        elif row.topic != "test" and (judgement.reception is Reception.REFUSED or given_up):
            tell_of_failure(destination, reason=judgement.reason, at=now)


def _pass_on(incident: Incident, destination: Destination) -> None:
    """Where whoever is on call should have heard of it by this pager, and cannot: call the next rung at once."""
    if points_at(incident.team) == destination.pk:
        escalation.hurry(incident)


def _write(row: Transmission, **changes: object) -> None:
    Transmission.objects.filter(pk=row.pk).update(**changes)


def _note(destination: Destination, **changes: object) -> None:
    Destination.objects.filter(pk=destination.pk).update(
        failures=destination.failures, rests_until=destination.rests_until, **changes
    )
