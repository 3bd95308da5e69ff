"""Fetching the calendars that teams point at: what is due is asked for, read, and kept until it can be read again."""

from datetime import datetime, timedelta

from django.db import models, transaction
from django.utils import timezone

from incidents import outgoing
from incidents.errors import Refused
from incidents.oncall.calendars import CalendarShift
from incidents.oncall.pointer import OnCall, OnCallKind
from incidents.oncall.reading import Directory, Entry, NoCalendar, read_calendar
from incidents.people.models import Team, User
from incidents.web.sealing import seal, unseal

EVERY = timedelta(minutes=15)
AHEAD, BACK = timedelta(days=92), timedelta(days=28)
MOST_BYTES = 2 * 1024 * 1024
SECONDS = 20.0


def use_calendar(team: Team, url: str, *, base: int, by: User | None) -> OnCall:
    """Let a calendar elsewhere say who is on call; without an address, the one that it had. Raises WrongStatus, Refused.

    Another address drops what was read of the old one; the new one is due at once.
    """
    url = address_of(url) if url.strip() else ""
    with transaction.atomic():
        pointer = OnCall.locked(team)
        pointer.check_version(base)
        if not url and not pointer.calendar_sealed:
            raise Refused("Enter the address of the calendar.")
        changes = {}
        if url:
            host = outgoing.checked(url).hostname or ""
            pointer.calendar_shifts.all().delete()
            changes = {"calendar_sealed": seal(url), "calendar_host": host, "read_at": None, "trouble": ""}
        pointer.point(OnCallKind.CALENDAR, by=by, detail={"host": pointer.calendar_host}, asked_at=None, **changes)
    return pointer


def address_of(text: str) -> str:
    """The address of a calendar as it was typed or pasted, as https; raises Refused where it must not be asked."""
    text = text.strip()
    if text.lower().startswith(("webcal://", "webcals://")):
        text = f"https://{text.partition('://')[2]}"
    try:
        outgoing.checked(text)
    except outgoing.Blocked as error:
        raise Refused(str(error)) from None
    return text


def due(now: datetime) -> list[int]:
    """The ids of the rows whose calendar should be asked for again."""
    rows = OnCall.objects.filter(kind=OnCallKind.CALENDAR).filter(_is_due(now))
    return list(rows.order_by(models.F("asked_at").asc(nulls_first=True)).values_list("pk", flat=True))


def _is_due(now: datetime) -> models.Q:
    return models.Q(asked_at=None) | models.Q(asked_at__lte=now - EVERY)


def fetch(pk: int) -> bool:
    """Ask for one calendar if it is due, and keep what it says. Two at once ask once. Returns whether it was read.

    What cannot be read leaves the shifts that were, and says why.
    """
    now = timezone.now()
    if not OnCall.objects.filter(_is_due(now), pk=pk, kind=OnCallKind.CALENDAR).update(asked_at=now):
        return False
    pointer = OnCall.objects.select_related("team").get(pk=pk)
    try:
        entries = read_calendar(_asked(pointer), now - BACK, now + AHEAD)
    except NoCalendar as trouble:
        OnCall.objects.filter(pk=pk, version=pointer.version).update(trouble=str(trouble)[:300])
        return False
    return _keep(pointer, entries, now)


def _asked(pointer: OnCall) -> bytes:
    url = unseal(bytes(pointer.calendar_sealed or b""))
    if url is None:
        raise NoCalendar("Its address cannot be opened, because SECRET_KEY was changed. Enter it again.")
    accept = {"Accept": "text/calendar, */*;q=0.1"}
    try:
        answer = outgoing.send("GET", url, headers=accept, seconds=SECONDS, most=MOST_BYTES + 1)
    except (outgoing.Blocked, outgoing.Unreachable) as error:
        raise NoCalendar(str(error)) from None
    if 300 <= answer.status < 400:
        raise NoCalendar(f"{pointer.calendar_host} redirects to another address. Enter that one.")
    if answer.status != 200:
        raise NoCalendar(f"{pointer.calendar_host} answered {answer.status}.")
    if len(answer.body) > MOST_BYTES:
        raise NoCalendar(f"It is larger than {MOST_BYTES // 1024 // 1024} MiB.")
    return answer.body


def _keep(pointer: OnCall, entries: list[Entry], now: datetime) -> bool:
    """Put what was read in the place of what was, unless the team points elsewhere meanwhile."""
    directory = Directory(User.objects.active())
    rows = []
    for entry in entries:
        people: list[User | None] = [*directory.recognise(entry)]
        times = {"starts_at": entry.start, "ends_at": entry.end}
        rows += [CalendarShift(on_call=pointer, person=one, names=entry.names, **times) for one in people or [None]]
    with transaction.atomic():
        current = OnCall.locked(pointer.team)
        if current.version != pointer.version:
            return False
        current.calendar_shifts.all().delete()
        CalendarShift.objects.bulk_create(rows, batch_size=500)
        OnCall.objects.filter(pk=pointer.pk).update(read_at=now, trouble="")
    return True


def ask_again(pointer: OnCall) -> None:
    """Let the calendar be asked for at the next turn, which is within a minute."""
    OnCall.objects.filter(pk=pointer.pk, kind=OnCallKind.CALENDAR).update(asked_at=None)
