"""Where things stand in the charts. Drawn on the server as SVG; colours are classes, every mark is a link."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from incidents.reports.statistics import Estimate
from incidents.templatetags.ui import span

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 720, 220, 28, 24, 10


@dataclass(frozen=True, slots=True)
class Bar:
    x: float
    y: float
    width: float
    height: float
    tone: str
    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Tick:
    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Columns:
    bars: tuple[Bar, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    limit: float | None  # the y of the upper usual limit
    width: int = WIDTH
    height: int = HEIGHT


@dataclass(frozen=True, slots=True)
class Piece:
    """One part of a column."""

    tone: str
    count: int
    label: str
    url: str


def columns(months: Sequence[tuple[str, Sequence[Piece]]], *, limit: float | None = None) -> Columns:
    """Stack the pieces of each month; the axis begins at zero and ends on a round number."""
    tallest = max([sum(piece.count for piece in pieces) for _, pieces in months] + [limit or 0, 4])
    step = max(1, math.ceil(tallest / 4))
    top = step * math.ceil(tallest / step)
    inner_width, inner_height = WIDTH - LEFT - 4, HEIGHT - BOTTOM - TOP
    slot = inner_width / max(1, len(months))
    base = HEIGHT - BOTTOM

    def y_of(count: float) -> float:
        return round(base - inner_height * count / top, 1)

    bars = []
    for position, (_, pieces) in enumerate(months):
        stacked = 0
        for piece in pieces:
            if piece.count:
                upper = y_of(stacked + piece.count)
                x = round(LEFT + slot * position + slot * 0.14, 1)
                height = round(y_of(stacked) - upper, 1)
                bars.append(Bar(x, upper, round(slot * 0.72, 1), height, piece.tone, piece.label, piece.url))
                stacked += piece.count
    every = 1 if len(months) <= 9 else 2 if len(months) <= 18 else 3
    return Columns(
        bars=tuple(bars),
        x_ticks=tuple(
            Tick(round(LEFT + slot * (n + 0.5), 1), label) for n, (label, _) in enumerate(months) if n % every == 0
        ),
        y_ticks=tuple(Tick(y_of(count), str(count)) for count in range(0, top + 1, step)),
        limit=y_of(limit) if limit is not None else None,
    )


@dataclass(frozen=True, slots=True)
class Dot:
    x: float
    y: float
    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Strip:
    dots: tuple[Dot, ...]
    ticks: tuple[Tick, ...]
    median: float | None
    far: float | None  # the 90th percentile
    width: int = 520
    height: int = 56


_TIMES = (
    (60, "1 min"),
    (600, "10 min"),
    (3600, "1 h"),
    (6 * 3600, "6 h"),
    (86400, "1 d"),
    (7 * 86400, "1 w"),
    (30 * 86400, "30 d"),
)
_FASTEST, _SLOWEST = 30.0, 45 * 86400.0


def strip(values: Sequence[tuple[float, str, str]], *, median: Estimate | None, far: Estimate | None) -> Strip:
    """Place durations (seconds, label, address) on a logarithmic axis: an average would hide how they spread."""
    width = 520

    def x_of(seconds: float) -> float:
        clamped = min(max(seconds, _FASTEST), _SLOWEST)
        return round(8 + (width - 16) * math.log(clamped / _FASTEST) / math.log(_SLOWEST / _FASTEST), 1)

    dots = tuple(
        # Spread over four rows by position, not at random: the same report looks the same twice.
        Dot(x_of(seconds), 10 + 7.0 * (position % 4), f"{label}: {span(seconds)}", url)
        for position, (seconds, label, url) in enumerate(values)
    )
    return Strip(
        dots=dots,
        ticks=tuple(Tick(x_of(seconds), text) for seconds, text in _TIMES),
        median=x_of(median.value) if median else None,
        far=x_of(far.value) if far and far.n >= 10 else None,
    )
