"""How a story is told: a way in which a system fails, as its monitor sees it, and the times that it happened."""

from dataclasses import dataclass
from decimal import Decimal

from incidents.response.impact import Exposure, Harm, Oversight, Reversible
from incidents.response.vocabulary import NoticedBy, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What it took in money, work or tokens: an amount that was added up, or so much for each that it reached."""

    unit: str  # a currency, hours or tokens
    how: str  # how one knows
    amount: Decimal | int | None = None
    each: Decimal | int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One incident: what people saw, what lay behind it, and what they took from it."""

    title: str
    summary: str
    cause: str
    lesson: str
    follow_ups: tuple[str, ...]
    change: tuple[str, str] = ("", "")  # kind and title of what was altered before; empty where nothing was
    noticed_by: str = NoticedBy.MONITOR
    repeats: str = ""  # the title of the earlier one that it repeats
    months: tuple[int, ...] = ()  # of the year, where it belongs to a season
    judged: tuple[Severity, str] | None = None  # the severity that people gave it against the numbers, and why
    costs: tuple[Cost, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """What a monitor watches: its name there, its metric, and the words in which it fires."""

    monitor: str  # see monitors.py
    alert: str
    metric: str
    says: str  # with {value} or, as a percentage, {share}
    threshold: float
    reads: tuple[float, float]  # between which it was when it fired


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A way in which a system fails: what shows it, what limits it, how far it usually reaches, and when it happened."""

    system: str
    mode: str
    signal: Signal | None  # None: no monitor sees it
    containment: str
    of: Exposure.Of
    scale: tuple[int, int]  # how many it usually reaches
    how: str  # how one knows how many
    happened: tuple[Happening, ...]
    harm: Harm = Harm.EVENT
    reversible: Reversible = Reversible.REVERSIBLE
    oversight: Oversight = Oversight.ABSENT
