"""What every section of a report is made of: the facts of its period, and of the one that it is compared with."""

from dataclasses import dataclass
from datetime import UTC, date

from django.utils import timezone

from incidents.people.models import Team, User
from incidents.reports import months, statistics
from incidents.reports.facts import ReportFacts
from incidents.reports.months import MonthlyFacts
from incidents.reports.scope import Asked, Period, ReportScope
from incidents.response.incident import Incident
from incidents.systems.models import System

ENOUGH_DAYS = 28  # to compare with
MANY = 4000  # incidents from which on months that are over are read from what is stored of them


@dataclass(frozen=True, slots=True)
class Known:
    """The facts of the period by month, those of all of it, and those before."""

    asked: Asked
    earlier: Period | None  # as far back as anything is on record; None where that is not four weeks
    months: dict[date, ReportFacts]
    now: ReportFacts
    before: ReportFacts
    systems: dict[str, tuple[str, str]]  # id: slug, name
    teams: dict[str, tuple[str, str]]

    def p(self, now: int, before: int) -> float:
        """How likely chance alone changes a count so far; 1 where there is nothing to compare with."""
        return statistics.rate_change_p(before, self.earlier.days, now, self.asked.period.days) if self.earlier else 1.0

    @property
    def differs_in_length(self) -> bool:
        """Whether the earlier period is so much longer or shorter that the counts alone would mislead."""
        return self.earlier is not None and abs(self.earlier.days / self.asked.period.days - 1) >= 0.05

    def rate(self, count: int) -> str:
        """How many that is in 30 days of the period."""
        return _in_thirty_days(count, self.asked.period.days)

    def rate_before(self, count: int) -> str:
        return _in_thirty_days(count, self.earlier.days) if self.earlier else ""

    def usual(self, days: float) -> tuple[int, int] | None:
        """What a count of incidents in so many days would usually be."""
        if not self.earlier or not self.before.all:
            return None
        return statistics.usual_range(self.before.all, self.earlier.days, days)

    def link(self, **conditions: str) -> str:
        return self.asked.incidents(**conditions)


def _in_thirty_days(count: int, days: int) -> str:
    rate = 30 * count / days
    return f"{rate:,.0f}" if rate >= 10 else f"{rate:.1f}" if rate >= 0.1 or not count else "under 0.1"


def know(user: User, asked: Asked) -> Known:
    """Read all that a report for this user is made of, in a number of queries that does not grow with what there is."""
    now = facts_by_month(user, asked.scope, asked.period)
    earlier = _on_record(user, asked.earlier)
    before = facts_by_month(user, asked.scope, earlier).total if earlier else ReportFacts()
    return Known(
        asked=asked,
        earlier=earlier,
        months=now.each,
        now=now.total,
        before=before,
        systems={str(pk): (slug, name) for pk, slug, name in System.objects.values_list("pk", "slug", "name")},
        teams={str(pk): (slug, name) for pk, slug, name in Team.objects.values_list("pk", "slug", "name")},
    )


def _on_record(user: User, period: Period) -> Period | None:
    """Leave out what was before anything was recorded: that nothing was written down is not that nothing happened."""
    first = Incident.objects.visible_to(user).order_by("declared_at").values_list("declared_at", flat=True).first()
    since = max(period.since, first.astimezone(UTC).date()) if first else period.until
    return Period(since, period.until) if (period.until - since).days >= ENOUGH_DAYS else None


def facts_by_month(user: User, scope: ReportScope, period: Period) -> MonthlyFacts:
    """Read the facts of what the user may see. Exact either way: from the rows, or from stored months where they are many."""
    visible = Incident.objects.visible_to(user)
    since, until = period.bounds()
    counted = Incident.objects.filter(declared_at__gte=since, declared_at__lt=until)
    over = [month for month in period.months() if month.is_month and month.until <= timezone.now().date()]
    if not over or scope != ReportScope(team=scope.team) or scope.of(counted)[:MANY].count() < MANY:
        return months.from_rows(visible, scope, period)
    team = Team.objects.filter(slug=scope.team).values_list("pk", flat=True).first() if scope.team else None
    facts = months.stored((month.since for month in over), team=team)
    facts = facts.add(months.from_rows(visible.filter(private=True), scope, period))
    for rest in (Period(period.since, over[0].since), Period(over[-1].until, period.until)):
        if rest.days:
            facts = facts.add(months.from_rows(visible.filter(private=False), scope, rest))
    return facts
