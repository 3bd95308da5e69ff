"""The six clocks as one line from left to right: where each mark, part and label stands. Pure; everything is in the caller's hand.

Across, places are per cent of the line, so that the server draws what fits every width; down, they are pixels. Labels of
marks in the left half run to the right below the line, those of the right half to the left above it. Each of the two
stacks is worked out for the narrowest line: on a wider one labels only move apart.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

from incidents.response.vocabulary import CLOCKS

NARROWEST = 240  # pixels: the line on a phone of 320
LETTER, GAP, ROW, BAR = 6.6, 10, 15, 10  # pixels: a letter at its widest, between labels, of a row, of the line
FIRST, LAST = 2.0, 98.0  # where the line begins and ends, so that marks at either end are whole
STUB = 16.0  # what stands for a start that nobody knows
SHORTEST = 8.0  # the least that a step is drawn
AT_ONCE = timedelta(minutes=1)  # clocks that close to one another share a mark: people say no more than minutes


@dataclass(slots=True)
class Mark:
    """A clock on the line; `is_known` is False where it stands in a part about which nobody knows when it was."""

    name: str
    label: str
    x: float
    is_known: bool = True
    row: int = 0

    @property
    def kind(self) -> str:
        return "now" if self.name == "now" else "known" if self.is_known else "unknown"

    @property
    def is_above(self) -> bool:
        return self.x >= 50

    @property
    def width(self) -> float:
        """Of its label, at the most, in pixels."""
        return len(self.label) * LETTER + GAP


@dataclass(frozen=True, slots=True)
class Part:
    """What lies between two marks: silence, range (the start is somewhere in it), gap (a clock in it is unknown), rest."""

    kind: str
    x: float
    width: float


@dataclass(slots=True)
class Track:
    parts: list[Part]
    marks: list[Mark]
    is_compressed: bool
    above: int = field(init=False)
    below: int = field(init=False)

    def __post_init__(self) -> None:
        self.above = _stack([mark for mark in self.marks if mark.is_above])
        self.below = _stack([mark for mark in self.marks if not mark.is_above])

    @property
    def bar(self) -> int:
        """Where the line begins, from the top."""
        return self.above * ROW + 4

    @property
    def height(self) -> int:
        return self.bar + BAR + 4 + self.below * ROW

    @property
    def middle(self) -> float:
        return self.bar + BAR / 2

    @property
    def labels(self) -> list[tuple[Mark, int, int]]:
        """Each mark with where its label stands, from the top: the line of its letters, and the end of what leads there."""
        return [
            (mark, self.bar - 7 - mark.row * ROW, self.bar - 4 - mark.row * ROW - 9)
            if mark.is_above
            else (mark, (down := self.bar + BAR + 4 + mark.row * ROW) + 11, down + 10)
            for mark in self.marks
        ]


def track(
    clocks: dict[str, datetime | None],
    *,
    unknown: Iterable[str],
    until: datetime | None = None,
    now: datetime | None = None,
) -> Track:
    """Lay out the clocks that are known, and those that are `unknown` although they have passed.

    `until` is the latest start of the impact, where that is a range; `now` is given while the incident is open.
    """
    known = {name: at for name in CLOCKS if (at := clocks.get(name))}
    moments = sorted({*known.values(), *filter(None, (until, now))})
    slots = _slots(moments, now)
    missing = [name for name in CLOCKS if name in set(unknown) and name not in known]
    spans = {name: _between(name, known, now) for name in missing}
    begin = FIRST + (STUB if any(span is None for span in spans.values()) else 0)
    widths, is_compressed = _widths([later - earlier for earlier, later in pairwise(slots)], LAST - begin)
    places = [round(begin + sum(widths[:number]), 2) for number in range(len(slots))]
    slot_of = {at: max(n for n, slot in enumerate(slots) if slot <= at) for at in moments}
    place_of = {at: places[slot] for at, slot in slot_of.items()}
    marks = [Mark(name, label, place_of[known[name]]) for name, label in CLOCKS.items() if name in known]
    marks += _unknown_marks(missing, spans, place_of, begin)
    if now:
        marks.append(Mark("now", "now", place_of[now]))
    stretches = [("gap", *span) for span in spans.values() if span] + _stretches(known, until)
    kinds = [
        next((kind for kind, first, last in stretches if slot_of[first] <= step < slot_of[last]), "rest")
        for step in range(len(widths))
    ]
    parts = [Part("gap", FIRST, begin - FIRST)] if begin > FIRST else []
    parts += [Part(*part) for part in zip(kinds, places, widths, strict=False)]
    return Track(parts, sorted(marks, key=lambda mark: mark.x), is_compressed)


def _stretches(known: dict[str, datetime], until: datetime | None) -> list[tuple[str, datetime, datetime]]:
    """From when to when the start may have been, and how long nobody noticed; the first that fits a step names it."""
    began, detected = known.get("impact_started_at"), known.get("detected_at")
    if began is None:
        return []
    ends = (("range", until), ("silence", detected))
    return [(kind, began, end) for kind, end in ends if end]


def _slots(moments: Sequence[datetime], now: datetime | None) -> list[datetime]:
    """The moments without those that follow another at once; what is open has an end of its own."""
    slots: list[datetime] = []
    for at in moments:
        if not slots or at - slots[-1] >= AT_ONCE or at == now:
            slots.append(at)
    return slots


def _widths(steps: list[timedelta], whole: float) -> tuple[list[float], bool]:
    """How wide each step is drawn, and whether some are wider than to scale: none is narrower than can be seen."""
    lengths = [step.total_seconds() for step in steps]
    least = min(SHORTEST, whole / max(len(lengths), 1) / 2)
    short: set[int] = set()
    while True:
        rest = sum(length for number, length in enumerate(lengths) if number not in short)
        scale = (whole - least * len(short)) / rest if rest else 0.0
        too_short = {number for number, length in enumerate(lengths) if length * scale < least} - short
        if not too_short:
            break
        short |= too_short
    return [round(least if n in short else length * scale, 2) for n, length in enumerate(lengths)], bool(short)


def _between(name: str, known: dict[str, datetime], now: datetime | None) -> tuple[datetime, datetime] | None:
    """Between which known moments an unknown clock lies; None where nothing is known before it."""
    order = list(CLOCKS)
    before = [at for other, at in known.items() if order.index(other) < order.index(name)]
    after = [at for other, at in known.items() if order.index(other) > order.index(name)] + ([now] if now else [])
    if not before:
        return None
    return max(before), min(after, default=max(before))


def _unknown_marks(
    missing: list[str],
    spans: dict[str, tuple[datetime, datetime] | None],
    place_of: dict[datetime, float],
    begin: float,
) -> list[Mark]:
    """Marks of clocks that nobody knows, spread over the part in which they lie."""
    marks = []
    for name in missing:
        span = spans[name]
        together = [other for other in missing if spans[other] == span]
        start, end = (place_of[span[0]], place_of[span[1]]) if span else (FIRST, begin)
        share = (
            together.index(name) / len(together) if span is None else (together.index(name) + 1) / (len(together) + 1)
        )
        marks.append(Mark(name, f"{CLOCKS[name]}?", round(start + (end - start) * share, 2), is_known=False))
    return marks


def _stack(marks: list[Mark]) -> int:
    """Give each label of one side its row, counted from the line, so that no two overlap; returns how many rows there are.

    A label stands beyond all those that it would cross or whose leading lines it would: they all lie on its way inwards.
    Of those at one place the earliest is read first, from the top.
    """
    if not marks:
        return 0
    above = marks[0].is_above
    # From the inside outwards: seen from the edge of the line, each label runs inwards, over the places of those before.
    order = {name: number for number, name in enumerate([*CLOCKS, "now"])}
    ordered = sorted(
        marks, key=lambda mark: (mark.x if above else -mark.x, -order[mark.name] if above else order[mark.name])
    )
    done: list[Mark] = []
    for mark in ordered:
        reach = mark.width / NARROWEST * 100
        crossed = [other.row for other in done if abs(other.x - mark.x) < reach]
        mark.row = max(crossed, default=-1) + 1
        done.append(mark)
    return max(mark.row for mark in marks) + 1
