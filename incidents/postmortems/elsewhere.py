"""Postmortems that were written elsewhere: what their front matter, their headings and their lines say. Pure but for the
taxonomy. Whatever is not understood is told, and where it stands in the text, it stays there.
"""

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from incidents.postmortems.actions import from_front_matter, take_actions
from incidents.postmortems.dates import moments
from incidents.postmortems.portable import Covered, FactorLine, Portable, Promise, as_text, brief
from incidents.response.vocabulary import Severity
from incidents.texts import one_line

# What sections are called elsewhere, in the words of common public templates.
_ACTIONS = ("action items", "follow-ups", "follow ups", "followups", "actions", "next steps", "corrective actions")
_CALLED: dict[str, tuple[str, ...]] = {
    "summary": ("summary", "executive summary", "overview", "issue summary", "abstract", "tl;dr", "what happened"),
    "impact": ("impact", "customer impact", "user impact", "effects"),
    "silence": ("silence", "detection", "how it was detected", "how we noticed"),
    "timeline": ("timeline", "time line", "chronology", "sequence of events"),
    "trigger": ("trigger", "what changed", "triggering change"),
    "factors": (
        *("contributing factors", "factors", "root cause", "root causes", "cause", "causes", "analysis"),
        *("root cause and trigger",),
    ),
    "response": ("response", "resolution", "mitigation", "recovery", "resolution and recovery", "containment"),
    "well": ("what went well", "things that went well"),
    "hard": ("what went wrong", "what was hard", "what could have gone better", "things that went poorly"),
    "lucky": ("where we got lucky", "where we were lucky", "luck"),
    "learning": ("lessons", "lessons learned", "lessons learnt", "learnings", "what we know now", "what we learned"),
    "again": ("past and future", "related incidents", "recurrence", *_ACTIONS),
}
_SECTIONS = {name: key for key, names in _CALLED.items() for name in names}
_SEVERITIES = {"1": "sev1", "2": "sev2", "3": "sev3", "4": "sev4"} | {
    name: f"sev{place}"
    for place, names in enumerate(("critical", "high major", "medium moderate", "low minor"), 1)
    for name in names.split()
}
_CLOCKS = {
    "impact_started_at": "impact_started_at impact_started impact_start started_at started start",
    "detected_at": "detected_at detected",
    "declared_at": "declared_at declared",
    "acknowledged_at": "acknowledged_at acknowledged",
    "contained_at": "contained_at contained mitigated_at mitigated",
    "resolved_at": "resolved_at resolved ended_at end",
}
MOST_LINES = 200  # of front matter that is read line by line
_NAMES = {name: field for field, names in _CLOCKS.items() for name in names.split()} | {
    name: field
    for field, names in {
        "title": "title",
        "date": "date happened_at incident_date",
        "severity": "severity sev",
        "system": "system service product",
        "class": "failure_mode category",
        "factors": "factors contributing_factors",
        "owner": "owner",
        "authors": "authors author",
        "lead": "lead incident_commander incident_lead",
        "tags": "tags labels",
        "actions": "action_items follow_ups actions",
    }.items()
    for name in names.split()
}
_LINE = re.compile(
    r"[ \t]{0,3}(?:[-*] )?(?:\*\*([A-Za-z][\w /-]{1,40}?)\s?:?\*\*\s?:?|([A-Z][\w /-]{1,40}?):)[ \t]+(\S.*)"
)


