"""Months that are over, stored as facts, so that a report over years of incidents reads a few rows.

This is the lowest of three layers that remember (see cache.py). A rollup holds what everybody may see: private incidents are read row by row, for whoever they name. It is never
corrected, only thrown away: each Event of an incident since it was worked out makes its month be read anew. So it can
be lost at any time, and `manage.py rebuild_rollups` throws all away and writes them again.
"""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

from django.db import models, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from incidents.reports.facts import ReportFacts, by_month_and_team
from incidents.reports.scope import Period, ReportScope
from incidents.response.events import Event
from incidents.response.incident import Incident, IncidentQuerySet

# Transactions that were open when the mark was set may still commit Events with lower numbers. None lasts this long.
SETTLED = timedelta(minutes=5)
FRESH_FOR = timedelta(days=1)  # then it is read anew, so that what went past the verbs does not stay for ever


class RollupMark(models.Model):
    """The one row that says up to which Event the rollups are up to date."""

    only = models.BooleanField(primary_key=True, default=True)
    through = models.PositiveBigIntegerField(default=0)  # every Event up to this one has been heeded
    seen = models.PositiveBigIntegerField(default=0)  # the last Event there was at `seen_at`
    seen_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(only=True), name="one_rollup_mark")]

    def __str__(self) -> str:
        return f"through event {self.through}"


class Rollup(models.Model):
    """The facts of one month that is over and one team: of real incidents that everybody may see.

    A month that was worked out has a row for team 0, those without one, even if there are none.
    """

    month = models.DateField()
    team = models.PositiveBigIntegerField(default=0)  # its key; it is read with the systems' and teams' names of today
    counts = models.JSONField()
    lengths = models.BinaryField()  # see ReportFacts.pack()
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["month", "team"], name="one_rollup_per_month_and_team")]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}, team {self.team}"

    def as_facts(self) -> ReportFacts:
        return ReportFacts.unpack(self.counts, self.lengths)


@dataclass(frozen=True, slots=True)
class MonthlyFacts:
    """The facts of some months: each of them, and all together."""

    each: dict[date, ReportFacts]
    total: ReportFacts

    def add(self, other: "MonthlyFacts") -> "MonthlyFacts":
        each = dict(self.each)
        for month, facts in other.each.items():
            each[month] = ReportFacts.sum([each[month], facts]) if month in each else facts
        return MonthlyFacts(each, ReportFacts.sum([self.total, other.total]))


def from_rows(rows: IncidentQuerySet, scope: ReportScope, period: Period) -> MonthlyFacts:
    """Read the facts of a period from its rows."""
    since, until = period.bounds()
    within = rows.filter(declared_at__gte=since, declared_at__lt=until)
    return _by_month(by_month_and_team(scope.of(within), scope.declined(within)))


def stored(months: Iterable[date], *, team: int | None = None) -> MonthlyFacts:
    """Give the facts of months that are over, of one team or of all; works out and stores those that are not stored yet."""
    wanted = sorted(months)
    mark = _throw_away_what_changed()
    if missing := _not_stored(wanted):
        store(_work_out(missing), missing, mark)
        missing = _not_stored(wanted)  # some, if they changed while they were worked out
    there = Rollup.objects.filter(month__in=set(wanted) - set(missing))
    there = there if team is None else there.filter(team=team)
    facts = _sum_of(tuple(sorted(there.values_list("pk", flat=True))))
    if not missing:
        return facts
    anew = {key: month for key, month in _work_out(missing).items() if team in (None, key[1])}
    return facts.add(_by_month(anew))


def _not_stored(months: list[date]) -> list[date]:
    there = set(Rollup.objects.filter(month__in=months, team=0).values_list("month", flat=True))
    return [month for month in months if month not in there]


def _by_month(facts_by: dict[tuple[date, int], ReportFacts]) -> MonthlyFacts:
    each: dict[date, ReportFacts] = {}
    for (month, _), facts in facts_by.items():
        each[month] = ReportFacts.sum([each[month], facts]) if month in each else facts
    return MonthlyFacts(each, ReportFacts.sum(each.values()))


@lru_cache(maxsize=8)
def _sum_of(keys: tuple[int, ...]) -> MonthlyFacts:
    """Read stored months and add them up: the second layer. A rollup never changes, so the sum of the same ones is cached.

    Nobody may change what this gives.
    """
    total = _by_month({(row.month, row.team): row.as_facts() for row in Rollup.objects.filter(pk__in=keys)})
    for facts in total.each.values():
        facts.lengths.clear()  # only their sum is asked for, and that in order
    for key, values in total.total.lengths.items():
        total.total.lengths[key] = array("I", sorted(values))
    return total


