"""Two people's texts over the one that both began with, put together line by line.

The three-way merge of diff3 (Khanna, Kunal and Pierce, "A Formal Investigation of Diff3", 2007): lines that both
kept are the anchors; between two anchors the one who changed something wins, and where both did, and differently,
it is a conflict that people settle. What either typed is in the merge or in a conflict, never in neither.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

_MOST_LINES = 4_000  # beyond, difflib's quadratic worst case would be felt: such texts conflict as a whole


Lines = list[str]
Stretch = tuple[Lines, tuple[Lines, Lines, Lines]]


@dataclass(frozen=True, slots=True)
class TextPiece:
    """A stretch of the merged text; `theirs` is None where there is nothing to settle."""

    mine: str
    theirs: str | None = None

    @property
    def is_conflict(self) -> bool:
        return self.theirs is not None


@dataclass(frozen=True, slots=True)
class Merge:
    pieces: tuple[TextPiece, ...]

    @property
    def is_clean(self) -> bool:
        return not any(piece.is_conflict for piece in self.pieces)

    @property
    def text(self) -> str:
        """The merged text; where people have to choose, both texts, one after the other."""
        return "\n".join(text for piece in self.pieces for text in (piece.theirs, piece.mine) if text is not None)


def merge(base: str, mine: str, theirs: str) -> Merge:
    """Put `mine` and `theirs`, both made from `base`, together."""
    if mine == theirs or theirs == base:
        return Merge((TextPiece(mine),))
    if mine == base:
        return Merge((TextPiece(theirs),))
    old, left, right = base.split("\n"), mine.split("\n"), theirs.split("\n")
    if max(len(old), len(left), len(right)) > _MOST_LINES:
        return Merge((TextPiece(mine, theirs),))
    return Merge(tuple(_pieces(old, left, right)))


def _pieces(old: list[str], mine: list[str], theirs: list[str]) -> Iterator[TextPiece]:
    calm: Lines = []
    left: Lines = []
    right: Lines = []
    for unchanged, (was, here, there) in _by_line(_stretches(old, mine, theirs)):
        settled = here if here == there or there == was else there if here == was else None
        if settled is None:
            if calm:
                yield TextPiece("\n".join(calm))
                calm = []
            left, right = left + here, right + there
        if (settled or unchanged) and left + right:
            yield TextPiece("\n".join(left), "\n".join(right))
            left, right = [], []
        calm += [*(settled or []), *unchanged]
    if left + right:
        yield TextPiece("\n".join(left), "\n".join(right))
    if calm:
        yield TextPiece("\n".join(calm))


def _by_line(stretches: Iterator[Stretch]) -> Iterator[Stretch]:
    """Take stretches of equally many lines apart: who changed one line does not touch the next."""
    for unchanged, (was, here, there) in stretches:
        if len(was) == len(here) == len(there):
            for lines in zip(was, here, there, strict=True):
                yield [], ([lines[0]], [lines[1]], [lines[2]])
            yield unchanged, ([], [], [])
        else:
            yield unchanged, (was, here, there)


def _stretches(old: Lines, mine: Lines, theirs: Lines) -> Iterator[Stretch]:
    """What lies before each run of lines that nobody touched, and that run."""
    here, there = _matches(old, mine), _matches(old, theirs)
    o = m = t = 0
    for start, end in _runs(here, there, len(old)):
        yield old[start:end], (old[o:start], mine[m : here[start]], theirs[t : there[start]])
        o, m, t = end, here[end - 1] + 1, there[end - 1] + 1
    yield [], (old[o:], mine[m:], theirs[t:])


def _matches(old: Lines, new: Lines) -> dict[int, int]:
    """Which line of `old` is which line of `new`."""
    blocks = SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks()
    return {block.a + n: block.b + n for block in blocks for n in range(block.size)}


def _runs(here: dict[int, int], there: dict[int, int], length: int) -> Iterator[tuple[int, int]]:
    """Runs of lines of the old text that stand together in both new ones."""
    start = None
    for line in range(length + 1):
        both = line in here and line in there
        follows = both and start is not None and here[line] == here[line - 1] + 1 and there[line] == there[line - 1] + 1
        if start is not None and not follows:
            yield start, line
            start = None
        if both and start is None:
            start = line


@dataclass(frozen=True, slots=True)
class Word:
    """A run of words of a comparison: kept, added or taken out."""

    how: str  # "", "ins" or "del"
    text: str


def compare(was: str, now: str) -> list[Word]:
    """The difference between two texts for a reader: by words, with the white space between them."""
    old, new = _words(was), _words(now)
    if len(old) + len(new) > 20_000:
        return [Word("del", was), Word("ins", now)]
    words: list[Word] = []
    for what, a, b, c, d in SequenceMatcher(None, old, new, autojunk=len(old) > 2_000).get_opcodes():
        if what == "equal":
            words.append(Word("", "".join(old[a:b])))
            continue
        words += [Word("del", "".join(old[a:b]))] if b > a else []
        words += [Word("ins", "".join(new[c:d]))] if d > c else []
    return words


def is_rewritten(words: list[Word]) -> bool:
    """Whether more than half of both texts, by letters, was taken out and put in, and something of each."""
    sizes = {"": 0, "ins": 0, "del": 0}
    for word in words:
        sizes[word.how] += len("".join(word.text.split()))
    return min(sizes["ins"], sizes["del"]) > 0 and sizes["ins"] + sizes["del"] > 2 * sizes[""]


def _words(text: str) -> list[str]:
    return re.findall(r"\s+|[\w’'-]+|[^\w\s]", text)
