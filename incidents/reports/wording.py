"""What a report says in sentences: neutral, and with how sure each number is.

How sure is said in one of three words; the test behind it, its n and its interval stand aside, for whoever asks.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from incidents.reports import statistics
from incidents.reports.document import BreakdownRow, Length, Phase, Remark, Share
from incidents.reports.known import Known
from incidents.reports.statistics import BORDERLINE, UNUSUAL

SURE, BETWEEN, CHANCE = "likely real", "borderline", "within normal variation"


def certainty(p: float) -> str:
    """Say how sure a change is, in one of three words."""
    return SURE if p < UNUSUAL else BETWEEN if p < BORDERLINE else CHANCE


def chance(p: float) -> str:
    """Write a chance short. Below 6 % it is cut, not rounded: what is borderline never reads “0.05”, nor likely real “0.01”."""
    if p < 0.0001:
        return "0.0001 or less"
    if p < 0.01:
        return f"{math.floor(10_000 * p) / 10_000:.4f}".rstrip("0")
    return f"{math.floor(1000 * p) / 1000:.3f}" if p < 0.06 else f"{p:.2g}"


def compared(known: Known, now: int, before: int) -> str:
    """Compare a count with what it was, and say which way it went; as rates where the earlier period is longer or shorter."""
    if known.earlier is None:
        return "nothing to compare with"
    was = f"{before:,} then"
    if known.differs_in_length:
        was = f"{known.rate(now)} per 30 days, was {known.rate_before(before)}"
    return f"{direction(known, now, before)} ({was})"


def direction(known: Known, now: int, before: int) -> str:
    """Say whether something became more or less often, day for day."""
    days_before = known.earlier.days if known.earlier else known.asked.period.days
    change = now * days_before - before * known.asked.period.days
    return "more often than before" if change > 0 else "less often than before" if change < 0 else "as often as before"


def how_counts(known: Known, now: int, before: int) -> tuple[str, ...]:
    """How one knows that a count changed: its n, the interval and the test."""
    if known.earlier is None:
        return ("There is no earlier period on record.",)
    days, days_before = known.asked.period.days, known.earlier.days
    counted = f"{now:,} in {days:,} days, {before:,} in the {days_before:,} days before."
    ratio = statistics.rate_ratio(before, days_before, now, days)
    test = f"Exact conditional test of two Poisson rates: p = {chance(known.p(now, before))}."
    if ratio is None:
        return counted, test
    low, high = ratio
    ends = f"at least {low:.2g}" if math.isinf(high) else f"{low:.2g} to {high:.2g}"
    return counted, f"95 %: {ends} times as often as before.", test


def how_lengths(length: Length) -> str:
    """Of how many a median is, and its interval."""
    if not (length.low and length.high):
        return f"Median of {length.n:,}: too few for an interval."
    return f"Median of {length.n:,}; 95 %: {length.low} to {length.high}."


def how_shares(share: Share) -> str:
    return f"{share}; 95 %: {share.low} to {share.high} %."


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


@dataclass(frozen=True, slots=True)
class OpeningSentence:
    """A sentence over a report, and how one knows."""

    text: str
    how: tuple[str, ...] = ()


def findings(known: Known, rows: dict[str, tuple[BreakdownRow, ...]], silence: Phase) -> tuple[OpeningSentence, ...]:
    """Three neutral sentences by Faultline, for a person to write better ones over."""
    if not known.now.all:
        earlier = f"; {known.before.all:,} were in the period before" if known.earlier else ""
        return (OpeningSentence(f"No incidents were declared from {known.asked.period}{earlier}."),)
    lines = [row for dimension in ("severity", "category", "system") for row in rows[dimension]]
    return _how_many(known), _how_long(silence), _what_changed(known, lines)


def _how_many(known: Known) -> OpeningSentence:
    now, before = known.now.all, known.before.all
    days = f" in {known.asked.period.days:,} days" if known.differs_in_length else ""
    incidents = f"{now:,} incident{'s' if now != 1 else ''}{days}"
    if known.earlier is None:
        return OpeningSentence(f"{incidents}; there is no earlier period on record to compare with.")
    text = f"{incidents}, {compared(known, now, before)}: {certainty(known.p(now, before))}."
    return OpeningSentence(text, how_counts(known, now, before))


def _how_long(silence: Phase) -> OpeningSentence:
    if not silence.length:
        return OpeningSentence(f"How long output was wrong before anyone noticed is unknown: {why_unknown(silence)}.")
    length, change = silence.length, ""
    if silence.verdict:
        change = f"; it {silence.verdict}"
    elif silence.before:
        change = f"; it was {silence.before.value}, and there are too few to compare"
    return OpeningSentence(
        f"Output was wrong for {length.value} (median of {length.n:,}) before anyone noticed{change}.", silence.how
    )


def why_unknown(phase: Phase) -> str:
    """Why a phase has no median."""
    if phase.running:
        return "of most it is not over yet"
    return "no incident has both clocks, in an order that is possible"


def _what_changed(known: Known, lines: Sequence[BreakdownRow]) -> OpeningSentence:
    """The line that changed most. It was chosen among many, so its chance is multiplied by how many (Bonferroni 1936)."""
    if known.earlier is None or not lines:
        return OpeningSentence("Nothing can be said of changes yet, because no earlier period is on record.")
    most = min(lines, key=lambda row: row.p)
    p = min(1.0, most.p * len(lines))
    test = f"Chosen among {len(lines):,} lines, so its chance was multiplied by {len(lines):,}: p = {chance(p)}."
    how = (*how_counts(known, most.count, most.before), test)
    if p >= BORDERLINE:
        return OpeningSentence(
            f"No severity, category or system changed by more than chance would explain: {CHANCE}.", how
        )
    return OpeningSentence(
        f"What changed most is {most.label}: {compared(known, most.count, most.before)}, {certainty(p)}.", how
    )


def luck(known: Known, rows: Iterable[BreakdownRow], phases: Sequence[Phase], *, noticed: bool) -> str:
    """How many changes this page judges, and how many of them would be called likely real if nothing had changed."""
    lengths = ""
    if known.earlier and known.differs_in_length:
        lengths = (
            f"Now covers {known.asked.period.days:,} days, before covers {known.earlier.days:,}: "
            "numbers in parentheses are per 30 days. "
        )
    lines, durations = len(list(rows)), sum(bool(phase.verdict) for phase in phases)
    judged = lines + durations + noticed + 2  # how many there were, and what changed most
    return (
        f"{lengths}This report judges {judged} changes, {lines} of them in tables. “{SURE.capitalize()}” means a chance "
        f"of less than 1 in 100 if nothing had changed, so about {UNUSUAL * judged:.1f} of them would be called so by "
        "chance alone."
    )
