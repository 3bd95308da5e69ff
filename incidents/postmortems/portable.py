"""A postmortem as one text that another Faultline reads back whole: front matter for machines, Markdown for people.

`write` and `parse` are inverse. What is read back is the front matter, and the texts between the marks; everything else
of the body is a copy of the front matter for people. The marks are comments, which no Markdown shows; where a text holds
the same words, another mark is chosen. Pure: nothing here asks the database.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime
from typing import Any

import yaml

from incidents.texts import one_line

FORMAT = 1
MOST_NODES, DEEPEST, LONGEST_MATTER = 60_000, 12, 600_000  # of front matter: values, levels, characters
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(slots=True)
class Covered:
    """One incident that a postmortem is about. Only clocks that are known are there; moments are UTC."""

    number: int = 0
    title: str = ""
    system: str = ""
    severity: str = ""
    category: str = ""
    failure_mode: str = ""
    noticed_by: str = ""
    lead: str = ""
    private: bool = False
    impact_method: str = ""
    clocks: dict[str, datetime] = field(default_factory=dict)


@dataclass(slots=True)
class FactLine:
    section: str = ""
    label: str = ""
    text: str = ""
    source: str = ""
    edited_by: str = ""
    record: str = ""


@dataclass(slots=True)
class FactorLine:
    group: str = ""
    factor: str = ""
    text: str = ""
    evidence: str = ""


@dataclass(slots=True)
class Promise:
    """A follow-up as it is written down."""

    title: str = ""
    incident: int = 0
    type: str = ""
    priority: str = ""
    state: str = ""
    owner: str = ""
    due_on: date | None = None
    description: str = ""
    check: str = ""
    outcome: str = ""
    created_at: datetime | None = None
    finished_at: datetime | None = None


@dataclass(slots=True)
class Addition:
    """An amendment as it is written down."""

    section: str = ""
    text: str = ""
    by: str = ""
    at: datetime | None = None


@dataclass(slots=True)
class CauseOnRecord:
    """The change that triggered it, by its words."""

    kind: str = ""
    title: str = ""
    system: str = ""
    happened_at: datetime | None = None


@dataclass(slots=True)
class Portable:
    """Everything that is carried from one place to another. People are “Name <address>”."""

    title: str = ""
    state: str = ""
    depth: str = ""
    owner: str = ""
    authors: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    due_on: date | None = None
    started_at: datetime | None = None
    published_at: datetime | None = None
    published_by: str = ""
    not_required_because: str = ""
    triggered_by: str = ""
    trigger_text: str = ""
    trigger_change: CauseOnRecord | None = None
    incidents: list[Covered] = field(default_factory=list)
    factors: list[FactorLine] = field(default_factory=list)
    follow_ups: list[Promise] = field(default_factory=list)
    amendments: list[Addition] = field(default_factory=list)
    facts: list[FactLine] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)  # files that were too large to go along
    # Not in the front matter, but in the body.
    sections: dict[str, str] = field(default_factory=dict)


_ROWS: dict[str, type[Any]] = {
    "incidents": Covered,
    "factors": FactorLine,
    "follow_ups": Promise,
    "amendments": Addition,
    "facts": FactLine,
}
_MATTER = [item for item in fields(Portable) if item.name != "sections"]


class BadMatter(Exception):
    """Front matter that is no YAML, or too much of it; the message says which."""


# Writing


def write(document: Portable, body: Iterator[str], *, mark: str) -> str:
    """Put the front matter before a body, which `marked` wrote its texts for."""
    matter: dict[str, Any] = {"faultline": FORMAT, "mark": mark} | _plain(document)
    matter.pop("sections", None)
    dumped = yaml.dump(matter, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100_000)
    return f"---\n{dumped}---\n\n" + "\n".join(body).rstrip() + "\n"


class _Dumper(yaml.SafeDumper):
    """Quotes so that every break of a line comes back as itself, also those that Unicode has beside the line feed."""


def _quoted(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = '"' if re.search(r"[\x00-\x1f\x7f-\xa0\u2028\u2029\ufeff]", text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _quoted)


def mark_for(texts: dict[str, str]) -> str:
    """A word for the marks that none of the texts holds."""
    every, number = "\n".join(texts.values()), 1
    while f"<!-- text-{number} " in every:
        number += 1
    return f"text-{number}"


def marked(key: str, text: str, *, mark: str) -> str:
    return f"<!-- {mark} {key} -->\n{text}\n<!-- {mark} end -->"


def _plain(row: Any) -> dict[str, Any]:
    """The fields that say something, with moments in ISO 8601 (UTC)."""
    return {
        item.name: plain
        for item in fields(row)
        if (plain := _plain_value(getattr(row, item.name))) not in ("", None, [], {}, False)
    }


def _plain_value(value: Any) -> Any:
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list):
        return [_plain_value(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain_value(item) for key, item in value.items()}
    if isinstance(value, str):
        return str(value)  # a choice is a kind of text that YAML does not write
    return _plain(value) if hasattr(value, "__dataclass_fields__") else value


def iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


# Reading


def split(text: str) -> tuple[str | None, str]:
    """Front matter between lines of ---, if there is any, and what follows."""
    match = re.match(r"---[ \t]*\n(.*?\n)??(?:---|\.\.\.)[ \t]*(?:\n|$)", text, re.DOTALL)
    return ((match[1] or "", text[match.end() :])) if match else (None, text)


def load(matter: str) -> Any:
    """Read YAML from a stranger: no alias, no tag but the plain ones, bounded in length, depth and number. Raises BadMatter."""
    if len(matter) > LONGEST_MATTER:
        raise BadMatter("Its front matter is too long.")
    depth = nodes = 0
    try:
        for event in yaml.parse(matter, Loader=_LOADER):
            nodes += 1
            if isinstance(event, yaml.events.AliasEvent):
                raise BadMatter("Its front matter refers to itself (& and *), which is not read.")
            if isinstance(event, yaml.events.CollectionStartEvent):
                depth += 1
            elif isinstance(event, yaml.events.CollectionEndEvent):
                depth -= 1
            if depth > DEEPEST or nodes > MOST_NODES:
                raise BadMatter("Its front matter is too large.")
        return yaml.load(matter, Loader=_LOADER)  # noqa: S506 - one of the safe loaders
    except (yaml.YAMLError, ValueError, TypeError, OverflowError, RecursionError, AttributeError) as error:
        raise BadMatter("Its front matter is not valid YAML.") from error


def parse(matter: dict[str, Any], body: str) -> tuple[Portable, list[str]]:
    """Read what `write` wrote, by anybody; returns it with a sentence for each thing that was not taken. Never raises."""
    remarks: list[str] = []
    document = Portable()
    known = {item.name for item in _MATTER}
    for name, value in matter.items():
        if name in known:
            setattr(document, name, _field(name, getattr(document, name), value, remarks))
        elif name not in ("faultline", "mark"):
            remarks.append(f"“{brief(name)}” in the front matter is not known here: {brief(value)}")
    mark = matter.get("mark")
    mark = mark if isinstance(mark, str) and re.fullmatch(r"text-\d{1,6}", mark) else "text-1"
    for key, text in _between_marks(body, mark)[0]:
        if key in document.sections:
            remarks.append(f"A second text of “{key}” was not taken: {brief(text)}")
        else:
            document.sections[key] = text
    return document, remarks


_MARK = re.compile(r"<!-- (text-\d{1,6}) ([a-z][a-z0-9-]{0,23}) -->")
_END = "end"


def _between_marks(body: str, only: str = "") -> tuple[list[tuple[str, str]], str]:
    """The texts between marks, each with its key, and the rest of the body; of one mark `only`, if it is given.

    Line by line: a pattern over the whole body would look for the end of each of many marks that have none.
    """
    lines = body.split("\n")
    marks = [match.groups() if (match := _MARK.fullmatch(line)) else ("", "") for line in lines]
    ends: dict[str, list[int]] = {}
    for at, (mark, key) in enumerate(marks):
        if key == _END:
            ends.setdefault(mark, []).append(at)
    texts, rest, at = [], [], 0
    while at < len(lines):
        mark, key = marks[at]
        known = ends.get(mark, []) if key != _END and only in ("", mark) else []
        place = bisect_left(known, at + 2)  # a text has at least one line, which may be empty
        if place < len(known):
            texts.append((key, "\n".join(lines[at + 1 : known[place]])))
            rest.append("")
            at = known[place] + 1
        else:
            rest.append(lines[at])
            at += 1
    return texts, "\n".join(rest)


def outside_marks(body: str) -> str:
    """The body without the texts between marks, and without the marks."""
    return _between_marks(body)[1]


def _field(name: str, default: Any, value: Any, remarks: list[str]) -> Any:
    if name in _ROWS:
        rows = value if isinstance(value, list) else []
        if not isinstance(value, list):
            remarks.append(f"“{name}” is no list and was not taken.")
        return [_row(_ROWS[name](), name, row, remarks) for row in rows]
    if name == "trigger_change":
        return _row(CauseOnRecord(), name, value, remarks)
    return _value(name, default, value, remarks)


def _row(row: Any, where: str, values: Any, remarks: list[str]) -> Any:
    if not isinstance(values, dict):
        remarks.append(f"An entry of “{where}” was not understood: {brief(values)}")
        return row
    known = {item.name for item in fields(row)}
    for name, value in values.items():
        if name in known:
            setattr(row, name, _value(f"{where}: {name}", getattr(row, name), value, remarks))
        else:
            remarks.append(f"“{brief(name)}” in “{where}” is not known here: {brief(value)}")
    return row


def _value(name: str, default: Any, value: Any, remarks: list[str]) -> Any:
    """The value, in the kind that its place holds; what does not fit leaves the default, and is told."""
    plain = name.rpartition(" ")[2]
    fit: Any = None
    match default:
        case bool():
            fit = value if isinstance(value, bool) else None
        case int():
            fit = value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31 else None
        case str():
            fit = as_text(value) if isinstance(value, str | int | float | date) else None
        case list():
            fit = [as_text(item) for item in value[:100]] if isinstance(value, list) else None
        case dict():
            moments = {as_text(key): as_moment(at) for key, at in value.items()} if isinstance(value, dict) else {}
            fit = {key: at for key, at in moments.items() if at}
            remarks += [
                f"“{plain}: {key}” is no moment in time and was not taken." for key in moments if not moments[key]
            ]
        case _:
            fit = as_day(value) if plain.endswith("_on") else as_moment(value)
    if fit is None and value is not None:
        remarks.append(f"“{name}” was not understood: {brief(value)}")
    return default if fit is None else fit


def as_text(value: Any) -> str:
    """Any value as text that a database holds."""
    try:
        return str(value).replace("\x00", "").encode("utf-8", "ignore").decode()
    except (ValueError, RecursionError):  # a number of more digits than Python writes
        return "a very large number"


def as_moment(value: Any) -> datetime | None:
    """A moment in UTC between 1990 and 2200, where the value says one exactly; without a zone, it is taken as UTC."""
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(as_text(value).strip())
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if 1990 <= moment.year < 2200 else None


def as_day(value: Any) -> date | None:
    moment = as_moment(value) if not isinstance(value, date) or isinstance(value, datetime) else None
    day = moment.date() if moment else value if isinstance(value, date) else None
    return day if day and 1990 <= day.year < 2200 else None


def brief(value: Any) -> str:
    words = one_line(as_text(value))
    return words if len(words) <= 80 else f"{words[:79]}…"
