"""Reading a calendar from elsewhere (iCalendar, RFC 5545): bytes in, who is on call when out. Pure.

What comes is not trusted: it may be no calendar at all, or repeat for ever. It is bounded here in entries and in time.
"""

import re
import time as clock
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import recurring_ical_events
from icalendar import Calendar

from incidents.oncall.shifts import zone_of
from incidents.people.models import User

MOST_EVENTS = 3000  # in the file; a recurring one is one event
MOST_ENTRIES = 1000  # in the days that are read
SECONDS = 15.0  # after which reading is given up
LONGEST_REPEATED = timedelta(days=92)
_REPEATS = {"DAILY", "WEEKLY", "MONTHLY", "YEARLY"}
_WORD = re.compile(r"[^\W_]+")
_ADDRESS = re.compile(r"[^\s<>()\[\],;:\"]+@[^\s<>()\[\],;:\"]+")


class NoCalendar(Exception):
    """It is no calendar, or not one that can be read; the message says why."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a calendar, in UTC; addresses are lower case and without `mailto:`."""

    start: datetime
    end: datetime
    summary: str
    attendees: tuple[str, ...] = ()
    organizer: str = ""

    @property
    def names(self) -> str:
        """Whom it names, in its own words."""
        return (self.summary or ", ".join(self.attendees) or self.organizer or "(no title)")[:200]


def read_calendar(raw: bytes, since: datetime, until: datetime) -> list[Entry]:
    """The entries that touch a stretch of time, recurrences written out, in their order. Raises NoCalendar."""
    try:
        return _read(raw, since, until)
    except NoCalendar:
        raise
    except Exception as error:  # whatever its libraries stumble over: it is the calendar that is wrong
        raise NoCalendar(f"This calendar is damaged: {type(error).__name__}.") from error


def _read(raw: bytes, since: datetime, until: datetime) -> list[Entry]:
    if b"BEGIN:VCALENDAR" not in raw[:10_000].upper():
        raise NoCalendar("This is not a calendar: it has no BEGIN:VCALENDAR. Look for the address that ends with .ics.")
    calendar = Calendar.from_ical(raw)
    events = calendar.walk("VEVENT")
    if len(events) > MOST_EVENTS:
        raise NoCalendar(
            f"It has more than {MOST_EVENTS} events. Use a calendar that holds nothing but on-call shifts."
        )
    series: dict[str, list[Any]] = defaultdict(list)
    for event in events:
        series[str(event.get("UID", id(event)))].append(event)
    default, found, begun = zone_of(str(calendar.get("X-WR-TIMEZONE", "UTC"))), list[Entry](), clock.monotonic()
    for parts in series.values():
        found += [entry for event in _expanded(parts, since, until) if (entry := _entry(event, default, since, until))]
        if len(found) > MOST_ENTRIES:
            raise NoCalendar(f"It has more than {MOST_ENTRIES} entries in {(until - since).days} days.")
        if clock.monotonic() - begun > SECONDS:
            raise NoCalendar("Its repetitions take too long to work out.")
    return sorted(found, key=lambda entry: (entry.start, entry.end, entry.summary))


def _expanded(parts: list[Any], since: datetime, until: datetime) -> Iterator[Any]:
    """One event and all its repetitions that touch a stretch of time."""
    for event in parts:
        for rule in _rules(event):
            _check_rule(event, rule)
    if len(parts) == 1 and not any(name in parts[0] for name in ("RRULE", "RDATE")):
        yield parts[0]
        return
    one = Calendar()
    for event in parts:
        one.add_component(event)
    # Days and times without a zone are compared in UTC here; a day on either side shows those of all zones.
    around = timedelta(days=1)
    yield from recurring_ical_events.of(one).between(since - around, until + around)


def _rules(event: Any) -> list[Any]:
    rules = event.get("RRULE", [])
    return rules if isinstance(rules, list) else [rules]


