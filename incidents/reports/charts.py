"""Where things stand in the charts. Drawn on the server as SVG; colours are classes, every mark is a link.

A chart is plain data, so that a saved report draws the same picture years later.
"""

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from incidents.web.durations import span

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 900, 220, 32, 24, 14
ROOM = 1.5  # times as high as what is drawn may an axis be, to show a limit: beyond that the limit would flatten it
STRIP, LANE, NAMES = 680, 15, 130


@dataclass(frozen=True, slots=True)
class ChartMark:
    """A rectangle or, where it has no size, a dot; `label` says what it is, `url` leads to what it stands for."""

    x: float
    y: float
    label: str
    url: str
    tone: str = ""
    width: float = 0
    height: float = 0


@dataclass(frozen=True, slots=True)
class Tick:
    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Columns:
    bars: tuple[ChartMark, ...]
    totals: tuple[ChartMark, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    limit: float | None  # the y of the upper usual limit
    floor: float | None  # and of the lower
    width: int = WIDTH
    height: int = HEIGHT


@dataclass(frozen=True, slots=True)
class ChartPiece:
    """One part of a column."""

    tone: str
    count: int
    label: str
    url: str


def columns(
    months: Sequence[tuple[str, Sequence[ChartPiece]]], *, limit: float | None = None, floor: float | None = None
) -> Columns:
    """Stack the pieces of each month; the axis begins at zero and ends on a round number. A month of none says so.

    A limit far above every column is left out, because it would press all of them flat.
    """
    tallest, limit = _with_room_for(limit, max([sum(piece.count for piece in pieces) for _, pieces in months] + [4]))
    step = _round_up(tallest / 4)
    top = step * math.ceil(tallest / step)
    inner_width, inner_height = WIDTH - LEFT - 4, HEIGHT - BOTTOM - TOP
    slot = inner_width / max(1, len(months))
    base = HEIGHT - BOTTOM

    def y_of(count: float) -> float:
        return round(base - inner_height * count / top, 1)

    bars, totals = [], []
    for position, (_, pieces) in enumerate(months):
        stacked = 0
        x = round(LEFT + slot * position + slot * 0.14, 1)
        for piece in pieces:
            if piece.count:
                upper = y_of(stacked + piece.count)
                height = round(y_of(stacked) - upper, 1)
                bars.append(ChartMark(x, upper, piece.label, piece.url, piece.tone, round(slot * 0.72, 1), height))
                stacked += piece.count
        middle = round(LEFT + slot * (position + 0.5), 1)
        totals.append(ChartMark(middle, round(y_of(stacked) - 3, 1), f"{stacked:,}", ""))
    every = 1 if len(months) <= 13 else 2 if len(months) <= 18 else 3 if len(months) <= 36 else 6
    return Columns(
        bars=tuple(bars),
        totals=tuple(totals) if len(months) <= 26 else (),
        x_ticks=tuple(
            Tick(round(LEFT + slot * (position + 0.5), 1), label)
            for position, (label, _) in enumerate(months)
            if position % every == 0
        ),
        y_ticks=tuple(Tick(y_of(count), f"{count:,}") for count in range(0, top + 1, step)),
        limit=y_of(limit) if limit is not None else None,
        floor=y_of(floor) if floor else None,
    )


def _with_room_for(limit: float | None, tallest: float) -> tuple[float, float | None]:
    """How high an axis must reach, and the limit, where it can be shown."""
    if limit is None or limit > ROOM * tallest:
        return tallest, None
    return max(limit, tallest), limit


def _round_up(step: float) -> int:
    """The next of 1, 2, 5, 10, 20, 50 …"""
    power: int = 10 ** max(0, math.floor(math.log10(max(step, 1))))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= step)


@dataclass(frozen=True, slots=True)
class Lane:
    """One row of a strip: its name, where it is, and its median."""

    y: float
    name: str
    tone: str
    median: float | None


@dataclass(frozen=True, slots=True)
class Strip:
    """Durations on a logarithmic axis: a dot each in lanes, or a histogram where they are many."""

    marks: tuple[ChartMark, ...]
    lanes: tuple[Lane, ...]
    ticks: tuple[Tick, ...]
    median: float | None
    far: float | None  # the 90th percentile
    base: float
    is_histogram: bool
    height: float
    width: int = STRIP


