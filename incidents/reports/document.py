"""The shapes of a report: plain data, so that it is drawn, exported and frozen as it is.

The names of fields are in saved reports and in the API: they stay, whatever the classes are called.
"""

from dataclasses import dataclass

from incidents.reports.charts import ChartPiece, Columns, Gaps, Strip
from incidents.reports.statistics import Proportion


@dataclass(frozen=True, slots=True)
class Remark:
    """A sentence, and where its rows are."""

    text: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class BreakdownRow:
    """One line of a breakdown."""

    label: str
    code: str
    count: int
    before: int
    url: str
    url_before: str
    p: float
    unusual: bool
    # Per 30 days, where the two periods differ in length and counts side by side would mislead; else empty.
    rate: str = ""
    rate_before: str = ""


@dataclass(frozen=True, slots=True)
class Share:
    """k of n with its interval in percent, and the addresses of both."""

    k: int
    n: int
    low: int
    high: int
    url: str
    url_of_all: str

    def __str__(self) -> str:
        return f"{self.k:,} of {self.n:,}"


@dataclass(frozen=True, slots=True)
class Tile:
    label: str
    value: str
    note: str
    url: str
    unusual: bool = False
    more: tuple[Remark, ...] = ()  # after the note, each with its own rows
    how: tuple[str, ...] = ()  # how one knows: n, interval and test


@dataclass(frozen=True, slots=True)
class Volume:
    by: str
    legend: tuple[tuple[str, str], ...]  # tone and name
    columns: Columns
    table: tuple[tuple[str, tuple[ChartPiece, ...], int, str], ...]
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
    how: tuple[str, ...] = ()  # n, interval and test


@dataclass(frozen=True, slots=True)
class Grid:
    """Category × system, with the lines of the systems that had most."""

    columns: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str, tuple[tuple[int, str], ...], int, str], ...]
    left_out: int


@dataclass(frozen=True, slots=True)
class ExposureRow:
    """What incidents say of one unit, added up, in its smallest parts (response/quantities.py); each currency by itself."""

    label: str
    said: Share
    unit: str
    affected: int
    low: int
    high: int
    corrected: int
    correction_known: int


@dataclass(frozen=True, slots=True)
class ContainmentUse:
    """A containment: in how many incidents, and whether it worked there."""

    label: str
    count: int
    url: str
    said: tuple[tuple[str, int, str], ...]


@dataclass(frozen=True, slots=True)
class MissedSignal:
    """A failure mode that others noticed first, and what would have shown it."""

    label: str
    others: Share
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
    breakdowns: tuple[tuple[str, str, tuple[BreakdownRow, ...]], ...]  # dimension, title, lines
    luck: str
    phases: tuple[Phase, ...]
    by_category: tuple[tuple[str, tuple[tuple[str, int, str], ...]], ...]
    grid: Grid
    noticed_by_us: Share | None
    noticed: tuple[BreakdownRow, ...]
    missed: tuple[MissedSignal, ...]
    precision: Share | None
    exposure: tuple[ExposureRow, ...]
    repeats: Share | None
    used: tuple[ContainmentUse, ...]
    near_misses: BreakdownRow
    hours: tuple[BreakdownRow, ...]
    people: Length | None
    called_often: str
    draft_how: tuple[tuple[str, ...], ...] = ()  # how one knows each sentence of the draft


def share(proportion: Proportion | None, url: str, url_of_all: str) -> Share | None:
    """Give a proportion its addresses, and its interval in whole percent; None for 0 of 0."""
    if proportion is None:
        return None
    low, high = round(100 * proportion.low), round(100 * proportion.high)
    return Share(proportion.k, proportion.n, low, high, url, url_of_all)
