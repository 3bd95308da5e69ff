"""How many incidents there were, month by month, and how far apart the worst ones were."""

import itertools
from datetime import UTC, datetime, timedelta

from django.utils import timezone

from incidents.reports import charts, statistics
from incidents.reports.charts import ChartPiece, Gaps
from incidents.reports.dimensions import condition, drawn, label, tone
from incidents.reports.document import Volume
from incidents.reports.facts import ReportFacts
from incidents.reports.known import Known
from incidents.reports.scope import Period
from incidents.response.vocabulary import Severity

Month = tuple[str, tuple[ChartPiece, ...], int, str]  # its name, the pieces of its column, their sum, and its address

MONTH = 30.4  # days, on average


def volume(known: Known) -> Volume:
    by = known.asked.by
    codes = drawn(known.now.of(by), by)
    tones = {code: tone(by, code, position) for position, code in enumerate(codes)}
    usual = known.usual(MONTH)
    periods = known.asked.period.months()
    months = [_month(known, period, tones, is_first=period is periods[0]) for period in periods]
    legend = [(tones[code], label(known, by, code)) for code in codes]
    if any(len(pieces) > len(codes) for _, pieces, _, _ in months):
        legend.append(("none", "Others"))
    gaps, gaps_in_words = _gaps(known)
    return Volume(
        by=by,
        legend=tuple(legend),
        columns=charts.columns(
            [(name, pieces) for name, pieces, _, _ in months],
            limit=usual[1] if usual else None,
            floor=usual[0] if usual else None,
        ),
        table=tuple(months),
        usual=f"{usual[0]:,} to {usual[1]:,} a month" if usual else "",
        outside=_outside(known),
        gaps=gaps,
        gaps_told=gaps_in_words,
        power=_power(known),
    )


def _facts(known: Known, period: Period) -> ReportFacts:
    return known.months.get(period.since.replace(day=1), ReportFacts())


def _month(known: Known, period: Period, tones: dict[str, str], *, is_first: bool) -> Month:
    by, facts = known.asked.by, _facts(known, period)
    name = f"{period.since:%b %y}" if period.since.month == 1 or is_first else f"{period.since:%b}"
    pieces = [_piece(known, period, code, tones[code], facts.counts[by, code]) for code in tones]
    if others := facts.all - sum(piece.count for piece in pieces):
        codes = ",".join(condition(known, by, code)[by] for code in tones)
        url = known.asked.incidents(period, without=f"{by}:{codes}")
        pieces.append(ChartPiece("none", others, f"{period.since:%b %Y}, others: {others:,}", url))
    return name, tuple(pieces), facts.all, known.asked.incidents(period)


def _piece(known: Known, period: Period, code: str, tone: str, count: int) -> ChartPiece:
    by = known.asked.by
    text = f"{period.since:%b %Y}, {label(known, by, code)}: {count:,}"
    return ChartPiece(tone, count, text, known.asked.incidents(period, **condition(known, by, code)))


def _outside(known: Known) -> tuple[str, ...]:
    """The months beyond what is usual for as many days as they have."""
    months = []
    for period in known.asked.period.months():
        count, limits = _facts(known, period).all, known.usual(period.days)
        if limits and not limits[0] <= count <= limits[1]:
            months.append(f"{period.since:%B %Y} ({count:,}; usual {limits[0]:,} to {limits[1]:,})")
    return tuple(months)


def _gaps(known: Known) -> tuple[Gaps | None, str]:
    """The days between SEV1 incidents, where they are rare: a chart of counts would show nothing but zeros and ones."""
    moments = sorted(known.now.length("sev1"))
    if not 4 <= len(moments) <= 60:
        return None, ""
    days = [(after - before) / 86400 for before, after in itertools.pairwise(moments)]
    end = min(timezone.now().timestamp(), known.asked.period.bounds()[1].timestamp())
    since = (end - moments[-1]) / 86400
    limits = statistics.usual_gap(days)
    limit = limits[1] if limits else None
    dots = [
        (length, f"{length:.0f} days before the SEV1 of {_date(moment):%-d %b %Y}", _on(known, moment))
        for length, moment in zip(days, moments[1:], strict=True)
    ]
    dots.append((since, f"{_days(since)} since the last SEV1", _on(known, moments[-1])))
    return charts.gaps(dots, limit=limit), _gaps_in_words(since, limit, _date(moments[-1]))


def _days(length: float) -> str:
    return f"{length:.0f} day{'' if f'{length:.0f}' == '1' else 's'}"


def _gaps_in_words(since: float, limit: float | None, last: datetime) -> str:
    """How long ago the last one was; one of today is no achievement, so nothing is said of its zero days."""
    ago = f", {_days(since)} ago" if since >= 1 else ""
    text = f"The last SEV1 was declared on {last:%-d %b %Y}{ago}."
    if limit is None:
        return text
    if since > limit:
        return f"{text} So long without one is more than chance would explain, which is good."
    return f"{text} Up to {_days(limit)} between two would be usual."


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
    halved, doubled = (100 * statistics.power_of_change(before, change, time_ratio=ratio) for change in (0.5, 2.0))
    return (
        f"With {before:,} incident{'s' if before != 1 else ''} to compare with, a true halving would be called likely "
        f"real {halved:.0f} % of the time, and a true doubling {doubled:.0f} %."
    )
