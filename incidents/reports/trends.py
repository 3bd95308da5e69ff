"""The trends of a period and a team: every number with its n, its interval, and the address of its rows.

Scoped like every list: two people may see different numbers, because a private incident is counted only for those
whom it names. Times are UTC. Declined and merged incidents are not counted, and the page says so.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import urlencode

from django.db.models import Q

from incidents import taxonomy
from incidents.followups.models import FollowUp
from incidents.people.models import Team, User
from incidents.postmortems.models import Postmortem
from incidents.reports import charts, statistics
from incidents.reports.charts import Columns, Piece, Strip
from incidents.reports.statistics import Estimate, Share
from incidents.response.models import Incident, Kind, NoticedBy, Severity

PERIODS = {"3": "3 months", "6": "6 months", "12": "12 months", "18": "18 months"}


@dataclass(frozen=True, slots=True)
class Period:
    """Whole months, from the first day of one up to, and not including, `until`."""

    since: date
    until: date

    @classmethod
    def last(cls, months: int, *, today: date) -> "Period":
        return cls(_months_before(today.replace(day=1), months - 1), today + timedelta(days=1))

    @property
    def before(self) -> "Period":
        """The period of the same length that ends where this one begins."""
        return Period(self.since - (self.until - self.since), self.since)

    @property
    def days(self) -> int:
        return (self.until - self.since).days

    def bounds(self) -> tuple[datetime, datetime]:
        return _midnight(self.since), _midnight(self.until)

    def months(self) -> list[date]:
        month, found = self.since.replace(day=1), []
        while month < self.until:
            found.append(month)
            month = _months_before(month, -1)
        return found


def _months_before(month: date, count: int) -> date:
    index = month.year * 12 + month.month - 1 - count
    return date(index // 12, index % 12 + 1, 1)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a breakdown."""

    label: str
    code: str
    count: int
    before: int
    unusual: bool
    url: str


@dataclass(frozen=True, slots=True)
class Phase:
    """How long one step took, with every incident as a dot."""

    label: str
    help: str
    median: Estimate | None
    far: Estimate | None
    strip: Strip
    missing: int
    url: str


@dataclass(frozen=True, slots=True)
class Comparison:
    now: int
    before: int
    p: float

    @property
    def words(self) -> str:
        if self.p < 0.05:
            return f"was {self.before}: unusual, p = {self.p:.2g}"
        return f"was {self.before}: within normal variation, p = {self.p:.2f}"


@dataclass(frozen=True, slots=True)
class Scope:
    """What is counted beside the period: of which team, and real ones unless tests or backfilled ones are asked for."""

    team: Team | None = None
    kind: str = Kind.REAL


@dataclass(frozen=True, slots=True)
class Trends:
    period: Period
    scope: Scope
    incidents: Comparison
    columns: Columns
    by_month: tuple[tuple[str, tuple[Piece, ...], int], ...]
    categories: tuple[tuple[str, str], ...]
    usual: tuple[int, int]
    by_category: tuple[Row, ...]
    by_system: tuple[Row, ...]
    by_severity: tuple[Row, ...]
    phases: tuple[Phase, ...]
    noticed_by_us: Share | None
    noticed_url: str
    follow_ups_on_time: Share | None
    follow_ups_overdue: int
    follow_ups_url: str
    postmortems_url: str
    postmortems_on_time: Share | None
    still_open: int
    all_url: str
    notes: tuple[str, ...]


_PHASES = (
    ("Silence", "impact started to detected", "impact_started_at", "detected_at", "silence"),
    ("To acknowledge", "declared to acknowledged", "declared_at", "acknowledged_at", "acknowledged_at"),
    ("To contain", "detected to contained", "detected_at", "contained_at", "contained_at"),
    ("To resolve", "detected to resolved", "detected_at", "resolved_at", "resolved_at"),
)


