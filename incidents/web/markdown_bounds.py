"""Which texts are not given to the Markdown parser, because it would take too long over them.

Python-Markdown needs quadratic time for some texts that nobody writes by hand: ten thousand “[” take it minutes. What a text
will cost is estimated here, in linear time, before it is parsed: for each construct that is known to be dear, how often it
occurs times how much text the parser looks through for its end. Real documents of 100,000 characters stay far below.
"""

import re
from collections.abc import Iterator

LONGEST = 100_000  # characters
MOST_LINES = 5_000  # outside of code
MOST_MARKS = 15_000  # anything that may become an element: 30 µs each
MOST_PIPES = 10_000  # cells of tables
MOST_NOTES = 300  # footnotes and references to them
DEEPEST = 30  # lists and quotes within each other
WIDEST = 60  # columns of indentation and quotation marks

# Budgets of “how often × how many characters are looked through”. Each is worth about 0.3 s, and they are spent together.
_BRACKETS, _EMPHASIS, _BLOCKS, _FENCES, _TAGS = 2_000_000, 100_000_000, 20_000_000, 40_000_000, 5_000_000

_FENCE = re.compile(r"[> \t]*(`{3,}|~{3,})")
_OPENING = re.compile(r"(`{3,}|~{3,})[ ]*[\w#.+-]*[ ]*$")  # only of such a fence is it certain that it begins code
_MARKS = re.compile(r"[\[!<`*_~&\\]")
_EMPHASIS_MARKS = re.compile(r"[`*_~]")
_MARGIN = re.compile(r"[> \t]*")
_NESTED = re.compile(r"[ \t]*((?:(?:[>*+-]|\d+[.)])[ \t]*)+)")  # “> - 1. ”
_NESTING = re.compile(r"[>*+-]|\d+[.)]")
_ITEMS = (re.compile(r"[*+-] "), re.compile(r"\d+\. "))  # a list has items of one kind
# Lines that the parser takes off the front of a block, looking through the rest of it each time: headings and the lines under
# them, rules, definitions, empty items.
_BLOCK_LINE = re.compile(r"#|=+[ \t]*$|[-*_ \t]+$|\[[^\]]*\]:|(?:[*+-]|\d+\.)[ \t]*$")
# A tag that does not end before the next one begins; declarations and comments always count, for they end elsewhere.
_OPEN_TAG = re.compile(r"<[!?]|<[a-zA-Z/][^<>]*(?=<|\Z)|<[a-zA-Z/][^<>\"']*[\"'][^<>\"']*>")


def is_too_much(text: str) -> bool:
    """Whether the text is too long, or too deeply or densely marked up, to be formatted in half a second."""
    if len(text) > LONGEST:
        return True
    lines, fences = _outside_code(text)
    prose = "\n".join(lines)
    return (
        len(lines) > MOST_LINES
        or len(_MARKS.findall(prose)) > MOST_MARKS
        or prose.count("|") > MOST_PIPES
        or prose.count("[^") > MOST_NOTES
        or any(_is_too_deep(line) for line in lines)
        or _cost(lines) + fences * len(text) / _FENCES + len(_OPEN_TAG.findall(prose)) * len(prose) / _TAGS > 1
    )


def _outside_code(text: str) -> tuple[list[str], int]:
    """The lines outside of fenced code, and how many fences there are. What may not be code in the parser's eyes is none."""
    lines: list[str] = []
    held: list[str] = []
    fence, fences = "", 0
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        fences += bool(_FENCE.match(line))
        if not fence:
            opening = _OPENING.match(line)
            fence, held = (opening[1], [line]) if opening else ("", [])
            lines += [] if opening else [line]
        elif line.rstrip(" ") == fence:
            fence = ""
        else:
            held.append(line)
    return (lines + held if fence else lines), fences


def _is_too_deep(line: str) -> bool:
    margin = _MARGIN.match(line)
    if margin and len(margin[0]) > WIDEST:
        return True
    nested = _NESTED.match(line)
    marks = len(_NESTING.findall(nested[1])) if nested else 0
    return marks > DEEPEST and not _BLOCK_LINE.match(line)


def _cost(lines: list[str]) -> float:
    """The estimate, as a share of what is allowed, for everything that the parser looks for within one block."""
    brackets = emphasis = blocks = 0
    for block in _blocks(lines):
        blocks += sum(bool(_BLOCK_LINE.match(line)) for line in block) * _length(block)
        for run in _runs(block):
            brackets += sum(line.count("[") for line in run) * _length(run)
            emphasis += sum(len(_EMPHASIS_MARKS.findall(line)) for line in run) * _length(run)
    return brackets / _BRACKETS + emphasis / _EMPHASIS + blocks / _BLOCKS


def _length(lines: list[str]) -> int:
    return sum(map(len, lines)) + len(lines)


def _blocks(lines: list[str]) -> Iterator[list[str]]:
    """What stands between empty lines, without its margin."""
    block: list[str] = []
    for line in [*(line.lstrip("> \t") for line in lines), ""]:
        if line:
            block.append(line)
        elif block:
            yield block
            block = []


def _runs(block: list[str]) -> Iterator[list[str]]:
    """The parts of a block through which one mark is followed: items of a list, rows of a table, else all of it."""
    item = next((item for item in _ITEMS if item.match(block[0])), None)
    is_table = _is_table(block)
    run: list[str] = []
    for line in block:
        if run and (is_table or (item and item.match(line))):
            yield run
            run = []
        run.append(line)
    yield run


def _is_table(block: list[str]) -> bool:
    """Whether it certainly is one: the parser takes what looks like one and has other columns below its head for a paragraph."""
    if len(block) < 2 or not block[1] or set(block[1]) - set("|:- ") or set(block[0]) & set("\\`"):
        return False
    columns = [line.strip(" ").strip("|").count("|") for line in block[:2]]
    return columns[0] == columns[1] > 0