def _check_rule(event: Any, rule: Any) -> None:
    """Raise NoCalendar for a repetition that no rota has: its library would work on it for hours, or for ever."""
    often = sum(len(rule.get(name, [])) for name in ("BYHOUR", "BYMINUTE", "BYSECOND")) > 3
    if not {str(how).upper() for how in rule.get("FREQ", [])} <= _REPEATS or often:
        raise NoCalendar(f"“{_text(event, 'SUMMARY')}” repeats more than once a day.")
    if any(int(step) < 1 for step in rule.get("INTERVAL", [1])):
        raise NoCalendar(f"“{_text(event, 'SUMMARY')}” repeats at no interval.")
    start, end = event["DTSTART"].dt, _end(event)
    if start.year < 1900 or end - start > LONGEST_REPEATED:
        raise NoCalendar(f"“{_text(event, 'SUMMARY')}” repeats, and is too old or too long.")


def _entry(event: Any, default: ZoneInfo, since: datetime, until: datetime) -> Entry | None:
    """It as an entry; None where it was cancelled, takes no time or lies outside."""
    start, end = _moment(event["DTSTART"].dt, default), _moment(_end(event), default)
    if _text(event, "STATUS").upper() == "CANCELLED" or not (start < end and start < until and end > since):
        return None
    attendees = tuple(dict.fromkeys(address for one in _attendees(event) if (address := _address(one))))
    return Entry(start, end, _text(event, "SUMMARY"), attendees, _address(event.get("ORGANIZER", "")))


def _end(event: Any) -> date:
    """When an event ends: as it says, or with its day, or at once."""
    start: date = event["DTSTART"].dt
    if "DTEND" in event:
        end: date = event["DTEND"].dt
        return end if type(end) is type(start) else start
    if "DURATION" in event:
        return start + event["DURATION"].dt  # type: ignore[no-any-return]  # the library is not typed here
    return start if isinstance(start, datetime) else start + timedelta(days=1)


def _moment(at: date, default: ZoneInfo) -> datetime:
    """A day begins, and a time without a zone is meant, in the calendar's own zone."""
    if not isinstance(at, datetime):
        at = datetime.combine(at, time())
    return (at if at.tzinfo else at.replace(tzinfo=default)).astimezone(UTC)


def _attendees(event: Any) -> list[Any]:
    """Who is invited and has not declined."""
    invited = event.get("ATTENDEE", [])
    invited = invited if isinstance(invited, list) else [invited]
    return [one for one in invited if str(getattr(one, "params", {}).get("PARTSTAT", "")).upper() != "DECLINED"]


def _address(value: Any) -> str:
    text = str(value).strip()
    return (text[7:] if text.lower().startswith("mailto:") else text).lower()[:254]


def _text(event: Any, name: str) -> str:
    return " ".join(str(event.get(name, "")).replace("\x00", "").split())[:200]


class Directory:
    """Recognises the people of an organisation in the entries of a calendar."""

    def __init__(self, people: Iterable[User]) -> None:
        self._by_address: dict[str, User] = {}
        self._by_name: dict[str, list[User]] = defaultdict(list)
        for person in people:
            self._by_address[person.email.lower()] = person
            self._by_name[_in_words(person.name)].append(person)
        self._by_name.pop(_in_words(""), None)

    def recognise(self, entry: Entry) -> list[User]:
        """Whom an entry means: those it invites, else who organizes it, else whose address or name its title gives."""
        if invited := self._of_addresses(entry.attendees):
            return invited
        if organizer := self._of_addresses([entry.organizer]):
            return organizer
        return self._of_addresses(_ADDRESS.findall(entry.summary.lower())) or self._of_title(entry.summary)

    def _of_addresses(self, addresses: Iterable[str]) -> list[User]:
        return [self._by_address[address] for address in addresses if address in self._by_address]

    def _of_title(self, title: str) -> list[User]:
        """Whose whole name stands in a title; nobody where two people have that name."""
        words = _in_words(title)
        named = [people for name, people in self._by_name.items() if name in words]
        return [people[0] for people in named if len(people) == 1]


def _in_words(text: str) -> str:
    """A text in small letters with one space around each word, so that whole words are found in it."""
    return f" {' '.join(_WORD.findall(text.casefold()))} "
