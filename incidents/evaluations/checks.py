"""What an output must be: deterministic checks, typed and pure. Nothing here asks a model, a clock or a table.

Regular expressions are RE2's, whose time is linear in the text whatever the pattern is, so no pattern can hang a page;
what RE2 does not know (back references, look-around) is refused when the check is written. Texts are compared without
regard to case, but for `equals` and `regex`.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import re2

from incidents.evaluations import json_schema

MOST, LONGEST = 30, 2000
LONGEST_OUTPUT = 100_000


class NotACheck(Exception):
    """A line is no check; the message says which and why."""


@dataclass(frozen=True, slots=True)
class OutputCheck:
    """One rule. `value` is a text; of a JSON schema it is the schema's JSON."""

    kind: str
    value: str

    def __str__(self) -> str:
        return f"{KINDS[self.kind].words}: {self.value}"

    def as_json(self) -> dict[str, Any]:
        return {"type": self.kind, "value": json.loads(self.value) if self.kind == "json_schema" else self.value}


@dataclass(frozen=True, slots=True)
class SystemOutput:
    """What a system answered: its output, the ids of what it retrieved, and the names of the tools that it called."""

    output: str
    retrieved: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckFinding:
    check: OutputCheck
    passed: bool
    because: str


@dataclass(frozen=True, slots=True)
class _Kind:
    words: str  # how it is written, one a line
    holds: Callable[[str, SystemOutput], bool]
    example: str = field(default="")


def _matches(value: str, answer: SystemOutput) -> bool:
    return bool(_compiled(value).search(answer.output))


def _contains(value: str, answer: SystemOutput) -> bool:
    return value.casefold() in answer.output.casefold()


def _matches_schema(value: str, answer: SystemOutput) -> bool:
    try:
        output = json.loads(answer.output)
    except (ValueError, RecursionError):
        return False
    return not json_schema.problems(json.loads(value), output)


def _is_among(value: str, names: Iterable[str]) -> bool:
    return value.casefold() in {name.casefold() for name in names}


KINDS: dict[str, _Kind] = {
    "contains": _Kind("contains", _contains, "30 days"),
    "not_contains": _Kind("not contains", lambda value, answer: not _contains(value, answer), "90 days"),
    "regex": _Kind("regex", _matches, r"\b30 (days|d)\b"),
    "equals": _Kind("equals", lambda value, answer: answer.output.strip() == value.strip(), "refused"),
    "json_schema": _Kind("json schema", _matches_schema, '{"type": "object", "required": ["amount"]}'),
    "cites": _Kind("cites", _contains, "policy-12"),
    "retrieved": _Kind("retrieved", lambda value, answer: _is_among(value, answer.retrieved), "policy-12"),
    "tool_called": _Kind("tool called", lambda value, answer: _is_among(value, answer.tools), "lookup_order"),
    "tool_not_called": _Kind("tool not called", lambda value, answer: not _is_among(value, answer.tools), "refund"),
}


def run(checks: Iterable[OutputCheck], answer: SystemOutput) -> list[CheckFinding]:
    """Hold an answer against each check."""
    return [
        CheckFinding(check, passed := KINDS[check.kind].holds(check.value, answer), _because(passed))
        for check in checks
    ]


def _because(passed: bool) -> str:
    return "holds" if passed else "does not hold"


def parse(text: str) -> tuple[OutputCheck, ...]:
    """Read checks, one a line: `contains: 30 days`. Empty lines are left out. Raises NotACheck."""
    return checked([_read(line) for line in text.splitlines() if line.strip()])


def from_json(items: Sequence[Any]) -> tuple[OutputCheck, ...]:
    """Read checks as they are stored and exported. Raises NotACheck."""
    return checked([_from_item(item) for item in items])


def checked(checks: Sequence[OutputCheck]) -> tuple[OutputCheck, ...]:
    """Keep the first of equal checks. Raises NotACheck where there are too many or one cannot be run."""
    if len(checks) > MOST:
        raise NotACheck(f"There are {len(checks)} checks; a case has {MOST} at most.")
    for check in checks:
        _refuse(check)
    return tuple(dict.fromkeys(checks))


def written(checks: Iterable[OutputCheck]) -> str:
    """The checks as `parse` reads them."""
    return "\n".join(map(str, checks))


_BY_WORDS = {kind.words: name for name, kind in KINDS.items()}


def _read(line: str) -> OutputCheck:
    words, colon, value = line.partition(":")
    kind = _BY_WORDS.get(" ".join(words.lower().replace("_", " ").split()))
    if not colon or kind is None:
        raise NotACheck(f"“{line.strip()[:60]}” is no check. Begin with one of: {', '.join(_BY_WORDS)}.")
    return OutputCheck(kind, value.strip())


def _from_item(item: Any) -> OutputCheck:
    if not isinstance(item, dict) or not isinstance(item.get("type"), str) or item["type"] not in KINDS:
        raise NotACheck(f"A check is an object with a “type” ({', '.join(KINDS)}) and a “value”.")
    value = item.get("value")
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return OutputCheck(item["type"], " ".join(text.split()) if item["type"] != "equals" else text.strip())


def _refuse(check: OutputCheck) -> None:
    """Raise NotACheck where a check could never be run."""
    if not check.value or len(check.value) > LONGEST:
        raise NotACheck(
            f"Say after “{KINDS[check.kind].words}:” what is looked for, in {LONGEST:,} characters at most."
        )
    match check.kind:
        case "regex":
            try:
                _compiled(check.value)
            except re2.error as error:
                raise NotACheck(f"“{check.value[:60]}” is no regular expression of RE2: {_text(error)}.") from None
        case "json_schema":
            try:
                json_schema.refuse(json.loads(check.value))
            except (ValueError, RecursionError):
                raise NotACheck("A JSON schema is JSON, in one line.") from None
            except json_schema.Unsupported as error:
                raise NotACheck(str(error)) from None


def _text(error: Exception) -> str:
    first = error.args[0] if error.args else ""
    return (first.decode("utf-8", "replace") if isinstance(first, bytes) else str(first)).rstrip(".")


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    return re2.compile(pattern, options)