def trends(user: User, *, period: Period, team: Team | None = None, kind: str = Kind.REAL) -> Trends:
    """Work out the report in a fixed number of queries."""
    scope = Scope(team, kind)
    rows = _incidents(user, period, scope)
    earlier = _incidents(user, period.before, scope)
    compared = Comparison(
        len(rows), len(earlier), statistics.rate_change_p(len(earlier), period.before.days, len(rows), period.days)
    )
    usual = statistics.poisson_limits(len(earlier) / max(1.0, period.before.days / 30.4))
    months = _by_month(rows, period, scope)
    noticed = [row for row in rows if row.noticed_by]
    ours = [row for row in noticed if row.noticed_by in (NoticedBy.MONITOR, NoticedBy.EVALUATION)]
    follow_ups = _follow_ups(user, period, scope)
    judged = [item.was_on_time for item in follow_ups if item.was_on_time is not None]
    return Trends(
        period=period,
        scope=scope,
        incidents=compared,
        columns=charts.columns([(label, pieces) for label, pieces, _ in months], limit=usual[1] if earlier else None),
        by_month=tuple(months),
        categories=_shown_categories(rows),
        usual=usual,
        by_category=_breakdown(rows, earlier, period, scope, "category", _category_labels(rows, earlier)),
        by_system=_breakdown(rows, earlier, period, scope, "system", _system_labels(rows, earlier)),
        by_severity=_breakdown(rows, earlier, period, scope, "severity", dict(Severity.choices)),
        phases=tuple(_phase(rows, period, scope, *phase) for phase in _PHASES),
        noticed_by_us=statistics.share(len(ours), len(noticed)),
        noticed_url=_url(period, scope, noticed_by="us"),
        follow_ups_on_time=statistics.share(sum(judged), len(judged)),
        follow_ups_overdue=sum(item.is_overdue for item in follow_ups),
        follow_ups_url="/follow-ups/?" + _due_in(period, scope),
        postmortems_url="/postmortems/?" + _due_in(period, scope),
        postmortems_on_time=_postmortems_on_time(user, period, scope),
        still_open=sum(row.is_open for row in rows),
        all_url=_url(period, scope),
        notes=_notes(rows),
    )


def _incidents(user: User, period: Period, scope: Scope) -> list[Incident]:
    since, until = period.bounds()
    rows = Incident.objects.visible_to(user).counted(scope.kind).filter(declared_at__gte=since, declared_at__lt=until)
    if scope.team:
        rows = rows.filter(team=scope.team)
    return list(rows.select_related("system").defer("summary").order_by("declared_at"))


def _url(period: Period, scope: Scope, **more: str) -> str:
    """The address of the list that shows exactly the incidents behind a number."""
    asked = {"status": "counted", "kind": scope.kind, "since": str(period.since), "until": str(period.until)} | more
    if scope.team:
        asked["team"] = scope.team.slug
    return "/incidents/?" + urlencode(asked)


def _due_in(period: Period, scope: Scope) -> str:
    asked = {"show": "all", "due_since": str(period.since), "due_until": str(period.until)}
    return urlencode(asked | ({"team": scope.team.slug} if scope.team else {}))


def _by_month(rows: Sequence[Incident], period: Period, scope: Scope) -> list[tuple[str, tuple[Piece, ...], int]]:
    counted = Counter((row.declared_at.astimezone(UTC).strftime("%Y-%m"), row.category) for row in rows)
    months = []
    for month in period.months():
        within = Period(max(month, period.since), min(_months_before(month, -1), period.until))
        pieces = tuple(
            Piece(
                tone=code or "none",
                count=counted[month.strftime("%Y-%m"), code],
                label=f"{month:%b %Y}, {taxonomy.category(code).name}: {counted[month.strftime('%Y-%m'), code]}",
                url=_url(within, scope, category=code or "none"),
            )
            for code, _ in _shown_categories(rows)
        )
        months.append((f"{month:%b}" if month.month > 1 else f"{month:%b %y}", pieces, sum(p.count for p in pieces)))
    return months