def rebuild() -> int:
    """Throw all away and write them again; returns how many months."""
    with transaction.atomic():
        Rollup.objects.all().delete()
    first = Incident.objects.order_by("declared_at").values_list("declared_at", flat=True).first()
    if first is None:
        return 0
    since, until = date(first.year, first.month, 1), timezone.now().date().replace(day=1)
    if since >= until:
        return 0
    months = Period(since, until).months()
    stored(month.since for month in months)
    return len(months)


def differing() -> list[date]:
    """Which stored months are not what their rows say; none, as long as every change goes through a verb."""
    rows = {(row.month, row.team): row.as_facts() for row in Rollup.objects.all()}
    now = _work_out(sorted({month for month, _ in rows}))
    none = ReportFacts()
    wrong = (key for key in {**rows, **now} if rows.get(key, none).pack() != now.get(key, none).pack())
    return sorted({month for month, _ in wrong})


def prepare() -> None:
    """Have every month of the last two years ready before somebody asks; each is read anew once a day."""
    Rollup.objects.filter(made_at__lt=timezone.now() - FRESH_FOR).delete()
    this = timezone.now().date().replace(day=1)
    stored(month.since for month in Period.last(25, today=this).months() if month.until <= this)


def _work_out(months: list[date]) -> dict[tuple[date, int], ReportFacts]:
    facts_by: dict[tuple[date, int], ReportFacts] = {}
    for since, until in _runs(months):
        start, end = Period(since, until).bounds()
        rows = Incident.objects.filter(private=False, declared_at__gte=start, declared_at__lt=end)
        facts_by |= by_month_and_team(ReportScope().of(rows), ReportScope().declined(rows))
    for facts in facts_by.values():
        facts.named.clear()
    return facts_by


def _runs(months: list[date]) -> list[tuple[date, date]]:
    """Put months that follow each other together: one question each."""
    runs: list[tuple[date, date]] = []
    for month in months:
        until = (month + timedelta(days=32)).replace(day=1)
        if runs and runs[-1][1] == month:
            runs[-1] = runs[-1][0], until
        else:
            runs.append((month, until))
    return runs


def _throw_away_what_changed() -> int:
    """Drop the months of incidents that something happened to since; returns the mark that now holds."""
    mark = RollupMark.objects.filter(only=True).first() or _first_mark()
    later = Event.objects.filter(pk__gt=mark.through)
    days = set(later.order_by().values_list("incident__declared_at__date", flat=True).distinct())
    # Whose declaration was moved to another month counts in the old one too.
    moved = later.filter(kind=Event.Kind.CLOCK, detail__was__has_key="declared_at").values_list("detail", flat=True)
    days |= {day for detail in moved if (day := _day(detail["was"]["declared_at"]))}
    if stale := {day.replace(day=1) for day in days}:
        Rollup.objects.filter(month__in=stale).delete()
    now = timezone.now()
    if now - mark.seen_at > SETTLED:
        # What was the last Event five minutes ago has no more gaps before it: it need not be looked at again.
        last = Event.objects.aggregate(last=Max("pk"))["last"] or 0
        RollupMark.objects.filter(only=True, through=mark.through, seen=mark.seen).update(
            through=mark.seen, seen=last, seen_at=now
        )
    return mark.through


def _first_mark() -> RollupMark:
    """Begin where nothing is stored yet. What is still being written is among the last thousand Events."""
    last = Event.objects.aggregate(last=Max("pk"))["last"] or 0
    mark, _ = RollupMark.objects.get_or_create(only=True, defaults={"through": max(0, last - 1000), "seen": last})
    return mark


def store(facts_by: dict[tuple[date, int], ReportFacts], months: list[date], mark: int) -> None:
    """Store what was worked out, unless somebody else has heeded later Events meanwhile: theirs might be missing in it."""
    with transaction.atomic():
        if RollupMark.objects.select_for_update().get(only=True).through == mark:
            every = {**{(month, 0): ReportFacts() for month in months}, **facts_by}
            rows = []
            for (month, team), facts in every.items():
                counts, lengths = facts.pack()
                rows.append(Rollup(month=month, team=team, counts=counts, lengths=lengths))
            Rollup.objects.bulk_create(rows, ignore_conflicts=True)


def _day(written: Any) -> date | None:
    moment: datetime | None = parse_datetime(str(written))
    return moment.date() if moment else None
