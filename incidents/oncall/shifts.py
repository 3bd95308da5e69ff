"""Shifts, from a rota and what overrides it: pure, for any stretch of time. Moments are UTC unless they say otherwise."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


class Because(StrEnum):
    """Why somebody is on call."""

    ROTA = "rota"
    CALENDAR = "calendar"
    OVERRIDE = "override"


@dataclass(frozen=True, slots=True)
class Plan:
    """Who takes turns, and when they hand over: each day, or each week on `weekday` (0 is Monday), in local time.

    The first turn begins at the first hand-over on or after `starts_on`.
    """

    people: tuple[int, ...]
    days: int  # of a turn: 1 or 7
    weekday: int
    hands_over_at: time
    time_zone: str
    starts_on: date


@dataclass(frozen=True, slots=True)
class Duty:
    """Somebody is on call from `start` until just before `end`; `override` is the row that says so, where one does."""

    person: int
    start: datetime
    end: datetime
    because: Because = Because.ROTA
    override: int | None = None
    replaces: bool = True

    def covers(self, moment: datetime) -> bool:
        return self.start <= moment < self.end


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time, with the people it is about."""

    start: datetime
    end: datetime
    people: tuple[int, ...] = ()


def zone_of(name: str) -> ZoneInfo:
    """The time zone of this name; UTC where the tz database does not know it (any more)."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def moment_of(day: date, at: time, zone: ZoneInfo) -> datetime:
    """A local time as a moment. One that is skipped that day is read with the offset before the change, so it comes as much
    later as was skipped; of one that comes twice, it is the first. RFC 5545 reads them so, too."""
    return datetime.combine(day, at.replace(tzinfo=None, fold=0), zone).astimezone(UTC)


def turns(plan: Plan, since: datetime, until: datetime) -> list[Duty]:
    """The turns of a rota that touch a stretch of time, whole, in their order."""
    if not plan.people:
        return []
    zone = zone_of(plan.time_zone)
    first = _first_day(plan)
    turn = max(0, (since.astimezone(zone).date() - first).days // plan.days - 1)
    start, shifts = _begins(plan, zone, first, turn), []
    while start < until:
        end = _begins(plan, zone, first, turn + 1)
        if start < end and end > since:  # where a zone skipped a whole day, a turn has no length
            shifts.append(Duty(plan.people[turn % len(plan.people)], start, end))
        turn, start = turn + 1, end
    return shifts


def _first_day(plan: Plan) -> date:
    ahead = (plan.weekday - plan.starts_on.weekday()) % 7 if plan.days == 7 else 0
    return plan.starts_on + timedelta(days=ahead)


def _begins(plan: Plan, zone: ZoneInfo, first: date, turn: int) -> datetime:
    return moment_of(first + timedelta(days=turn * plan.days), plan.hands_over_at, zone)


def overridden(shifts: Iterable[Duty], overrides: Iterable[Duty]) -> list[Duty]:
    """Put overrides over shifts, in the order in which they were made: the later one counts, unless it only adds somebody."""
    result = list(shifts)
    for override in overrides:
        if override.replaces:
            result = [piece for shift in result for piece in _without(shift, override)]
        result.append(override)
    return sorted(result, key=lambda shift: (shift.start, shift.end, shift.person))


def _without(shift: Duty, other: Duty) -> Iterator[Duty]:
    """What is left of a shift outside another: all of it, one piece, two, or none."""
    if shift.start < min(shift.end, other.start):
        yield replace(shift, end=min(shift.end, other.start))
    if max(shift.start, other.end) < shift.end:
        yield replace(shift, start=max(shift.start, other.end))


def within(shifts: Iterable[Duty], since: datetime, until: datetime) -> list[Duty]:
    """Keep what touches a stretch of time, whole."""
    return [shift for shift in shifts if shift.start < until and shift.end > since]


def joined(shifts: Iterable[Duty]) -> list[Duty]:
    """Put shifts of one person that follow each other into one, by whatever they came to be."""
    result: list[Duty] = []
    last: dict[int, int] = {}  # where the last shift of each person stands
    for shift in sorted(shifts, key=lambda shift: (shift.start, shift.end)):
        place = last.get(shift.person)
        if place is not None and result[place].end >= shift.start:
            result[place] = replace(result[place], end=max(result[place].end, shift.end))
        else:
            last[shift.person] = len(result)
            result.append(shift)
    return result


def gaps(shifts: Iterable[Duty], since: datetime, until: datetime) -> list[Span]:
    """When nobody is on call."""
    found, covered = [], since
    for shift in sorted(within(shifts, since, until), key=lambda shift: shift.start):
        if shift.start > covered:
            found.append(Span(covered, shift.start))
        covered = max(covered, shift.end)
    if covered < until:
        found.append(Span(covered, until))
    return found


def double_cover(shifts: Sequence[Duty], since: datetime, until: datetime) -> list[Span]:
    """When several people are on call at once, and who; one span for as long as they are the same."""
    inside = within(shifts, since, until)
    moments = sorted({max(since, shift.start) for shift in inside} | {min(until, shift.end) for shift in inside})
    begins: dict[datetime, list[int]] = {moment: [] for moment in moments}
    ends: dict[datetime, list[int]] = {moment: [] for moment in moments}
    for shift in inside:
        begins[max(since, shift.start)].append(shift.person)
        ends[min(until, shift.end)].append(shift.person)
    found: list[Span] = []
    on: Counter[int] = Counter()
    for moment, following in pairwise(moments):
        on.subtract(ends[moment])
        on.update(begins[moment])
        people = tuple(sorted(person for person, count in on.items() if count > 0))
        if len(people) > 1:
            if found and found[-1].end == moment and found[-1].people == people:
                found[-1] = replace(found[-1], end=following)
            else:
                found.append(Span(moment, following, people))
    return found