class Understanding:
    """One file as it is being read. `happened` is the day or moment in it; `days` are two, where it may mean either."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self.document = Portable(incidents=[Covered()])
        self.happened: datetime | None = None
        self.days: list[datetime] = []
        self.tell = tell
        self._takers: dict[str, Callable[[Any], bool]] = {
            "title": self._title,
            "date": self._date,
            "severity": self._severity,
            "system": self._system,
            "class": self._class,
            "factors": self._factors,
            "owner": self._owner,
            "lead": self._lead,
            "authors": lambda value: self._names(self.document.authors, value),
            "tags": lambda value: self._names(self.document.tags, value),
            "actions": self._actions,
        }
        self._seen: set[str] = set()

    @property
    def incident(self) -> Covered:
        return self.document.incidents[0]

    def take_matter(self, matter: dict[str, Any]) -> None:
        for name, value in matter.items():
            if value in (None, "", []):
                continue
            plain = re.sub(r"[\s-]+", "_", as_text(name).strip().lower())
            if plain not in _NAMES:
                self.tell(f"“{brief(name)}” in the front matter is not known here: {brief(value)}")
            elif not self._take(_NAMES[plain], value):
                self.tell(f"“{brief(name)}” in the front matter was not understood: {brief(value)}")

    def take_body(self, body: str) -> None:
        """Split at headings; what stands under none of the usual ones goes, heading and all, into “What we know now”."""
        blocks: list[str] = []
        text = _with_usual_headings(_without_fences(body, blocks))
        key, headed, actions = "summary", False, False
        for part in re.split(r"(?m)^(?=#{1,3} )", text):
            content = part
            if match := re.match(r"(#{1,3}) +([^ \n][^\n]*)\n?", part):
                level, heading, content = len(match[1]), match[2].rstrip(" #"), part[match.end() :]
                plain = re.sub(r"^[\d.)\s]+|[:*_]+", "", heading).strip().lower()
                if plain in _SECTIONS:
                    key, actions = _SECTIONS[plain], plain in _ACTIONS
                elif level == 1 and not headed:
                    self.document.title = self.document.title or _without_kind(heading)
                    key, headed, actions = "summary", True, False
                elif level <= 2:
                    key, content, actions = "learning", part, False
                else:
                    content, actions = part, False  # a heading below stays where it is
            if key == "summary":
                content = "\n".join(self._lines(content))
            if actions:
                promises, content = take_actions(content)
                self.document.follow_ups += [_restored(row, blocks) for row in promises]
            self._add(key, _with_fences(content, blocks))

    def _add(self, key: str, text: str) -> None:
        if text.strip():
            before = self.document.sections.get(key, "")
            self.document.sections[key] = f"{before}\n\n{text.strip(chr(10))}".strip("\n")

    def _lines(self, text: str) -> Iterator[str]:
        """The lines that are no fact; “**Date:** 2025-03-14” and its like are taken."""
        for line in text.split("\n"):
            match = _LINE.fullmatch(line) if len(line) < 500 else None
            name = re.sub(r"[\s-]+", "_", (match[1] or match[2]).strip().lower()) if match else ""
            field = _NAMES.get(name, "")
            if not (match and field and field != "actions" and self._take(field, match[3].strip(" *"))):
                yield line

    def _take(self, field: str, value: Any) -> bool:
        """Take a fact, whether understood or not; what was said first stands."""
        if field in self._seen:
            return False
        taken = self._clock(field, value) if field in _CLOCKS else self._takers[field](value)
        if taken and field not in ("actions", "class"):
            self._seen.add(field)
        return taken

    def check_order(self) -> None:
        began = self.incident.clocks.get("impact_started_at") or self.happened
        ended = self.incident.clocks.get("resolved_at")
        if began and ended and ended < began:
            self.tell("It ends before it begins; the end was left out.")
            del self.incident.clocks["resolved_at"]

    # One fact each; what was taken earlier is never overwritten.

    def _title(self, value: Any) -> bool:
        self.document.title = self.document.title or _word(value)
        return bool(_word(value))

    def _date(self, value: Any) -> bool:
        found = moments(value)
        if len(found) == 1:
            self.happened = self.happened or found[0]
        elif found:
            self.days = self.days or found
            self.tell(f"The date “{brief(value)}” can mean two days. Choose one.")
        return bool(found)

    def _clock(self, field: str, value: Any) -> bool:
        found = moments(value)
        if len(found) > 1:
            self.tell(f"“{brief(value)}” can mean two days; that clock stays unknown.")
        elif found:
            self.incident.clocks.setdefault(field, found[0])
        return bool(found)

    def _severity(self, value: Any) -> bool:
        word = _word(value)
        known = severity_of(word)
        if not known:
            self.tell(f"The severity “{brief(word)}” is not known; the severity stays unknown.")
        self.incident.severity = self.incident.severity or known
        return True

    def _system(self, value: Any) -> bool:
        self.incident.system = self.incident.system or _word(value)[:200]
        return bool(_word(value))

    def _class(self, value: Any) -> bool:
        if not self.incident.failure_mode or "." in _word(value):  # a failure mode says more than its category
            self.incident.failure_mode = _word(value)
        return bool(_word(value))

    def _factors(self, value: Any) -> bool:
        names = [_word(name) for name in (value if isinstance(value, list) else [value])]
        self.document.factors += [FactorLine(factor=name, text=name) for name in names if name]
        return all(names)

    def _owner(self, value: Any) -> bool:
        self.document.owner = self.document.owner or _word(value)
        return bool(_word(value))

    def _lead(self, value: Any) -> bool:
        self.incident.lead = self.incident.lead or _word(value)
        return bool(_word(value))

    def _names(self, names: list[str], value: Any) -> bool:
        found = value if isinstance(value, list) else re.split(r"\s*[,;]\s*", _word(value))
        names += [_word(name) for name in found if _word(name)]
        return all(_word(name) for name in found)

    def _actions(self, value: Any) -> bool:
        rows = list(from_front_matter(value))
        for row in rows:
            if isinstance(row, Promise):
                self.document.follow_ups.append(row)
            else:
                self.tell(f"An action item was not understood: {brief(row)}")
        return True


def by_line(matter: str) -> tuple[dict[str, Any], list[str]]:
    """What each line of front matter says that is no YAML as a whole, the first of each name, and the lines that say
    nothing so. It claims no format of ours: what we wrote is valid, or was written over."""
    facts: dict[str, Any] = {}
    rest = []
    lines = [line for line in matter.splitlines() if line.strip()]
    for line in lines[:MOST_LINES]:
        name, colon, value = line[:500].partition(":")
        plain, value = name.strip(), value.strip(" \t[]\"'")
        if colon and value and re.fullmatch(r"\w[\w -]{0,40}", plain) and plain not in {*facts, "faultline"}:
            facts[plain] = value
        else:
            rest.append(line)
    if more := len(lines) - MOST_LINES if len(lines) > MOST_LINES else 0:
        rest.append(f"… and {more:,} more")
    return facts, rest


def severity_of(word: str) -> str:
    """SEV1, P2, critical or 3 as one of ours; "" where it is none."""
    plain = re.sub(r"[^a-z0-9]", "", word.lower())
    named = _SEVERITIES.get(plain.removeprefix("severity").removeprefix("p") or plain, plain)
    return named if named in Severity.values else ""


def _with_usual_headings(text: str) -> str:
    """Underlined headings, and lines such as “**Summary:** …”, as headings with #."""
    text = re.sub(r"(?m)^(?![\s>|*#-])([^\n|]{1,200})\n=+[ \t]*$", r"# \1", text)
    text = re.sub(r"(?m)^(?![\s>|*#-])([^\n|]{1,200})\n-{3,}[ \t]*$", r"## \1", text)

    def headed(line: re.Match[str]) -> str:
        plain = line[1].strip(" :").lower()
        return f"## {line[1].strip(' :')}\n{line[2]}" if plain in _SECTIONS else line[0]

    return re.sub(r"(?m)^\*\*([A-Za-z][A-Za-z ;.-]{1,40}:?)\*\*:?[ \t]*([^\n]*)$", headed, text)


def _without_kind(heading: str) -> str:
    return re.sub(r"(?i)^(?:incident )?post-?mortem(?: of| for)?[:\s-]*", "", heading) or heading


def _without_fences(text: str, blocks: list[str]) -> str:
    """Put blocks of code aside, so that nothing in them looks like a heading."""

    def aside(block: re.Match[str]) -> str:
        blocks.append(block[0])
        return f"\x01{len(blocks) - 1}\x01"

    return re.sub(r"(?ms)^(```|~~~).*?(?:^\1[^\n]*|\Z)", aside, text.replace("\x01", "�"))


def _with_fences(text: str, blocks: list[str]) -> str:
    return re.sub(r"\x01(\d+)\x01", lambda place: blocks[int(place[1])], text)


def _restored(row: Promise, blocks: list[str]) -> Promise:
    row.title, row.description = _with_fences(row.title, blocks), _with_fences(row.description, blocks)
    return row


def _word(value: Any) -> str:
    return one_line(as_text(value)) if isinstance(value, str | int | float) else ""
