"""What a report says in sentences: neutral, and with how sure each number is."""

import math
from collections.abc import Sequence

from incidents.reports.document import BreakdownRow, Length, Phase, Remark, Share
from incidents.reports.known import Known
from incidents.reports.statistics import BORDERLINE, UNUSUAL


def verdict(p: float) -> str:
    """Say how sure a change is, in one of three words, and how likely chance alone makes one as large."""
    how = "unusual" if p < UNUSUAL else "borderline" if p < BORDERLINE else "within normal variation"
    return f"{how}, p = {chance(p)}"


def chance(p: float) -> str:
    """Write a chance short. Below 6 % it is cut, not rounded: what is borderline never reads “0.05”, nor unusual “0.01”."""
    if p < 0.0001:
        return "0.0001 or less"
    if p < 0.01:
        return f"{math.floor(10_000 * p) / 10_000:.4f}".rstrip("0")
    return f"{math.floor(1000 * p) / 1000:.3f}" if p < 0.06 else f"{p:.2g}"


def compared(known: Known, now: int, before: int) -> str:
    """Compare a count with what it was, and say which way it went; as rates where the earlier period is longer or shorter."""
    if known.earlier is None:
        return "nothing to compare with"
    was = f"was {before:,}"
    if known.differs_in_length:
        was = f"{known.rate(now)} per 30 days, was {known.rate_before(before)}"
    return f"{was}: {direction(known, now, before)}, {verdict(known.p(now, before))}"


def direction(known: Known, now: int, before: int) -> str:
    """Say whether something became more or less often, day for day."""
    days_before = known.earlier.days if known.earlier else known.asked.period.days
    change = now * days_before - before * known.asked.period.days
    return "more often" if change > 0 else "less often" if change < 0 else "as often"


def interval(length: Length) -> str:
    """How many, and the interval of their median."""
    ends = f"95 %: {length.low} to {length.high}" if length.low and length.high else "too few for an interval"
    return f"n = {length.n:,}, {ends}"


def quality(known: Known) -> tuple[Remark, ...]:
    """What a reader must know before believing the numbers."""
    counts, n = known.now.counts, known.now.all
    caveats = (
        (
            counts["missing", "impact_started_at"],
            "do not say when the impact started, so their silence is unknown",
            {"missing": "impact_started_at"},
        ),
        (counts["missing", "noticed_by"], "do not say who noticed first", {"missing": "noticed_by"}),
        (counts["missing", "category"], "are unclassified", {"category": "none"}),
        (
            counts["missing", "order"],
            "have clocks in an impossible order and are left out of the times",
            {"missing": "order"},
        ),
        (counts["edited",], "had a clock corrected after they were resolved", {"edited": "true"}),
        (counts["open",], "are still open; their times count as they are so far", {"status": "open"}),
    )
    return tuple(
        Remark(f"{count:,} of {n:,} {words}", known.link(**conditions)) for count, words, conditions in caveats if count
    )


def draft(
    known: Known,
    rows: dict[str, tuple[BreakdownRow, ...]],
    silence: Phase,
    noticed: Share | None,
    repeats: Share | None,
) -> tuple[str, ...]:
    """Three neutral sentences by Faultline, for a person to write better ones over."""
    now, before = known.now.all, known.before.all
    if not now:
        earlier = f"; {before:,} were in the period before" if known.earlier else ""
        return (f"No incidents were declared from {known.asked.period}{earlier}.",)
    days = f" in {known.asked.period.days:,} days" if known.differs_in_length else ""
    change = compared(known, now, before)
    shares = [
        f"{noticed} were noticed by us first" if noticed else "",
        f"{repeats.k:,} {'was a repeat' if repeats.k == 1 else 'were repeats'}" if repeats else "",
    ]
    return (
        f"{now:,} incident{'s' if now != 1 else ''}{days}, {change}.",
        _what_changed(known, rows),
        f"{_how_long(silence)}; {', '.join(filter(None, shares))}.",
    )


def _what_changed(known: Known, rows: dict[str, tuple[BreakdownRow, ...]]) -> str:
    unusual = [row for dimension in ("severity", "category", "system") for row in rows[dimension] if row.unusual]
    if unusual:
        changes = (f"{row.label} {compared(known, row.count, row.before)}" for row in unusual[:3])
        return f"Unusual: {'; '.join(changes)}."
    if known.earlier is None:
        return "There is no earlier period on record, so nothing can be called unusual yet."
    return "No severity, category or system changed by more than chance would explain."


def _how_long(silence: Phase) -> str:
    if not silence.length:
        return "No incident says when the output first went wrong, so the silence is unknown"
    length, change = silence.length, f", {silence.verdict}" if silence.verdict else ""
    return f"Output was wrong for {length.value} (median of {length.n:,}) before anyone noticed{change}"


def luck(known: Known, rows: Sequence[BreakdownRow]) -> str:
    """How many of these lines would be called unusual if nothing had changed."""
    lengths = ""
    if known.earlier and known.differs_in_length:
        lengths = (
            f"Now covers {known.asked.period.days:,} days, before covers {known.earlier.days:,}: "
            "numbers in parentheses are per 30 days. "
        )
    return (
        f"{lengths}{len(rows)} lines were compared. Here “unusual” means a chance of less than 1 in 100 "
        f"if nothing had changed, so about {UNUSUAL * len(rows):.1f} of them would be flagged by chance alone."
    )
