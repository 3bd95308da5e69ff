"""Action items in Markdown, as lists and tables, with their owners and days. Pure."""

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import zip_longest

from incidents.postmortems.dates import DAY_IN_TEXT, moments
from incidents.postmortems.portable import Promise, as_text

LONGEST_LINE = 1000  # characters; a longer one is text
_ITEM = re.compile(r" {0,3}(?:[-*+]|\d{1,3}[.)])\s+(?:\[([ xX])\]\s*)?(\S.*)")
_DUE = re.compile(rf"(?i)\b(?:due|by|until|deadline)\b[: ]*(?:on )?({DAY_IN_TEXT})")
_OWNER = re.compile(r"(?i)\b(?:owners?|assignee|assigned to|responsible)\b *[:=]? *([^,;()|]+)")
_STATES = {
    "open": "open",
    "todo": "open",
    "to do": "open",
    "in progress": "in_progress",
    "done": "done",
    "closed": "done",
    "complete": "done",
    "completed": "done",
    "won’t do": "wont_do",
    "won't do": "wont_do",
}
_COLUMNS = {
    "title": (
        "action item",
        "action",
        "item",
        "task",
        "what",
        "todo",
        "title",
        "description",
        "follow-up",
        "action items",
    ),
    "owner": ("owner", "owners", "assignee", "who", "responsible"),
    "due_on": ("due", "due date", "deadline", "when", "date"),
    "priority": ("priority", "prio"),
    "state": ("status", "state", "done"),
}


def take_actions(text: str) -> tuple[list[Promise], str]:
    """The action items of a part, and the text that is none of them."""
    found: list[Promise] = []
    rest: list[str] = []
    lines = text.split("\n")
    place = 0
    while place < len(lines):
        line = lines[place]
        if len(line) > LONGEST_LINE:
            rest.append(line)
            place += 1
            continue
        if (rows := _table(lines, place)) is not None:
            found += rows[0]
            rest += rows[1]
            place = rows[2]
            continue
        if item := _ITEM.match(line):
            promise = _from_line(item[2], done=bool(item[1] and item[1] in "xX"))
            below = _below(lines, place + 1)
            promise.description = "\n".join(part.strip() for part in below)
            found.append(promise)
            place += len(below)
        else:
            rest.append(line)
        place += 1
    return found, "\n".join(rest).strip()


def _below(lines: list[str], start: int) -> list[str]:
    """The lines that belong to the item before them: those that are indented."""
    end = start
    while (
        end < len(lines) and lines[end].strip() and lines[end].startswith(("  ", "\t")) and not _ITEM.match(lines[end])
    ):
        end += 1
    return lines[start:end]


def _from_line(text: str, *, done: bool) -> Promise:
    promise = Promise(title=text.strip(), state="done" if done else "open")
    if priority := re.match(r"(?:\*\*|\[)?(P[0-3])(?:\*\*|\])?[: -]+(?=\S)", promise.title):
        promise.priority, promise.title = priority[1], promise.title[priority.end() :]
    bracket = re.search(r"\s*\(([^()]*)\)[. ]*$", promise.title)
    if bracket and _all_understood(bracket[1], promise):
        promise.title = promise.title[: bracket.start()]
        return promise
    if due := _DUE.search(promise.title):
        _set_due(promise, due[1])
    if owner := _OWNER.search(promise.title) or re.search(r"(?<![\w/@.])(@[\w.+-]+)", promise.title):
        promise.owner = owner[1].strip(" .*_")
    return promise


def _all_understood(words: str, promise: Promise) -> bool:
    """Whether each piece between brackets is an owner, a day or a state; then they are set."""
    understood = replace(promise)
    pieces = [piece.strip() for piece in re.split(r"[,;]", words) if piece.strip()]
    unclear = []
    for piece in pieces:
        if due := _DUE.fullmatch(piece) or re.fullmatch(f"({DAY_IN_TEXT})", piece):
            if not _set_due(understood, due[1]):
                return False
        elif piece.lower() in _STATES:
            understood.state = "done" if promise.state == "done" else _STATES[piece.lower()]
        elif owner := _OWNER.fullmatch(piece) or re.fullmatch(r"(@[\w.+-]+|\S+@\S+)", piece):
            understood.owner = owner[1].strip()
        elif piece.lower() != "no owner":
            unclear.append(piece)
    if len(unclear) == 1 and len(pieces) > 1 and unclear[0] == pieces[0] and not understood.owner:
        understood.owner, unclear = unclear[0], []
    if unclear or not pieces:
        return False
    promise.owner, promise.due_on, promise.state = understood.owner, understood.due_on, understood.state
    return True


def _set_due(promise: Promise, words: str) -> bool:
    days = moments(words)
    if len(days) == 1:
        promise.due_on = days[0].date()
    return len(days) == 1


def _table(lines: list[str], start: int) -> tuple[list[Promise], list[str], int] | None:
    """The rows of a table of action items that begins here, its lines that say something but no title, and where it ends."""
    if (
        start + 1 >= len(lines)
        or len(lines[start + 1]) > LONGEST_LINE
        or not re.fullmatch(r"[ |:-]*-{2,}[ |:-]*", lines[start + 1])
        or "|" not in lines[start]
    ):
        return None
    heads = [head.lower().strip("* ") for head in _cells(lines[start])]
    columns = [next((name for name, names in _COLUMNS.items() if head in names), "") for head in heads]
    if "title" not in columns:
        return None
    end = start + 2
    while end < len(lines) and "|" in lines[end]:
        end += 1
    rows = [(line, _from_row(heads, columns, _cells(line))) for line in lines[start + 2 : end]]
    untitled = [line for line, row in rows if not row.title and line.strip("| \t")]
    return [row for _, row in rows if row.title], untitled, end


def _from_row(heads: list[str], columns: list[str], cells: list[str]) -> Promise:
    promise = Promise(state="open")
    beside: list[str] = []
    for head, column, cell in zip_longest(heads, columns, cells, fillvalue=""):
        if not cell:
            continue
        if column == "due_on" and _set_due(promise, cell):
            continue
        if column == "state" and cell.lower() in _STATES:
            promise.state = _STATES[cell.lower()]
        elif column == "priority" and re.fullmatch(r"[pP][0-3]", cell):
            promise.priority = cell.upper()
        elif (column == "title" and not promise.title) or column == "owner":
            setattr(promise, column, cell)
        else:
            beside.append(f"{head.capitalize()}: {cell}" if head else cell)
    promise.description = "\n".join(beside)
    return promise


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]


def from_front_matter(value: object) -> Iterator[Promise | str]:
    """Action items in front matter: lines, or tables of title, owner, due and priority; what is neither comes back as words."""
    for row in value if isinstance(value, list) else [value]:
        if isinstance(row, str):
            yield _from_line(row[:LONGEST_LINE], done=False)
        elif isinstance(row, dict):
            heads = [as_text(key).lower() for key in row]
            columns = [next((name for name, names in _COLUMNS.items() if head in names), "") for head in heads]
            promise = _from_row(heads, columns, ["" if cell is None else as_text(cell) for cell in row.values()])
            yield promise if promise.title else as_text(row)
        else:
            yield as_text(row)
