"""Who is on call: the pointers, rotas, calendars and overrides of teams put together, in a fixed number of queries."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Prefetch

from incidents.oncall.calendars import CalendarShift
from incidents.oncall.overrides import Override
from incidents.oncall.pointer import OnCall, OnCallKind
from incidents.oncall.rota import Rota, RotaTurn
from incidents.oncall.shifts import Duty, Span, double_cover, gaps, overridden, turns, within
from incidents.people.models import Team, User

INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Cover:
    """Who covers a team between two moments. Shifts are whole: they may begin before and end after.

    Somebody who was set inactive covers nothing: their shifts are not among `shifts` but in `left`.
    """

    team: Team
    since: datetime
    until: datetime
    pointer: OnCall | None = None
    shifts: list[Duty] = field(default_factory=list)
    left: list[Duty] = field(default_factory=list)
    people: dict[int, User] = field(default_factory=dict)

    @property
    def is_scheduled(self) -> bool:
        return self.pointer is not None and self.pointer.is_scheduled

    @property
    def gaps(self) -> list[Span]:
        """When nobody is on call; none where Faultline does not know the shifts."""
        return gaps(self.shifts, self.since, self.until) if self.is_scheduled else []

    @property
    def double_cover(self) -> list[Span]:
        return double_cover(self.shifts, self.since, self.until)

    def at(self, moment: datetime) -> list[User]:
        """Who is on call at a moment between the two; whoever began first comes first."""
        return [self.people[person] for person in dict.fromkeys(s.person for s in self.shifts if s.covers(moment))]

    def is_held_by(self, person: User, since: datetime, until: datetime) -> bool:
        """Whether somebody is on call all the time from one moment to another."""
        return not gaps([shift for shift in self.shifts if shift.person == person.pk], since, until)


def on_call(team: Team, at: datetime) -> list[User]:
    """Active people who are on call for the team at a moment; nobody where it is not known. Bad data raises nothing."""
    try:
        return covers([team], at, at + INSTANT)[team.pk].at(at)
    except OverflowError:  # at either end of the calendar
        return []


def on_call_teams(user: User, at: datetime) -> list[Team]:
    """The teams for which somebody is on call at a moment, by name."""
    teams = list(Team.objects.filter(on_call__isnull=False))
    try:
        found = covers(teams, at, at + INSTANT)
    except OverflowError:
        return []
    return [team for team in teams if user in found[team.pk].at(at)]


def covers(teams: Iterable[Team], since: datetime, until: datetime) -> dict[int, Cover]:
    """Who covers each of the teams between two moments, by the team's id. Asks the same number of queries for any number."""
    teams = list(teams)
    pointers = {row.team_id: row for row in OnCall.objects.filter(team__in=teams)}
    for team in teams:
        if team.pk in pointers:
            pointers[team.pk].team = team
    base = defaultdict(list, _of_rotas(pointers, since, until) | _of_calendars(pointers, since, until))
    over = _overrides(pointers, since, until)
    shifts = {pk: within(overridden(base[pk], over[pk]), since, until) for pk in pointers}
    people = User.objects.in_bulk({shift.person for rows in shifts.values() for shift in rows})
    return {
        team.pk: _cover(team, since, until, pointers.get(team.pk), shifts.get(team.pk, []), people) for team in teams
    }


def _cover(
    team: Team, since: datetime, until: datetime, pointer: OnCall | None, shifts: list[Duty], people: dict[int, User]
) -> Cover:
    here = [shift for shift in shifts if shift.person in people]
    active = [shift for shift in here if people[shift.person].is_active]
    left = [shift for shift in here if not people[shift.person].is_active]
    return Cover(team, since, until, pointer, active, left, people)


def _of_rotas(pointers: dict[int, OnCall], since: datetime, until: datetime) -> dict[int, list[Duty]]:
    asked = [pk for pk, pointer in pointers.items() if pointer.kind == OnCallKind.ROTA]
    in_order = Prefetch("turns", RotaTurn.objects.order_by("position"))
    rotas = Rota.objects.filter(team__in=asked).prefetch_related(in_order) if asked else []
    return {rota.team_id: turns(rota.plan, since, until) for rota in rotas}


def _of_calendars(pointers: dict[int, OnCall], since: datetime, until: datetime) -> dict[int, list[Duty]]:
    teams = {pointer.pk: pk for pk, pointer in pointers.items() if pointer.kind == OnCallKind.CALENDAR}
    found: dict[int, list[Duty]] = defaultdict(list)
    rows = CalendarShift.objects.filter(on_call__in=teams, starts_at__lt=until, ends_at__gt=since, person__isnull=False)
    for row in rows if teams else ():
        if shift := row.shift:
            found[teams[row.on_call_id]].append(shift)
    return found


def _overrides(pointers: dict[int, OnCall], since: datetime, until: datetime) -> dict[int, list[Duty]]:
    teams = [pk for pk, pointer in pointers.items() if pointer.is_scheduled]
    found: dict[int, list[Duty]] = defaultdict(list)
    for override in Override.objects.filter(team__in=teams).touching(since, until) if teams else ():
        found[override.team_id].append(override.shift)
    return found
