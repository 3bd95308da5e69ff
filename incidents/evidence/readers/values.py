"""What a reading is, and small readings of JSON that the readers share."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from incidents.alerts.bodies import Json, embedded
from incidents.evidence.acts import AgentAct
from incidents.evidence.exchange import Exchange, Passage, ToolCall
from incidents.evidence.readers import names


@dataclass(frozen=True, slots=True)
class Dropped:
    """A record that is no sample: where it stands, and why not."""

    place: str
    why: str


@dataclass(slots=True)
class FileReading:
    """What was read of a file: exchanges with their places, and what was left out."""

    format: str = ""
    is_trace: bool = False
    exchanges: list[tuple[str, Exchange]] = field(default_factory=list)
    dropped: list[Dropped] = field(default_factory=list)
    acts: list[AgentAct] = field(default_factory=list)

    def take(self, place: str, exchange: Exchange) -> None:
        """Keep an exchange, or say why it cannot be stored."""
        if problem := exchange.problem():
            self.dropped.append(Dropped(place, problem))
        else:
            self.exchanges.append((place, exchange))


def written(value: Json) -> str:
    """A value as text: text as it is, anything else as JSON; nothing is an empty text."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def unpacked(value: Json) -> Json:
    """What stands in a text that is JSON of an object or a list; any other value as it is."""
    if not isinstance(value, str) or value[:1] not in ("{", "["):
        return value
    inner = embedded(value)
    return value if inner is None else inner


def first(record: Mapping[str, Json], aliases: Iterable[str]) -> Json:
    """The value of the first of these names that holds anything."""
    return next((record[name] for name in aliases if record.get(name) not in (None, "", [], {})), None)


def passages(value: Json) -> tuple[Passage, ...]:
    """Retrieved passages: a list of texts or of objects, or one text."""
    value = unpacked(value)
    rows = value if isinstance(value, list) else [] if value in (None, "") else [value]
    return tuple(passage for row in rows if (passage := _passage(row)).text or passage.id)


def _passage(row: Json) -> Passage:
    if not isinstance(row, dict):
        return Passage(written(row))
    inner = row.get("document")
    row = row | inner if isinstance(inner, dict) else row
    score = first(row, names.PASSAGE_SCORE)
    number = float(score) if isinstance(score, int | float) and not isinstance(score, bool) else None
    return Passage(written(first(row, names.PASSAGE_TEXT)), written(first(row, names.PASSAGE_ID)), number)


def calls(value: Json) -> tuple[ToolCall, ...]:
    """Tool calls: a list of names, of {name, arguments, result}, or of what OpenAI nests in `function`."""
    value = unpacked(value)
    rows = value if isinstance(value, list) else []
    return tuple(call for row in rows if (call := _call(row)).name)


def _call(row: Json) -> ToolCall:
    if not isinstance(row, dict):
        return ToolCall(written(row))
    inner = row.get("function") or row.get("tool_call") or row
    inner = inner.get("function") or inner if isinstance(inner, dict) else row
    about = inner if isinstance(inner, dict) else row
    return ToolCall(
        written(about.get("name")),
        written(first(about, ("arguments", "input", "args", "parameters"))),
        written(first(row, ("result", "output", "response"))),
    )
