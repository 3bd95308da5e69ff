"""What a report says in sentences: neutral, and with how sure each number is."""

import math
from collections.abc import Sequence

from incidents.reports.document import BreakdownRow, Length, Phase, Remark, Share
from incidents.reports.known import Known
from incidents.reports.statistics import BREAKDOWN, HEADLINE


def verdict(p: float, unusual: float = HEADLINE) -> str:
    return f"unusual, p = {chance(p)}" if p < unusual else f"within normal variation, p = {chance(p)}"


def chance(p: float) -> str:
    """Write a chance short. Just below 5 % it is cut, not rounded: what is called unusual never reads “0.05”."""
    if p < 0.0001:
        return "0.0001 or less"
    if p < 0.01:
        return f"{p:.1g}"
    return f"{math.floor(1000 * p) / 1000:.3f}" if p < 0.06 else f"{p:.2g}"


def compared(known: Known, now: int, before: int) -> str:
    """Compare a count with what it was; with the length of the earlier period where that is another."""
    if known.earlier is None:
        return "nothing to compare with"
    length = f" in {known.earlier.days:,} days" if known.differs_in_length else ""
    return f"was {before:,}{length}: {verdict(known.p(now, before))}"


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
        return (f"No incidents were declared from {known.asked.period}; {before:,} were in the period before.",)
    days = f" in {known.asked.period.days:,} days" if known.differs_in_length else ""
    shares = [
        f"{noticed} were noticed by us first" if noticed else "",
        f"{repeats.k:,} {'was a repeat' if repeats.k == 1 else 'were repeats'}" if repeats else "",
    ]
    return (
        f"{now:,} incident{'s' if now != 1 else ''}{days}, {compared(known, now, before)}.",
        _what_changed(known, rows),
        f"{_how_long(silence)}; {', '.join(filter(None, shares))}.",
    )


def _what_changed(known: Known, rows: dict[str, tuple[BreakdownRow, ...]]) -> str:
    unusual = [row for dimension in ("severity", "category", "system") for row in rows[dimension] if row.unusual]
    if unusual:
        changes = (f"{row.label} {row.count:,}, was {row.before:,} (p = {chance(row.p)})" for row in unusual[:3])
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
        lengths = f"Now covers {known.asked.period.days:,} days, before covers {known.earlier.days:,}. "
    return (
        f"{lengths}{len(rows)} lines were compared. Here “unusual” means a chance of less than 1 in 100 "
        f"if nothing had changed, so about {BREAKDOWN * len(rows):.1f} of them would be flagged by chance alone."
    )
