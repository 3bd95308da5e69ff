"""How far each system can be trusted: how long its output was wrong, against what was promised, and whether it is learnt from.

Comparable across systems of a kind: all of them are judged over the same days by the same rules.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import connection
from django.db.models import Aggregate, Count, DateTimeField, F, Field, Func, Max, Q, Value
from django.db.models.functions import Coalesce, Greatest, Least, Now
from django.utils import timezone

from incidents.followups.models import FollowUp
from incidents.people.models import User
from incidents.reports import statistics
from incidents.reports.document import Share, share
from incidents.reports.drills import is_drill_overdue, practised_at
from incidents.reports.scope import Asked, Period, address
from incidents.response.incident import Incident, IncidentQuerySet
from incidents.response.links import Link
from incidents.response.vocabulary import Severity
from incidents.systems.models import System

Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Wrong:
    """A stretch of time in which output was wrong, by one incident, within the period."""

    number: int
    title: str
    since: datetime
    until: datetime
    is_certain: bool  # whether somebody said since when; else it is counted from when it was detected
    is_over: bool
    detected: datetime | None

    @property
    def silence(self) -> Span | None:
        """The part of it before anybody knew; None where nobody said since when, or it was known by then."""
        if not self.is_certain or self.detected is None or self.detected <= self.since:
            return None
        return self.since, min(self.detected, self.until)

    @property
    def seconds(self) -> float:
        return (self.until - self.since).total_seconds()


@dataclass(frozen=True, slots=True)
class Scorecard:
    """One system in one period. Seconds; None is unknown."""

    system: System
    incidents: int
    url: str
    last: datetime | None  # declared; the last SEV1 or SEV2 of all time
    days_since: int | None
    silent: float
    silence_known: Share | None
    wrong: float
    at_least: bool
    allowed: float | None
    spent: float | None  # the share of the budget that is used; over 1 where it is exceeded
    stretches: tuple[Wrong, ...]
    repeats: Share | None
    urgent: int
    urgent_url: str
    practised: datetime | None
    drill_overdue: bool

    @property
    def percent(self) -> int | None:
        return None if self.spent is None else round(100 * self.spent)

    @property
    def is_going_on(self) -> bool:
        """Whether output is wrong that nobody has contained yet."""
        return any(not row.is_over for row in self.stretches)

    @property
    def is_exceeded(self) -> bool:
        """Whether more than all of the budget is used, as it is shown."""
        return self.percent is not None and self.percent > 100


DAYS = 90  # over which systems are judged, where nobody asks otherwise


def judged_days(days: int = DAYS) -> Period:
    """The last so many days up to and with today, in UTC."""
    tomorrow = timezone.now().date() + timedelta(days=1)
    return Period(tomorrow - timedelta(days=days), tomorrow)


@dataclass(frozen=True, slots=True)
class Spent:
    """How much of its budget a system used up over the last DAYS; seconds."""

    system: System
    wrong: float
    at_least: bool
    allowed: float

    @property
    def percent(self) -> int:
        return round(100 * self.wrong / self.allowed)


def over_budget(user: User, *, team: str = "", system: str = "") -> list[Spent]:
    """The systems whose output was wrong for longer than their objective allows, the worst first; of a team, or one."""
    systems = System.objects.visible_to(user).filter(objective__isnull=False)
    systems = systems.filter(team__slug=team) if team else systems
    judged = {each.pk: each for each in (systems.filter(slug=system) if system else systems)}
    if not judged:
        return []
    since, until = judged_days().bounds()
    until = min(until, timezone.now())
    spent = [
        Spent(judged[pk], wrong, at_least, budget(judged[pk].objective, until - since) or 0)
        for pk, wrong, at_least in _wrong_in_all(_real(user).filter(system__in=judged), since, until)
    ]
    exceeded = (each for each in spent if each.allowed and each.percent > 100)
    return sorted(exceeded, key=lambda each: (-each.percent, each.system.name))


def _wrong_in_all(real: IncidentQuerySet, since: datetime, until: datetime) -> list[tuple[int, float, bool]]:
    """By system: the seconds in which output was wrong, and whether that is the least. As together() of _stretches().

    The database joins the stretches, because of some thousands of incidents they would take longer than all else.
    """
    within = Func(
        Greatest("began", Value(since, DateTimeField())),
        Least("ended", Value(until, DateTimeField())),
        function="tstzrange",
        output_field=Field(),
    )
    joined = Aggregate(within, function="range_agg", output_field=Field())
    rows = _wrong_within(real, since, until).order_by().values("system")
    totals = rows.annotate(joined=joined, unknown=Count("pk", filter=Q(impact_started_at=None)))
    by_system, values = totals.values("system", "joined", "unknown").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(_SUM_OF_RANGES.format(by_system), values)
        return [(system, float(seconds), unknown > 0) for system, seconds, unknown in cursor.fetchall()]


_SUM_OF_RANGES = """
    SELECT system, sum(extract(epoch FROM upper(piece) - lower(piece))), unknown
    FROM ({}) AS by_system (system, joined, unknown) CROSS JOIN LATERAL unnest(joined) AS piece GROUP BY system, unknown
