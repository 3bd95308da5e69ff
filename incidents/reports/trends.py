"""The trend report: every number with its n, how sure it is, and the address of exactly its rows.

Scoped like every list: a private incident is counted only for those whom it names, so two people may see different
numbers, and nobody can tell from theirs what they may not see. The result is plain data: it is drawn, exported and
frozen as it is. Days and months are UTC.
"""

import itertools
import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.utils import timezone

from incidents import taxonomy
from incidents.people.models import Team, User
from incidents.reports import charts, rollups, statistics
from incidents.reports.charts import Columns, Gaps, Piece, Strip
from incidents.reports.facts import DIMENSIONS, NAMED, Facts, running_for
from incidents.reports.rollups import Months
from incidents.reports.scope import BY, COMPARISONS, Asked, Period, Scope
from incidents.reports.statistics import BREAKDOWN, HEADLINE, Estimate, Share
from incidents.response.impact import Exposure
from incidents.response.incident import Incident
from incidents.response.measures import HOURS
from incidents.response.vocabulary import NoticedBy, Severity
from incidents.systems.models import System
from incidents.web.durations import span

ENOUGH_DAYS = 28  # to compare with
MANY = 4000  # incidents from which on months that are over are read as they were kept
US = (NoticedBy.MONITOR.value, NoticedBy.EVALUATION.value)


