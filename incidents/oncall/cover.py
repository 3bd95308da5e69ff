"""Who is on call: the pointers, rotas, calendars and overrides of teams put together, in a fixed number of queries."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Prefetch, prefetch_related_objects

from incidents.oncall.calendars import CalendarShift
from incidents.oncall.overrides import Override
from incidents.oncall.pointer import OnCall, OnCallKind
from incidents.oncall.rota import RotaTurn
from incidents.oncall.shifts import Duty, Span, double_cover, gaps, overridden, turns, within
from incidents.people.models import Team, User

INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Cover:
    """Who covers a team between two moments. Duties are whole: they may begin before and end after.

    Somebody who was set inactive covers nothing: their duties are not among `duties` but in `left`.
    """

    team: Team
    since: datetime
    until: datetime
    pointer: OnCall | None = None
    duties: list[Duty] = field(default_factory=list)
    left: list[Duty] = field(default_factory=list)
    people: dict[int, User] = field(default_factory=dict)

    @property
    def is_scheduled(self) -> bool:
        return self.pointer is not None and self.pointer.is_scheduled

    @property
    def gaps(self) -> list[Span]:
        """When nobody is on call; none where Faultline does not know the shifts."""
        return gaps(self.duties, self.since, self.until) if self.is_scheduled else []

    @property
    def double_cover(self) -> list[Span]:
        return double_cover(self.duties, self.since, self.until)

    def at(self, moment: datetime) -> list[User]:
        """Who is on call at a moment between the two; whoever began first comes first."""
        return [
            self.people[person] for person in dict.fromkeys(duty.person for duty in self.duties if duty.covers(moment))
        ]

    def is_held_by(self, person: User, since: datetime, until: datetime) -> bool:
        """Whether somebody is on call all the time from one moment to another."""
        return not gaps([duty for duty in self.duties if duty.person == person.pk], since, until)


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
    """Who covers each of the teams between two moments, by the team's id. Asks the same queries for any number of teams."""
    teams = list(teams)
    pointers = {row.team_id: row for row in OnCall.objects.filter(team__in=teams).select_related("team__rota")}
    people: dict[int, User] = {}
    base = _of_rotas(pointers, since, until, people) | _of_calendars(pointers, since, until, people)
    over = _overrides(pointers, since, until, people)
    found = {}
    for team in teams:
        duties = within(overridden(base.get(team.pk, []), over.get(team.pk, [])), since, until)
        active = [duty for duty in duties if people[duty.person].is_active]
        left = [duty for duty in duties if not people[duty.person].is_active]
        found[team.pk] = Cover(team, since, until, pointers.get(team.pk), active, left, people)
    return found


Duties = dict[int, list[Duty]]  # by the team's id


def _of_rotas(pointers: dict[int, OnCall], since: datetime, until: datetime, people: dict[int, User]) -> Duties:
    rotas = [row.team.rota for row in pointers.values() if row.kind == OnCallKind.ROTA and hasattr(row.team, "rota")]
    if rotas:
        prefetch_related_objects(rotas, Prefetch("turns", RotaTurn.objects.select_related("person")))
    people |= {turn.person_id: turn.person for rota in rotas for turn in rota.turns.all()}
    return {rota.team_id: turns(rota.plan, since, until) for rota in rotas}


def _of_calendars(pointers: dict[int, OnCall], since: datetime, until: datetime, people: dict[int, User]) -> Duties:
    teams = {pointer.pk: pk for pk, pointer in pointers.items() if pointer.kind == OnCallKind.CALENDAR}
    found: Duties = defaultdict(list)
    rows = CalendarShift.objects.filter(on_call__in=teams, starts_at__lt=until, ends_at__gt=since)
    for row in rows.select_related("person") if teams else ():
        if row.person and (duty := row.duty):
            people[row.person.pk] = row.person
            found[teams[row.on_call_id]].append(duty)
    return found


def _overrides(pointers: dict[int, OnCall], since: datetime, until: datetime, people: dict[int, User]) -> Duties:
    teams = [pk for pk, pointer in pointers.items() if pointer.is_scheduled]
    found: Duties = defaultdict(list)
    rows = Override.objects.filter(team__in=teams).touching(since, until)
    for override in rows.select_related("person") if teams else ():
        people[override.person_id] = override.person
        found[override.team_id].append(override.duty)
    return found