_TIMES = (
    (60, "1 min"),
    (600, "10 min"),
    (3600, "1 h"),
    (6 * 3600, "6 h"),
    (86400, "1 d"),
    (7 * 86400, "1 w"),
    (30 * 86400, "30 d"),
)
FASTEST, SLOWEST = 30.0, 45 * 86400.0


def x_of(seconds: float) -> float:
    """Where a duration stands on the axis; what is beyond its ends stands at them."""
    clamped = min(max(seconds, FASTEST), SLOWEST)
    return round(NAMES + 8 + (STRIP - NAMES - 16) * math.log(clamped / FASTEST) / math.log(SLOWEST / FASTEST), 1)


def strip(
    lanes: Sequence[tuple[str, str, float | None, Sequence[tuple[float, str, str]]]],
    *,
    median: float | None,
    far: float | None,
) -> Strip:
    """Place durations (seconds, label, address) in lanes (name, tone, median, durations): an average would hide how they spread."""
    marks, placed = [], []
    for row, (name, tone, middle, values) in enumerate(lanes):
        y = 4 + LANE * (row + 0.5)
        placed.append(Lane(y, name, tone, None if middle is None else x_of(middle)))
        # Spread by position, not at random: the same report looks the same twice.
        marks += [
            ChartMark(x_of(seconds), round(y - 3 + 3.0 * (position % 3), 1), f"{label}: {span(seconds)}", url, tone)
            for position, (seconds, label, url) in enumerate(values)
        ]
    return _strip(marks, placed, 4 + LANE * max(1, len(lanes)), median, far, is_histogram=False)


BINS = tuple(round(FASTEST * (SLOWEST / FASTEST) ** (step / 24)) for step in range(25))  # seconds


def binned(ordered: Sequence[float]) -> list[int]:
    """How many of these durations, given in order, are in each bar; the first and the last hold what is beyond the axis."""
    below = [0, *(bisect_left(ordered, edge) for edge in BINS[1:-1]), len(ordered)]
    return [after - before for before, after in pairwise(below)]


def histogram(bars: Sequence[tuple[int, str, str]], *, median: float | None, far: float | None) -> Strip:
    """Draw how many durations are in each of BINS (count, label, address)."""
    height = 56.0
    most = max([count for count, _, _ in bars] + [1])
    marks = []
    for number, (count, label, url) in enumerate(bars):
        if count:
            left, right = x_of(BINS[number]), x_of(BINS[number + 1])
            tall = round(max(1.5, (height - 4) * count / most), 1)
            marks.append(ChartMark(left, round(height - tall, 1), label, url, "", round(right - left - 1, 1), tall))
    return _strip(marks, [], height, median, far, is_histogram=True)


def _strip(
    marks: Sequence[ChartMark],
    lanes: Sequence[Lane],
    base: float,
    median: float | None,
    far: float | None,
    *,
    is_histogram: bool,
) -> Strip:
    return Strip(
        marks=tuple(marks),
        lanes=tuple(lanes),
        ticks=tuple(Tick(x_of(seconds), text) for seconds, text in _TIMES),
        median=None if median is None else x_of(median),
        far=None if far is None else x_of(far),
        base=base,
        is_histogram=is_histogram,
        height=base + 16,
    )


@dataclass(frozen=True, slots=True)
class Gaps:
    """Days between rare incidents, one after the other; the last is the time since."""

    marks: tuple[ChartMark, ...]
    path: str
    y_ticks: tuple[Tick, ...]
    limit: float | None
    width: int = WIDTH
    height: int = 150


def gaps(values: Sequence[tuple[float, str, str]], *, limit: float | None) -> Gaps:
    """Draw the days (days, label, address) between incidents from left to right; above the limit is good news."""
    height = 150
    base, top = height - 10, 8
    tallest, limit = _with_room_for(limit, max([days for days, _, _ in values] + [4]))
    step = _round_up(tallest / 3)
    slot = (WIDTH - LEFT - 16) / max(1, len(values) - 1)

    def y_of(days: float) -> float:
        return round(base - (base - top) * days / (step * math.ceil(tallest / step)), 1)

    marks = tuple(
        ChartMark(round(LEFT + 8 + slot * position, 1), y_of(days), label, url)
        for position, (days, label, url) in enumerate(values)
    )
    return Gaps(
        marks=marks,
        path=" ".join(f"{mark.x},{mark.y}" for mark in marks),
        y_ticks=tuple(Tick(y_of(days), f"{days:,}") for days in range(0, step * math.ceil(tallest / step) + 1, step)),
        limit=None if limit is None else y_of(limit),
    )