def _shown_categories(rows: Iterable[Incident]) -> tuple[tuple[str, str], ...]:
    """The categories that occur, in the taxonomy's order, unclassified last."""
    found = {row.category for row in rows}
    codes = [code for code, _ in taxonomy.category_choices() if code in found] + ([""] if "" in found else [])
    return tuple((code, taxonomy.category(code).name) for code in codes)


def _category_labels(*groups: Sequence[Incident]) -> dict[str, str]:
    return {code or "none": name for rows in groups for code, name in _shown_categories(rows)}


def _system_labels(*groups: Sequence[Incident]) -> dict[str, str]:
    return {row.system.slug: row.system.name for rows in groups for row in rows if row.system}


def _breakdown(
    rows: Sequence[Incident],
    earlier: Sequence[Incident],
    period: Period,
    scope: Scope,
    by: str,
    labels: dict[str, str],
) -> tuple[Row, ...]:
    now, before = Counter(_code(row, by) for row in rows), Counter(_code(row, by) for row in earlier)
    found = [
        Row(
            label,
            code,
            now[code],
            before[code],
            # With many rows one flag in twenty is luck, so a breakdown asks for one in a hundred.
            statistics.rate_change_p(before[code], period.before.days, now[code], period.days) < 0.01,
            _url(period, scope, **{by: code}),
        )
        for code, label in labels.items()
        if now[code] or before[code]
    ]
    return tuple(found if by == "severity" else sorted(found, key=lambda row: (-row.count, row.label)))


def _code(row: Incident, by: str) -> str:
    match by:
        case "category":
            return row.category or "none"
        case "system":
            return row.system.slug if row.system else ""
    return row.severity


def _phase(
    rows: Sequence[Incident],
    period: Period,
    scope: Scope,
    label: str,
    help_: str,
    start: str,
    end: str,
    known: str,
) -> Phase:
    found = []
    for row in rows:
        began, ended = getattr(row, start), getattr(row, end)
        if began and ended and ended >= began:
            found.append(((ended - began).total_seconds(), f"{row} {row.title}", row.get_absolute_url()))
    seconds = [value for value, _, _ in found]
    median, far = statistics.quantile(seconds), statistics.quantile(seconds, 0.9)
    drawn = charts.strip(found, median=median, far=far)
    return Phase(label, help_, median, far, drawn, len(rows) - len(found), _url(period, scope, known=known))


def _follow_ups(user: User, period: Period, scope: Scope) -> list[FollowUp]:
    rows = FollowUp.objects.visible_to(user).filter(due_on__gte=period.since, due_on__lt=period.until)
    if scope.team:
        rows = rows.filter(incident__team=scope.team)
    return list(rows)


def _postmortems_on_time(user: User, period: Period, scope: Scope) -> Share | None:
    rows = Postmortem.objects.visible_to(user).filter(due_on__gte=period.since, due_on__lt=period.until)
    rows = rows.exclude(state=Postmortem.State.NOT_REQUIRED)
    if scope.team:
        rows = rows.filter(incident__team=scope.team)
    today = datetime.now(UTC).date()
    due = rows.filter(Q(due_on__lt=today) | Q(state=Postmortem.State.PUBLISHED))
    in_time = [p for p in due if p.published_at and p.published_at.astimezone(UTC).date() <= p.due_on]
    return statistics.share(len(in_time), len(due))


def _notes(rows: Sequence[Incident]) -> tuple[str, ...]:
    """What a reader must know before believing the numbers."""
    n = len(rows)
    without_start = sum(row.impact_started_at is None for row in rows)
    unclassified = sum(not row.category for row in rows)
    return tuple(
        sentence
        for count, sentence in (
            (without_start, f"{without_start} of {n} do not say when the impact started, so their silence is unknown."),
            (unclassified, f"{unclassified} of {n} are unclassified."),
        )
        if count
    )
