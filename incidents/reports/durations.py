"""Where time goes: how long each phase took, how sure that is, and whether it changed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

from django.urls import reverse

from incidents import taxonomy
from incidents.reports import charts, statistics
from incidents.reports.charts import Strip
from incidents.reports.dimensions import drawn
from incidents.reports.document import Length, Phase
from incidents.reports.facts import NAMED, running_for
from incidents.reports.known import Known
from incidents.reports.statistics import UNUSUAL, Estimate
from incidents.reports.wording import CHANCE, SURE, certainty, chance, how_lengths
from incidents.web.durations import span

PHASES = (
    ("silence", "Silence", "impact started → detected"),
    ("acknowledge", "To acknowledge", "detected → acknowledged"),
    ("contain", "To contain", "acknowledged → contained"),
    ("resolve", "To resolve", "contained → resolved"),
    ("whole", "In all", "detected → resolved"),
)
FEW = 5000  # durations up to which a test is run


def length_of(
    estimate: Estimate | None, *, far: Estimate | None = None, readable: Callable[[float], str] = span
) -> Length | None:
    """Write a median readably; its interval only where both ends exist. None where there is no median."""
    if estimate is None:
        return None
    low, high = ("", "")
    if estimate.low is not None and estimate.high is not None:
        low, high = readable(estimate.low), readable(estimate.high)
    return Length(readable(estimate.value), low, high, readable(far.value) if far else "", estimate.n)


@dataclass(frozen=True, slots=True)
class Spread:
    """Durations in order, with their median and P90."""

    ended: Sequence[float]
    running: Sequence[float]
    median: Estimate | None  # of those that ended
    far: Estimate | None  # the 90th percentile, of ten or more

    @classmethod
    def of(cls, ended: Sequence[float], running: Sequence[float] = ()) -> Self:
        far = statistics.quantile(ended, 0.9) if len(ended) >= 10 else None
        return cls(ended, running, statistics.quantile(ended), far)

    @property
    def middle(self) -> Estimate | None:
        """The median, of all where some are still running: the one in the text, and the line of the chart."""
        return statistics.time_to_half(self.ended, self.running) if self.running else self.median

    def length(self, readable: Callable[[float], str] = span) -> Length | None:
        """The median in words. No P90 while some are running: of those that ended alone it would be too short."""
        return length_of(self.middle, far=None if self.running else self.far, readable=readable)


def phase(known: Known, code: str, label: str, clocks: str) -> Phase:
    now = Spread.of(known.now.length(code), running_for(known.now, code))
    before = Spread.of(known.before.length(code), running_for(known.before, code))
    length, was = now.length(), before.length()
    judged = _shifted(before, now)
    how = [how_lengths(length)] if length else []
    if length and length.far:
        how.append(f"Nine in ten took at most {length.far}.")
    if was and judged:
        how.append(judged.test)
    return Phase(
        code=code,
        label=label,
        help=clocks,
        length=length,
        before=was,
        verdict=f"was {was.value}: {judged.word}" if was and judged else "",
        unusual=judged.unusual if was and judged else False,
        strip=_strip(known, code, now),
        running=len(now.running),
        unknown=known.now.all - len(now.ended) - len(now.running),
        url=known.link(phase=code),
        url_running=known.link(running=code),
        how=tuple(how),
    )


@dataclass(frozen=True, slots=True)
class Shift:
    """Whether durations changed by more than chance explains: the word for it, and the test behind it."""

    unusual: bool
    word: str
    test: str


def _shifted(before: Spread, now: Spread) -> Shift | None:
    """Compare durations; None where there are too few to say.

    Among many thousands a test calls any difference real. There the intervals of the medians are compared, which
    says as much and shows by how much.
    """
    was, became = before.median, now.median
    if min(len(before.ended), len(now.ended)) > FEW and was and became:
        if (became.low or 0) > (was.high or 0) or (became.high or 0) < (was.low or 0):
            return Shift(True, SURE, "The 95 % intervals of the two medians do not overlap.")
        return Shift(False, CHANCE, "The 95 % intervals of the two medians overlap.")
    p = statistics.rank_sum_p(before.ended, now.ended)
    if p is None:
        return None
    counted = f"{len(now.ended):,} that ended now and {len(before.ended):,} before"
    return Shift(p < UNUSUAL, certainty(p), f"Mann–Whitney test of {counted}: p = {chance(p)}.")


def _strip(known: Known, code: str, spread: Spread) -> Strip:
    middle = spread.middle
    median = middle.value if middle else None
    far = spread.far.value if spread.far and not spread.running else None
    dots = known.now.named.get(code, [])
    if len(dots) < len(spread.ended) or len(dots) > NAMED:
        bars = [_bar(known, code, at, count) for at, count in enumerate(charts.binned(spread.ended))]
        return charts.histogram(bars, median=median, far=far)
    lanes = []
    for category in drawn(known.now.of("category"), "category"):
        values = sorted((seconds, number) for seconds, number, of in dots if of == category)
        own = _of_category(known, code, category).middle
        placed = [(float(seconds), f"INC-{number}", reverse("incident", args=[number])) for seconds, number in values]
        lanes.append((taxonomy.category(category).name, category or "none", own.value if own else None, placed))
    return charts.strip(lanes, median=median, far=far)


def _bar(known: Known, code: str, at: int, count: int) -> tuple[int, str, str]:
    low, high = charts.BINS[at], charts.BINS[at + 1]
    ends = ({"at_least": str(low)} if at else {}) | ({"below": str(high)} if at < 23 else {})
    return count, f"{span(low)} to {span(high)}: {count:,}", known.link(phase=code, **ends)


def by_category(known: Known) -> tuple[tuple[str, tuple[tuple[str, int, str], ...]], ...]:
    """The median of each phase by category, counting in what is not over yet, and how many ended."""
    return tuple(
        (taxonomy.category(category).name, tuple(_median(known, code, category) for code, _, _ in PHASES))
        for category in drawn(known.now.of("category"), "category")
    )


def _median(known: Known, code: str, category: str) -> tuple[str, int, str]:
    spread = _of_category(known, code, category)
    median = spread.middle
    url = known.link(phase=code, category=category or "none")
    return span(median.value) if median else "–", len(spread.ended), url


def _of_category(known: Known, code: str, category: str) -> Spread:
    return Spread.of(known.now.length(code, category), running_for(known.now, code, category))