"""


def _wrong_within(real: IncidentQuerySet, since: datetime, until: datetime) -> IncidentQuerySet:
    """The incidents whose output was wrong in the period: from when the impact `began` up to when it had `ended`."""
    began = Coalesce("impact_started_at", "detected_at", "declared_at")
    ended = Coalesce("contained_at", "resolved_at", Now())
    return real.annotate(began=began, ended=ended).filter(began__lt=until, ended__gt=since).filter(ended__gt=F("began"))


def _real(user: User) -> IncidentQuerySet:
    return Incident.objects.visible_to(user).counted()


def scorecards(user: User, asked: Asked, systems: Sequence[System]) -> list[Scorecard]:
    """Judge these systems over a period, in seven queries for any number of them."""
    real = _real(user).filter(system__in=systems)
    since, until = asked.period.bounds()
    until = min(until, timezone.now())
    counted = real.filter(declared_at__gte=since, declared_at__lt=until)
    known = Q(impact_started_at__isnull=False, detected_at__isnull=False)
    by_system = counted.order_by().values_list("system")
    tallies = {
        system: (n, silence_known)
        for system, n, silence_known in by_system.annotate(n=Count("pk"), known=Count("pk", filter=known))
    }
    repeating = Link.objects.filter(kind=Link.Kind.REPEAT_OF).values("incident")
    repeats = dict(by_system.filter(pk__in=repeating).annotate(Count("pk")))
    severe = real.order_by().filter(severity__in=[Severity.SEV1, Severity.SEV2])
    last = dict(severe.values_list("system").annotate(Max("declared_at")))
    follow_ups = FollowUp.objects.visible_to(user).open().order_by()
    first = follow_ups.filter(priority__lte=FollowUp.Priority.P1, incident__system__in=systems)
    urgent = dict(first.values_list("incident__system").annotate(Count("pk")))
    stretches = _stretches(real, since, until)
    practised = practised_at(user)
    return [
        _card(
            system,
            asked,
            until - since,
            tally=tallies.get(system.pk, (0, 0)),
            repeats=repeats.get(system.pk, 0),
            last=last.get(system.pk),
            urgent=urgent.get(system.pk, 0),
            stretches=stretches[system.pk],
            practised=practised.get(system.pk),
        )
        for system in systems
    ]


def _card(
    system: System,
    asked: Asked,
    length: timedelta,
    *,
    tally: tuple[int, int],
    repeats: int,
    last: datetime | None,
    urgent: int,
    stretches: list[Wrong],
    practised: datetime | None,
) -> Scorecard:
    wrong = together((row.since, row.until) for row in stretches)
    n, known = tally
    allowed = budget(system.objective, length)
    here = {"system": system.slug}
    return Scorecard(
        system=system,
        incidents=n,
        url=asked.incidents(**here),
        last=last,
        days_since=(timezone.now() - last).days if last else None,
        # A part of the stretches of wrong output, so never more than those.
        silent=together(row.silence for row in stretches if row.silence),
        silence_known=share(
            statistics.proportion(known, n), asked.incidents(known="silence", **here), asked.incidents(**here)
        ),
        wrong=wrong,
        at_least=any(not row.is_certain for row in stretches),
        allowed=allowed,
        spent=None if allowed is None else wrong / allowed,
        stretches=tuple(sorted(stretches, key=lambda row: -row.seconds)),
        repeats=share(
            statistics.proportion(repeats, n), asked.incidents(repeat="true", **here), asked.incidents(**here)
        ),
        urgent=urgent,
        urgent_url=address("follow-ups", show="open", system=system.slug, priority="urgent"),
        practised=practised,
        drill_overdue=is_drill_overdue(system, practised),
    )


def _stretches(real: IncidentQuerySet, since: datetime, until: datetime) -> dict[int, list[Wrong]]:
    """When output was wrong within the period, by system: from when the impact started up to when it was contained."""
    rows = _wrong_within(real, since, until)
    stretches: dict[int, list[Wrong]] = defaultdict(list)
    columns = (
        "system",
        "number",
        "title",
        "began",
        "ended",
        "impact_started_at",
        "contained_at",
        "resolved_at",
        "detected_at",
    )
    for system, number, title, began, ended, impact, contained, resolved, detected in rows.order_by(
        "number"
    ).values_list(*columns):
        within = max(began, since), min(ended, until)
        if within[0] < within[1]:
            stretches[system].append(
                Wrong(
                    number,
                    title,
                    *within,
                    is_certain=impact is not None,
                    is_over=bool(contained or resolved),
                    detected=detected,
                )
            )
    return stretches


def together(spans: Iterable[Span]) -> float:
    """How many seconds these spans cover, where those that overlap count once: output is not twice as wrong."""
    covered, end = 0.0, None
    for since, until in sorted(spans):
        if end is None or since > end:
            covered, end = covered + (until - since).total_seconds(), until
        elif until > end:
            covered, end = covered + (until - end).total_seconds(), until
    return covered


def budget(objective: Decimal | None, length: timedelta) -> float | None:
    """How many seconds of wrong output the objective allows in a period; None without one."""
    return None if objective is None else length.total_seconds() * float(100 - objective) / 100
