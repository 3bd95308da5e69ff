"""Titles that begin with what happened: “[Triggered on {host:a}] Recall”, “[FIRING:1] Recall”, “✅ Resolved: Recall”.

Whatever a tool writes there, the rest names the thing, so that what begins and what ends it meet.
"""

import re
from typing import NamedTuple

from incidents.alerts.statuses import ACKNOWLEDGED, FIRING, NO_DATA, RESOLVED, VANISHED, MonitorStatus

TEST = MonitorStatus(condition="test")


class Heading(NamedTuple):
    """A title in its parts; what it does not say is None or empty."""

    name: str
    status: MonitorStatus | None = None
    severity: str = ""
    scope: str = ""  # what Datadog says it happened on


_STATUSES = {
    word: status
    for words, status in (
        ("firing, alerting, triggered, re-triggered, renotify, pending, alert, problem", FIRING),
        ("warn, re-warn, warning, critical", FIRING),
        ("resolved, recovered, recovery, ok, closed", RESOLVED),
        ("no data, re-no data, nodata, no_data", NO_DATA),
        ("paused", VANISHED),
        ("acknowledged", ACKNOWLEDGED),
        ("test", TEST),
    )
    for word in words.split(", ")
}
_SEVERITIES = {"warn": "warning", "re-warn": "warning", "warning": "warning", "critical": "critical"}
# Outside brackets only what is no beginning of a sentence; “OK” and “Error” begin too many.
_WORDS = "ok firing triggered re-triggered alert problem warning critical resolved recovered recovery closed".split()
_SIGNS = {
    sign: status
    for signs, status in (
        (":fire: :red_circle: :rotating_light: :warning: :x: :exclamation: 🔥 🔴 🚨 ⚠ ❌ ❗ 🟠 🟡", FIRING),
        (":white_check_mark: :heavy_check_mark: :large_green_circle: ✅ ✔ 🟢", RESOLVED),
    )
    for sign in signs.split()
}

_BRACKET = re.compile(r"\s*\[([^\[\]]{1,300})\]\s*")
_PRIORITY = re.compile(r"p[1-5]", re.I)
# An emoji may be followed by the mark that it is to be drawn in colours.
_SIGN = re.compile(rf"[\s*_>]*({'|'.join(map(re.escape, _SIGNS))})\ufe0f?\s*")
_WORD = re.compile(rf"[\s*_>]*({'|'.join(_WORDS)})[*_]*(?: in \d[\w ]{{0,15}})?\s*[:–-]\s+", re.I)
_WORD_ALONE = re.compile(r"[\s*_>]*(resolved|recovered)\b[\s:*_]*", re.I)


def in_brackets(title: str) -> Heading:
    """Read the brackets that a title begins with, as Datadog and Grafana write them."""
    heading = Heading(title)
    while (found := _BRACKET.match(heading.name)) and (part := _bracket(found[1])):
        heading = _joined(heading, part, heading.name[found.end() :])
    return heading._replace(name=heading.name.strip())


def of_message(title: str) -> Heading:
    """Read the brackets, signs and words that a message begins with, as tools write them for Slack. A sign says less."""
    heading, sign = Heading(title), None
    while rest := heading.name:
        if (found := _BRACKET.match(rest)) and (part := _bracket(found[1])):
            heading = _joined(heading, part, rest[found.end() :])
        elif found := _SIGN.match(rest):
            sign = sign or _SIGNS[found[1]]
            heading = heading._replace(name=rest[found.end() :])
        elif found := _WORD.match(rest) or _WORD_ALONE.match(rest):
            heading = _joined(heading, _word(found[1].lower()), rest[found.end() :])
        else:
            break
    return heading._replace(name=heading.name.strip(" *_`>:-"), status=heading.status or sign)


def _joined(heading: Heading, part: Heading, rest: str) -> Heading:
    """Add what the next bracket or word says; the first counts."""
    return Heading(rest, heading.status or part.status, heading.severity or part.severity, heading.scope or part.scope)


def _bracket(text: str) -> Heading | None:
    """Read “FIRING:2, RESOLVED:1”, “Triggered on {host:a}” or “P2”; None where it belongs to the name."""
    if _PRIORITY.fullmatch(text):
        return Heading("", severity=text.lower())
    word, _, scope = text.partition(" on ")
    word = re.split("[:,]", word, maxsplit=1)[0].strip().lower()
    return _word(word)._replace(scope=scope.strip(" {}")) if word in _STATUSES else None


def _word(word: str) -> Heading:
    return Heading("", _STATUSES[word], _SEVERITIES.get(word, ""))
