"""What pages show of who covers a team: who is on call now, and a list of shifts with the gaps between them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from incidents.oncall.cover import Cover, covers
from incidents.oncall.overrides import Override
from incidents.oncall.pointer import OnCallKind
from incidents.oncall.shifts import Duty, Span, joined
from incidents.people.models import Team, User

FORTNIGHT = timedelta(days=14)
FOUR_WEEKS = timedelta(days=28)
HORIZON = timedelta(days=35)  # so that of a weekly rota the end of the fourth week is known


@dataclass(frozen=True, slots=True)
class Standing:
    """How a team stands now: who is on call, until when (None: for as long as is known), and who comes next, from when."""

    cover: Cover
    people: list[User]
    until: datetime | None
    next_people: list[User]
    gaps: list[Span]  # of the next two weeks

    @property
    def team(self) -> Team:
        return self.cover.team

    @property
    def kind(self) -> str:
        """How it is arranged who is on call."""
        return self.cover.pointer.kind if self.cover.pointer else OnCallKind.NOBODY

    @property
    def gaps_ahead(self) -> list[Span]:
        """The gaps but for the one that it is in now."""
        return [gap for gap in self.gaps if gap.start > self.cover.since]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a schedule: somebody's shift, or a gap. `beside` is who else is on call meanwhile, for some of it."""

    start: datetime
    end: datetime
    person: User | None = None
    override: Override | None = None
    is_now: bool = False
    beside: tuple[User, ...] = ()
    left: User | None = None  # whose shift it would be, had they not left

    @property
    def first_second(self) -> int:
        return int(self.start.timestamp())

    @property
    def last_second(self) -> int:
        return int(self.end.timestamp())

    @property
    def value(self) -> str:
        """It as the value of a choice."""
        return f"{self.person.pk if self.person else 0}_{self.first_second}_{self.last_second}"


def standings(teams: Iterable[Team], now: datetime | None = None) -> list[Standing]:
    """How each team stands, in the order given."""
    teams, now = list(teams), now or timezone.now()
    found = covers(teams, now, now + HORIZON)
    return [standing(found[team.pk], now) for team in teams]


def standing(cover: Cover, now: datetime) -> Standing:
    """How a team stands at the beginning of its cover."""
    people, until = cover.at(now), None
    whole = joined(cover.duties)
    changes = sorted({moment for duty in whole for moment in (duty.start, duty.end) if now < moment < cover.until})
    after: list[User] = []
    for moment in changes:
        after = cover.at(moment)
        if {person.pk for person in after} != {person.pk for person in people}:
            until = moment
            break
    gaps = [Span(gap.start, min(gap.end, now + FORTNIGHT)) for gap in cover.gaps if gap.start < now + FORTNIGHT]
    return Standing(cover, people, until, after if until else [], gaps)


def lines(cover: Cover, now: datetime) -> list[Line]:
    """The shifts of a cover and the gaps between them, in their order."""
    numbers = {duty.override for duty in cover.duties if duty.override}
    overrides = Override.objects.select_related("by", "swap").in_bulk(numbers) if numbers else {}
    doubles = cover.double_cover
    shifts = [
        Line(
            duty.start,
            duty.end,
            cover.people[duty.person],
            overrides.get(duty.override or 0),
            duty.covers(now),
            _beside(duty, doubles, cover.people),
        )
        for duty in cover.duties
    ]
    return sorted([*shifts, *_gap_lines(cover, now)], key=lambda line: (line.start, line.end))


def _beside(duty: Duty, doubles: list[Span], people: dict[int, User]) -> tuple[User, ...]:
    others = [
        person
        for span in doubles
        if span.start < duty.end and span.end > duty.start and duty.person in span.people
        for person in span.people
        if person != duty.person
    ]
    return tuple(people[person] for person in dict.fromkeys(others))


def _gap_lines(cover: Cover, now: datetime) -> list[Line]:
    found = []
    for gap in cover.gaps:
        left = next((duty.person for duty in cover.left if duty.start < gap.end and duty.end > gap.start), None)
        found.append(
            Line(gap.start, gap.end, is_now=gap.start <= now < gap.end, left=cover.people[left] if left else None)
        )
    return found
