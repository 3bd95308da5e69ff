"""Matchers in Alertmanager's writing: `severity=~"critical|high"`, one a line, all of which must hold. Pure.

Regular expressions are RE2's, which take time linear in the text whatever they are, and match the whole value, as
Prometheus' do. A name that an alert does not have is the empty text.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import re2

MOST, LONGEST = 20, 300
_LINE = re.compile(
    r'\s*(?P<name>[A-Za-z_][\w.:-]{0,99})\s*(?P<operator>=~|!~|!=|=)\s*(?P<value>"(?:[^"\\]|\\.)*"|[^"\s][^"]*?)\s*'
)


class Unmatchable(Exception):
    """A line is no matcher; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Matcher:
    name: str
    operator: str
    value: str

    def holds(self, facts: Mapping[str, str]) -> bool:
        actual = facts.get(self.name, "")
        match self.operator:
            case "=":
                return actual == self.value
            case "!=":
                return actual != self.value
            case "=~":
                return bool(_compiled(self.value).fullmatch(actual))
        return not _compiled(self.value).fullmatch(actual)

    def __str__(self) -> str:
        quoted = self.value.replace('"', '\\"')
        return f'{self.name}{self.operator}"{quoted}"'


def parse(text: str) -> tuple[Matcher, ...]:
    """Read matchers, one a line or with commas between them outside quotes. Raises Unmatchable."""
    lines = [line for line in _split(text) if line.strip()]
    if len(lines) > MOST:
        raise Unmatchable(f"There are {len(lines)} matchers; {MOST} are enough.")
    return tuple(_matcher(line) for line in lines)


def _split(text: str) -> list[str]:
    outside = re.compile(r'(?:[^,\n"]|"(?:[^"\\]|\\.)*"?)+')
    return outside.findall(text)


def _matcher(line: str) -> Matcher:
    match = _LINE.fullmatch(line)
    if match is None:
        raise Unmatchable(f'“{line.strip()[:80]}” is no matcher; write name="value", with =, !=, =~ or !~.')
    value = match["value"]
    if value.startswith('"'):
        value = value[1:-1].replace('\\"', '"')  # every other backslash is the expression's own
    if value.endswith("\\"):
        raise Unmatchable(f"The value of “{match['name']}” ends with a backslash.")
    if len(value) > LONGEST:
        raise Unmatchable(f"The value of “{match['name']}” is longer than {LONGEST} characters.")
    if match["operator"] in ("=~", "!~"):
        try:
            _compiled(value)
        except re2.error as error:
            reason = (
                error.args[0].decode("utf-8", "replace") if error.args and isinstance(error.args[0], bytes) else error
            )
            raise Unmatchable(f"“{value[:80]}” is no regular expression: {reason}.") from None
    return Matcher(match["name"], match["operator"], value)


@lru_cache(maxsize=2048)
def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    return re2.compile(pattern, options)


def all_hold(matchers: Iterable[Matcher], facts: Mapping[str, str]) -> bool:
    return all(matcher.holds(facts) for matcher in matchers)


def written(matchers: Iterable[Matcher]) -> str:
    return "\n".join(map(str, matchers))