@dataclass(frozen=True, slots=True)
class Remark:
    """A sentence, and where its rows are."""

    text: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a breakdown."""

    label: str
    code: str
    count: int
    before: int
    url: str
    url_before: str
    p: float
    unusual: bool


@dataclass(frozen=True, slots=True)
class Part:
    """k of n with its interval in percent, and the addresses of both."""

    k: int
    n: int
    low: int
    high: int
    url: str
    url_of_all: str

    @property
    def told(self) -> str:
        return f"{self.k} of {self.n}"


@dataclass(frozen=True, slots=True)
class Tile:
    label: str
    value: str
    note: str
    url: str
    unusual: bool = False


@dataclass(frozen=True, slots=True)
class Volume:
    by: str
    legend: tuple[tuple[str, str], ...]  # tone and name
    columns: Columns
    table: tuple[tuple[str, tuple[Piece, ...], int, str], ...]
    usual: str
    outside: tuple[str, ...]  # months beyond the usual range
    gaps: Gaps | None
    gaps_told: str
    power: str


@dataclass(frozen=True, slots=True)
class Length:
    """How long something took: the median with its interval and P90, readable, and of how many."""

    value: str
    low: str
    high: str
    far: str
    n: int


@dataclass(frozen=True, slots=True)
class Phase:
    code: str
    label: str
    help: str
    length: Length | None
    before: Length | None
    verdict: str
    unusual: bool
    strip: Strip
    running: int
    unknown: int
    url: str
    url_running: str


@dataclass(frozen=True, slots=True)
class Grid:
    """Category × system, with the lines of the systems that had most."""

    columns: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str, tuple[tuple[int, str], ...], int, str], ...]
    left_out: int


@dataclass(frozen=True, slots=True)
class Exposed:
    label: str
    said: Part
    affected: int
    low: int
    high: int
    corrected: int
    correction_known: int


@dataclass(frozen=True, slots=True)
class Used:
    """A containment: in how many incidents, and whether it worked there."""

    label: str
    count: int
    url: str
    said: tuple[tuple[str, int, str], ...]


@dataclass(frozen=True, slots=True)
class Missed:
    """A failure mode that others noticed first, and what would have shown it."""

    label: str
    others: Part
    signals: str


@dataclass(frozen=True, slots=True)
class Trends:
    title: str
    period: str
    days: int
    compared: str
    compared_how: str
    scope: str
    as_of: str  # ISO 8601, UTC
    n: int
    before: int
    url: str
    quality: tuple[Remark, ...]
    draft: tuple[str, ...]
    tiles: tuple[Tile, ...]
    volume: Volume
    breakdowns: tuple[tuple[str, str, tuple[Row, ...]], ...]  # dimension, title, lines
    luck: str
    phases: tuple[Phase, ...]
    by_category: tuple[tuple[str, tuple[tuple[str, int, str], ...]], ...]
    grid: Grid
    noticed_by_us: Part | None
    noticed: tuple[Row, ...]
    missed: tuple[Missed, ...]
    precision: Part | None
    exposure: tuple[Exposed, ...]
    repeats: Part | None
    used: tuple[Used, ...]
    near_misses: Row
    hours: tuple[Row, ...]
    people: Length | None
    called_often: str
    more: dict[str, Any] = field(default_factory=dict)  # what learning.py adds


@dataclass(frozen=True, slots=True)
class Known:
    """What the sections are made of: the facts of the period by month, those of all of it, and those before."""

    asked: Asked
    earlier: (
        Period | None
    )  # what it is compared with, as far as anything is on record; None where that is not four weeks
    months: dict[date, Facts]
    now: Facts
    before: Facts
    systems: dict[str, tuple[str, str]]  # id: slug, name
    teams: dict[str, tuple[str, str]]

    def p(self, now: int, before: int) -> float:
        return statistics.rate_change_p(before, self.earlier.days, now, self.asked.period.days) if self.earlier else 1.0

    def said_of(self, now: int, before: int) -> str:
        """Compare a count with what it was, in words."""
        if self.earlier is None:
            return "nothing to compare with"
        return f"was {before:,}{self.length}: {_verdict(self.p(now, before))}"

    @property
    def length(self) -> str:
        """How long the earlier period is, where that is not about as long: the counts alone would mislead."""
        alike = self.earlier is None or abs(self.earlier.days / self.asked.period.days - 1) < 0.05
        return "" if alike or self.earlier is None else f" in {self.earlier.days:,} days"

    def usual(self, days: float) -> tuple[int, int] | None:
        """What a count of incidents in so many days would usually be."""
        return (
            statistics.usual_range(self.before.all, self.earlier.days, days)
            if self.earlier and self.before.all
            else None
        )

    def link(self, **more: str) -> str:
        return self.asked.incidents(**more)


def trends(user: User, asked: Asked) -> Trends:
    """Work out the report, in a number of queries that does not grow with what there is."""
    return put_together(know(user, asked))


def know(user: User, asked: Asked) -> Known:
    months = facts_by_month(user, asked.scope, asked.period)
    earlier = _on_record(user, asked.earlier)
    before = facts_by_month(user, asked.scope, earlier).total if earlier else Facts()
    return Known(
        asked=asked,
        earlier=earlier,
        months=months.each,
        now=months.total,
        before=before,
        systems={str(pk): (slug, name) for pk, slug, name in System.objects.values_list("pk", "slug", "name")},
        teams={str(pk): (slug, name) for pk, slug, name in Team.objects.values_list("pk", "slug", "name")},
    )


def _on_record(user: User, period: Period) -> Period | None:
    """Leave out what was before anything was recorded: that nothing was written down is not that nothing happened."""
    first = Incident.objects.visible_to(user).order_by("declared_at").values_list("declared_at", flat=True).first()
    since = max(period.since, first.astimezone(UTC).date()) if first else period.until
    return Period(since, period.until) if (period.until - since).days >= ENOUGH_DAYS else None


def facts_by_month(user: User, scope: Scope, period: Period) -> Months:
    """Read the facts of what the user may see. Exact either way: from the rows, or from kept months where they are many."""
    visible = Incident.objects.visible_to(user)
    since, until = period.bounds()
    counted = Incident.objects.filter(declared_at__gte=since, declared_at__lt=until)
    over = [month for month in period.months() if month.is_month and month.until <= timezone.now().date()]
    if not over or scope != Scope(team=scope.team) or scope.of(counted)[:MANY].count() < MANY:
        return rollups.facts_of(visible, scope, period)
    team = Team.objects.filter(slug=scope.team).values_list("pk", flat=True).first() if scope.team else None
    found = rollups.kept((month.since for month in over), team=team)
    found = found.add(rollups.facts_of(visible.filter(private=True), scope, period))
    for rest in (Period(period.since, over[0].since), Period(over[-1].until, period.until)):
        if rest.days:
            found = found.add(rollups.facts_of(visible.filter(private=False), scope, rest))
    return found


def put_together(known: Known) -> Trends:
    """Make the report of what is known; asks the database nothing."""
    asked, now, before = known.asked, known.now, known.before
    phases = tuple(_phase(known, *phase) for phase in _PHASES)
    rows = {dimension: _breakdown(known, dimension) for dimension in DIMENSIONS}
    noticed = _part(
        known, _us(now), now.all - now.counts["noticed_by", ""], noticed_by="us", of={"noticed_by": "anybody"}
    )
    repeats = _part(known, now.counts["repeat",], now.all, repeat="true", of={})
    volume = _volume(known)
    return Trends(
        title="Trends" if asked.scope.is_everything else f"Trends: {asked.scope.words}",
        period=str(asked.period),
        days=asked.period.days,
        compared=str(known.earlier) if known.earlier else "",
        compared_how=COMPARISONS[asked.compare],
        scope=asked.scope.words,
        as_of=timezone.now().astimezone(UTC).isoformat(timespec="seconds"),
        n=now.all,
        before=before.all,
        url=known.link(),
        quality=_quality(known),
        draft=_draft(known, rows, phases[0], noticed, repeats),
        tiles=_tiles(known, phases[0], noticed, repeats),
        volume=volume,
        breakdowns=tuple((name, BY[name], rows[name]) for name in DIMENSIONS if name != "noticed_by"),
        luck=_luck(known, [row for lines in rows.values() for row in lines]),
        phases=phases,
        by_category=_by_category(known),
        grid=_grid(known),
        noticed_by_us=noticed,
        noticed=rows["noticed_by"],
        missed=_missed(known),
        precision=_precision(known),
        exposure=_exposure(known),
        repeats=repeats,
        used=_used(known),
        near_misses=_near_misses(known),
        hours=_hours(known),
        people=_Spread.of(now.length("people")).told(lambda value: f"{value:.3g}"),
        called_often=_called_often(known),
    )


# Words


def _verdict(p: float, unusual: float = HEADLINE) -> str:
    return f"unusual, p = {_p(p)}" if p < unusual else f"within normal variation, p = {_p(p)}"


def _p(p: float) -> str:
    """Write a chance short. Just below 5 % it is cut, not rounded: what is called unusual never reads “0.05”."""
    if p < 0.0001:
        return "0.0001 or less"
    return f"{p:.1g}" if p < 0.01 else f"{math.floor(1000 * p) / 1000:.3f}" if p < 0.06 else f"{p:.2g}"


def _quality(known: Known) -> tuple[Remark, ...]:
    """What a reader must know before believing the numbers."""
    counts, n = known.now.counts, known.now.all
    told = (
        (counts["missing", "impact_started_at"], "do not say when the impact started, so their silence is unknown", {"missing": "impact_started_at"}),
        (counts["missing", "noticed_by"], "do not say who noticed first", {"missing": "noticed_by"}),
        (counts["missing", "category"], "are unclassified", {"category": "none"}),
        (counts["missing", "order"], "have clocks in an impossible order, which are left out of the times", {"missing": "order"}),
        (counts["edited",], "had a clock corrected after they were resolved", {"edited": "true"}),
        (counts["open",], "are still open: their times are counted as they are so far", {"status": "open"}),
    )  # fmt: skip
    return tuple(Remark(f"{count:,} of {n:,} {text}", known.link(**more)) for count, text, more in told if count)


def _draft(
    known: Known, rows: dict[str, tuple[Row, ...]], silence: Phase, noticed: Part | None, repeats: Part | None
) -> tuple[str, ...]:
    """Three neutral sentences of the machine, for a person to write better ones over."""
    now, before = known.now.all, known.before.all
    if not now:
        return (f"No incident was declared from {known.asked.period}, {before:,} before.",)
    of_two = [row for dimension in ("severity", "category", "system") for row in rows[dimension] if row.unusual]
    changed = "; ".join(f"{row.label} {row.count:,}, was {row.before:,} (p = {_p(row.p)})" for row in of_two[:3])
    lasted = (
        f"Output was wrong for {silence.length.value} (median of {silence.length.n:,}) before anybody noticed"
        f"{', ' + silence.verdict if silence.verdict else ''}"
        if silence.length
        else "Nobody said when the output began to be wrong, so the silence is unknown"
    )
    more = [
        f"{noticed.told} were noticed by us first" if noticed else "",
        f"{repeats.k:,} came back" if repeats else "",
    ]
    return (
        f"{now:,} incident{'s' if now != 1 else ''}{f' in {known.asked.period.days:,} days' if known.length else ''}, {known.said_of(now, before)}.",
        f"Unusual: {changed}." if changed else _nothing_unusual(known),
        f"{lasted}; {', '.join(word for word in more if word)}.",
    )


def _nothing_unusual(known: Known) -> str:
    if known.earlier is None:
        return "What is usual cannot be said yet: nothing earlier is on record."
    return "No severity, category or system changed by more than luck explains."


def _luck(known: Known, rows: Sequence[Row]) -> str:
    expected = BREAKDOWN * len(rows)
    lengths = f"Now is {known.asked.period.days:,} days, before is {known.length[4:]}. " if known.length else ""
    return (
        f"{lengths}{len(rows)} lines were compared. “Unusual” there means less than once in a hundred by luck alone, so that about "
        f"{expected:.1f} of them would be flagged if nothing had changed."
    )


# Tiles


def _tiles(known: Known, silence: Phase, noticed: Part | None, repeats: Part | None) -> tuple[Tile, ...]:
    now, before = known.now, known.before
    p = known.p(now.all, before.all)
    worst = ", ".join(f"{now.counts['severity', code]:,} {Severity(code).label}" for code in ("sev1", "sev2", "sev3", "sev4") if now.counts["severity", code])  # fmt: skip
    wrong = now.length("wrong")
    length = silence.length
    return (
        Tile("Incidents", f"{now.all:,}", f"{worst + '; ' if worst else ''}{known.said_of(now.all, before.all)}", known.link(), p < HEADLINE),
        Tile("Output was wrong for", span(sum(wrong)) if wrong else "unknown", f"in all, of {len(wrong):,} of {now.all:,} incidents that say since when", known.link(phase="silence")),
        Tile("Silence, median", length.value if length else "unknown", f"{_interval(length)}{'; ' + silence.verdict if silence.verdict else ''}" if length else "nobody said when the impact started", silence.url, silence.unusual),
        Tile("Noticed by us first", noticed.told if noticed else "unknown", f"95 %: {noticed.low}–{noticed.high} %{_shift(known)}" if noticed else "nobody said who noticed", noticed.url if noticed else known.link(missing="noticed_by")),
        Tile("Came back", repeats.told if repeats else "0 of 0", f"95 %: {repeats.low}–{repeats.high} %; repeats of an earlier incident" if repeats else "", repeats.url if repeats else known.link()),
    )  # fmt: skip


def _interval(length: Length) -> str:
    return f"n = {length.n:,}, " + (f"95 %: {length.low} to {length.high}" if length.low and length.high else "too few for an interval")  # fmt: skip


def _shift(known: Known) -> str:
    before = known.before.all - known.before.counts["noticed_by", ""]
    now = known.now.all - known.now.counts["noticed_by", ""]
    if not before:
        return ""
    p = statistics.share_change_p(_us(known.before), before, _us(known.now), now)
    return f"; was {_us(known.before):,} of {before:,}: {_verdict(p)}"


def _us(facts: Facts) -> int:
    return sum(facts.counts["noticed_by", code] for code in US)


def _part(known: Known, k: int, n: int, *, of: dict[str, str], **which: str) -> Part | None:
    return part(statistics.share(k, n), known.link(**which), known.link(**of))


def part(found: Share | None, url: str, url_of_all: str) -> Part | None:
    if found is None:
        return None
    return Part(found.k, found.n, round(100 * found.low), round(100 * found.high), url, url_of_all)


# Volume


def _volume(known: Known) -> Volume:
    asked, by = known.asked, known.asked.by
    codes = _most(known.now.of(by), by)
    tones = {code: _tone(by, code, at) for at, code in enumerate(codes)}
    usual = known.usual(30.4)
    table: list[tuple[str, tuple[Piece, ...], int, str]] = []
    outside: list[str] = []
    for month in asked.period.months():
        facts = known.months.get(month.since.replace(day=1), Facts())
        label = f"{month.since:%b %y}" if month.since.month == 1 or len(table) == 0 else f"{month.since:%b}"
        pieces = [_piece(known, month, by, code, tones[code], facts.counts[by, code]) for code in codes]
        if others := facts.all - sum(piece.count for piece in pieces):
            url = asked.incidents(month, without=f"{by}:{','.join(_condition(known, by, code)[by] for code in codes)}")
            pieces.append(Piece("none", others, f"{month.since:%b %Y}, others: {others:,}", url))
        table.append((label, tuple(pieces), facts.all, asked.incidents(month)))
        if (limits := known.usual(month.days)) and not limits[0] <= facts.all <= limits[1]:
            least, most = limits
            outside.append(f"{month.since:%B %Y} ({facts.all:,}; usual {least:,} to {most:,})")
    legend = [(tones[code], _label(known, by, code)) for code in codes]
    if any(len(pieces) > len(codes) for _, pieces, _, _ in table):
        legend.append(("none", "Others"))
    gaps, told = _gaps(known)
    return Volume(
        by=by,
        legend=tuple(legend),
        columns=charts.columns([(label, pieces) for label, pieces, _, _ in table], limit=usual[1] if usual else None, floor=usual[0] if usual else None),
        table=tuple(table),
        usual=f"{usual[0]:,} to {usual[1]:,} a month" if usual else "",
        outside=tuple(outside),
        gaps=gaps,
        gaps_told=told,
        power=_power(known),
    )  # fmt: skip


def _most(counts: dict[str, int], by: str) -> list[str]:
    """The codes that are drawn: in the order of their kind where that has one, else the seven most frequent."""
    orders = {
        "severity": Severity.values,
        "category": [*dict(taxonomy.category_choices()), ""],
        "noticed_by": [*NoticedBy.values[1:], ""],
    }
    if order := orders.get(by):
        return [code for code in order if counts.get(code)]
    return sorted(counts, key=lambda code: (-counts[code], code))[:7]


def _tone(by: str, code: str, position: int) -> str:
    match by:
        case "severity":
            return code if code != Severity.UNKNOWN else "none"
        case "category":
            return code or "none"
    hues = ("drift", "retrieval", "feedback_loop", "agent_action", "data_quality", "model_release", "output_safety")
    return hues[position % len(hues)]


def _piece(known: Known, month: Period, by: str, code: str, tone: str, count: int) -> Piece:
    label = f"{month.since:%b %Y}, {_label(known, by, code)}: {count:,}"
    return Piece(tone, count, label, known.asked.incidents(month, **_condition(known, by, code)))


def _gaps(known: Known) -> tuple[Gaps | None, str]:
    """The days between SEV1 incidents, where they are rare: a chart of counts would show nothing but zeros and ones."""
    moments = sorted(known.now.length("sev1"))
    if not 4 <= len(moments) <= 60:
        return None, ""
    days = [(after - before) / 86400 for before, after in itertools.pairwise(moments)]
    end = min(timezone.now().timestamp(), known.asked.period.bounds()[1].timestamp())
    since = (end - moments[-1]) / 86400
    limits = statistics.usual_gap(days)
    drawn = [
        (length, f"{length:.0f} days before the one of {_date(moment):%-d %b %Y}", _on(known, moment))
        for length, moment in zip(days, moments[1:], strict=True)
    ]
    drawn.append((since, f"{since:.0f} days since the last", _on(known, moments[-1])))
    limit = limits[1] if limits else None
    good = limit is not None and since > limit
    told = f"{since:.0f} days since the last SEV1" + (
        f"; up to {limit:.0f} would be usual. {'That is longer than luck explains: good.' if good else ''}"
        if limit
        else "."
    )
    return charts.gaps(drawn, limit=limit), told.strip()


def _date(moment: float) -> datetime:
    return datetime.fromtimestamp(moment, UTC)


def _on(known: Known, moment: float) -> str:
    day = _date(moment).date()
    return known.asked.incidents(Period(day, day + timedelta(days=1)), severity=Severity.SEV1.value)


def _power(known: Known) -> str:
    """How well this report could notice a change: a promise of nothing where it is small."""
    before = known.before.all
    if not before or not known.earlier:
        return ""
    ratio = known.asked.period.days / known.earlier.days
    halved, doubled = (statistics.power_of_change(before, change, time_ratio=ratio) for change in (0.5, 2.0))
    return (
        f"With {before:,} incidents to compare with, a true halving would be called unusual {halved:.0%} of the time, "
        f"and a true doubling {doubled:.0%}."
    )


# Breakdowns


def _breakdown(known: Known, by: str) -> tuple[Row, ...]:
    now, before = known.now.of(by), known.before.of(by)
    rows = [_row(known, _label(known, by, code), code, now.get(code, 0), before.get(code, 0), _condition(known, by, code)) for code in {**before, **now}]  # fmt: skip
    if by == "severity":
        return tuple(sorted(rows, key=lambda row: Severity.values.index(row.code)))
    return tuple(sorted(rows, key=lambda row: (-row.count, -row.before, row.label)))


def _row(known: Known, label: str, code: str, now: int, before: int, condition: dict[str, str]) -> Row:
    p = known.p(now, before)
    url_before = known.asked.incidents(known.earlier, **condition) if known.earlier else ""
    return Row(label, code, now, before, known.link(**condition), url_before, p, p < BREAKDOWN)


def _label(known: Known, by: str, code: str) -> str:
    match by:
        case "severity":
            return Severity(code).label
        case "category":
            return taxonomy.category(code).name
        case "failure_mode":
            return mode.name if (mode := taxonomy.find(code)) else code or "Not settled"
        case "system":
            return known.systems.get(code, ("", "No system"))[1]
        case "team":
            return known.teams.get(code, ("", "No team"))[1]
    return NoticedBy(code).label


def _condition(known: Known, by: str, code: str) -> dict[str, str]:
    """What the list of incidents is asked for, to show those of one code."""
    match by:
        case "system":
            return {"system": known.systems.get(code, ("none", ""))[0]}
        case "team":
            return {"team": known.teams.get(code, ("none", ""))[0]}
        case "noticed_by" if not code:
            return {"missing": "noticed_by"}
    return {by: code or "none"}


def _grid(known: Known) -> Grid:
    """Which system fails in which way: the twelve systems with most."""
    categories = _most(known.now.of("category"), "category")
    systems = known.now.of("system")
    shown = sorted(systems, key=lambda pk: (-systems[pk], pk))[:12]
    rows = []
    for pk in shown:
        where = _condition(known, "system", pk)
        cells = tuple(
            (known.now.counts["cell", code, pk], known.link(**where, category=code or "none")) for code in categories
        )
        rows.append((_label(known, "system", pk), cells, systems[pk], known.link(**where)))
    names = tuple((code or "none", taxonomy.category(code).name) for code in categories)
    return Grid(names, tuple(rows), len(systems) - len(shown))


# Where time goes

_PHASES = (
    ("silence", "Silence", "impact started → detected"),
    ("acknowledge", "To acknowledge", "detected → acknowledged"),
    ("contain", "To contain", "acknowledged → contained"),
    ("resolve", "To resolve", "contained → resolved"),
    ("whole", "In all", "detected → resolved"),
)


@dataclass(frozen=True, slots=True)
class _Spread:
    """Durations in order, with what is drawn and told of them."""

    ended: Sequence[float]
    running: Sequence[float]
    median: Estimate | None  # of those that ended
    far: Estimate | None  # the 90th percentile, of ten or more

    @classmethod
    def of(cls, ended: Sequence[float], running: Sequence[float] = ()) -> "_Spread":
        far = statistics.quantile(ended, 0.9) if len(ended) >= 10 else None
        return cls(ended, running, statistics.quantile(ended), far)

    def told(self, readable: Callable[[float], str] = span) -> Length | None:
        """Say the median, of all where some are still running; the interval only where both its ends exist."""
        found = statistics.time_to_half(self.ended, self.running) if self.running else self.median
        if found is None:
            return None
        low, high = ("", "") if found.low is None or found.high is None else (readable(found.low), readable(found.high))
        return Length(readable(found.value), low, high, readable(self.far.value) if self.far else "", found.n)


def _phase(known: Known, code: str, label: str, told: str) -> Phase:
    now = _Spread.of(known.now.length(code), running_for(known.now, code))
    before = _Spread.of(known.before.length(code), running_for(known.before, code))
    was = before.told()
    unusual, said = _shifted(before, now)
    return Phase(
        code=code,
        label=label,
        help=told,
        length=now.told(),
        before=was,
        verdict=f"was {was.value}: {said}" if was and said else "",
        unusual=unusual,
        strip=_strip(known, code, now),
        running=len(now.running),
        unknown=known.now.all - len(now.ended) - len(now.running),
        url=known.link(phase=code),
        url_running=known.link(running=code),
    )


FEW = 5000  # durations up to which a test is run


def _shifted(before: _Spread, now: _Spread) -> tuple[bool, str]:
    """Whether durations changed by more than luck explains, and how one knows.

    Among many thousands a test calls any difference unusual. There the intervals of the medians are compared, which
    says as much and shows by how much.
    """
    was, became = before.median, now.median
    if min(len(before.ended), len(now.ended)) > FEW and was and became:
        apart = (became.low or 0) > (was.high or 0) or (became.high or 0) < (was.low or 0)
        return (
            apart,
            f"{'unusual' if apart else 'within normal variation'}, the intervals {'do not ' if apart else ''}overlap",
        )
    p = statistics.rank_sum_p(before.ended, now.ended)
    return (False, "") if p is None else (p < HEADLINE, _verdict(p))


def _strip(known: Known, code: str, spread: _Spread) -> Strip:
    median = spread.median.value if spread.median else None
    far = spread.far.value if spread.far else None
    dots = known.now.named.get(code, [])
    if len(dots) < len(spread.ended) or len(dots) > NAMED:
        bars = [_bar(known, code, at, count) for at, count in enumerate(charts.binned(spread.ended))]
        return charts.histogram(bars, median=median, far=far)
    lanes = []
    for category in _most(known.now.of("category"), "category"):
        values = sorted((seconds, number) for seconds, number, of in dots if of == category)
        own = statistics.quantile([seconds for seconds, _ in values])
        placed = [(float(seconds), f"INC-{number}", f"/incidents/{number}/") for seconds, number in values]
        lanes.append((taxonomy.category(category).name, category or "none", own.value if own else None, placed))
    return charts.strip(lanes, median=median, far=far)


def _bar(known: Known, code: str, at: int, count: int) -> tuple[int, str, str]:
    low, high = charts.BINS[at], charts.BINS[at + 1]
    ends = ({"at_least": str(low)} if at else {}) | ({"below": str(high)} if at < 23 else {})
    return count, f"{span(low)} to {span(high)}: {count:,}", known.link(phase=code, **ends)


def _by_category(known: Known) -> tuple[tuple[str, tuple[tuple[str, int, str], ...]], ...]:
    """The median of each phase by category, with its n."""
    rows = []
    for category in _most(known.now.of("category"), "category"):
        cells = []
        for code, _, _ in _PHASES:
            values = known.now.length(code, category)
            found = statistics.quantile(values)
            cells.append(
                (span(found.value) if found else "–", len(values), known.link(phase=code, category=category or "none"))
            )
        rows.append((taxonomy.category(category).name, tuple(cells)))
    return tuple(rows)  # fmt: skip


# Detection, exposure, containment, load


def _missed(known: Known) -> tuple[Missed, ...]:
    """The failure modes that others noticed before we did, with the signals that show them."""
    found: dict[str, Counter[str]] = {}
    for key, count in known.now.counts.items():
        if key[0] == "signal" and key[2]:
            found.setdefault(key[1], Counter())["us" if key[2] in US else "others"] += count
    rows = []
    for mode, said in found.items():
        known_mode = taxonomy.find(mode)
        if not isinstance(known_mode, taxonomy.FailureMode):
            continue  # one that an earlier taxonomy had
        others = part(
            statistics.share(said["others"], said.total()),
            known.link(failure_mode=mode, noticed_by="others"),
            known.link(failure_mode=mode, noticed_by="anybody"),
        )
        if others and others.k:
            rows.append(Missed(known_mode.name, others, ", ".join(known_mode.signals).replace("_", " ")))
    return tuple(sorted(rows, key=lambda row: (-row.others.k, row.label))[:8])


def _precision(known: Known) -> Part | None:
    """Of what alerts opened, how much was an incident."""
    accepted, declined = (known.now.counts["triage", said] for said in ("accepted", "declined"))
    return part(
        statistics.share(accepted, accepted + declined),
        known.link(opened_by="alert", status="accepted"),
        known.link(opened_by="alert", status="triaged"),
    )


def _exposure(known: Known) -> tuple[Exposed, ...]:
    counts, rows = known.now.counts, []
    for of, label in Exposure.Of.choices:
        said = part(statistics.share(counts["exposed", of], known.now.all), known.link(exposed=of), known.link())
        if said and said.k:
            measures = (
                counts[name, of]
                for name in ("affected", "affected_low", "affected_high", "corrected", "correction_known")
            )
            rows.append(Exposed(label, said, *measures))
    return tuple(rows)


def _used(known: Known) -> tuple[Used, ...]:
    words = {"yes": "worked", "no": "did not", "unchecked": "not checked"}
    rows = []
    for action, count in known.now.of("used").items():
        said = tuple(
            (word, known.now.counts["containment", action, code], known.link(containment=action, worked=code))
            for code, word in words.items()
        )
        rows.append(Used(taxonomy.containment(action).name, count, known.link(containment=action), said))
    return tuple(sorted(rows, key=lambda row: (-row.count, row.label)))


def _near_misses(known: Known) -> Row:
    now, before = (
        sum(facts.counts["harm", harm] for harm in ("near_miss", "issue")) for facts in (known.now, known.before)
    )
    return _row(known, "Near misses and hazards found in time", "none_came", now, before, {"harm": "none_came"})


def _hours(known: Known) -> tuple[Row, ...]:
    now, before = known.now.of("hours"), known.before.of("hours")
    return tuple(_row(known, label, code, now.get(code, 0), before.get(code, 0), {"hours": code}) for code, label in HOURS.items())  # fmt: skip


def _called_often(known: Known) -> str:
    """Whether the same few are called at night: how many, never who."""
    called = known.now.of("called")
    often = sum(count >= 3 for count in called.values())
    if not called:
        return "Nobody led an incident that was declared outside of business hours."
    people = f"{len(called)} {'person' if len(called) == 1 else 'people'}"
    return f"{people} led incidents that were declared outside of business hours, {often} of them three or more."
