"""Spans of traces as exchanges: the outermost span that was asked and answered, with what its trace retrieved and called."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from incidents.alerts.bodies import Json
from incidents.evidence.exchange import Exchange, Passage, ToolCall
from incidents.evidence.readers import names
from incidents.evidence.readers.messages import conversation, messages, tool_calls
from incidents.evidence.readers.values import Dropped, FileReading, first, passages, written

_INDEXED = re.compile(r"(\d{1,4})\.(.+)", re.ASCII)
_CALL = re.compile(r"tool_calls\.(\d{1,4})\.(?:tool_call\.)?(?:function\.)?(name|arguments)", re.ASCII)


@dataclass(slots=True)
class TraceSpan:
    """One span: its place in the file, its ids, and its attributes by their dotted names."""

    place: str
    trace: str
    id: str
    parent: str
    attributes: dict[str, Json]
    started_at: datetime | None = None
    failed: bool = False
    events: list[tuple[str, dict[str, Json]]] = field(default_factory=list)

    @property
    def operation(self) -> str:
        return written(first(self.attributes, (*names.OPERATION, *names.SPAN_KIND))).lower()

    @property
    def asked(self) -> list[dict[str, Json]]:
        return self._messages(names.INPUT, names.INDEXED_INPUT, names.INPUT_EVENTS)

    @property
    def answered(self) -> list[dict[str, Json]]:
        return self._messages(names.OUTPUT, names.INDEXED_OUTPUT, names.OUTPUT_EVENTS)

    def _messages(self, whole: Sequence[str], indexed: Sequence[str], events: Sequence[str]) -> list[dict[str, Json]]:
        for name in indexed:
            if rows := _indexed_messages(self.attributes, name):
                return rows
        if (value := first(self.attributes, whole)) is not None:
            return messages(value)
        return [row for name, facts in self.events if name in events for row in _event_message(name, facts)]


def flattened(value: Mapping[str, Json], prefix: str = "") -> Iterator[tuple[str, Json]]:
    """The entries of nested objects by their dotted names; lists of objects by their positions."""
    for name, inner in value.items():
        if isinstance(inner, dict) and inner:
            yield from flattened(inner, f"{prefix}{name}.")
        elif isinstance(inner, list) and inner and all(isinstance(item, dict) for item in inner):
            rows = {str(position): item for position, item in enumerate(inner)}
            yield from flattened(rows, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", inner


def _indexed(attributes: Mapping[str, Json], name: str) -> list[dict[str, Json]]:
    rows: dict[int, dict[str, Json]] = defaultdict(dict)
    for key, value in attributes.items():
        if key.startswith(f"{name}.") and (found := _INDEXED.fullmatch(key[len(name) + 1 :])):
            rows[int(found[1])][found[2]] = value
    return [rows[position] for position in sorted(rows)]


def _indexed_messages(attributes: Mapping[str, Json], name: str) -> list[dict[str, Json]]:
    return [_message(row) for row in _indexed(attributes, name)]


def _message(row: dict[str, Json]) -> dict[str, Json]:
    row = {name.removeprefix("message."): value for name, value in row.items()}
    called: dict[str, dict[str, Json]] = defaultdict(dict)
    texts = []
    for name, value in row.items():
        if found := _CALL.fullmatch(name):
            called[found[1]][found[2]] = value
        elif re.fullmatch(r"contents\.\d+\.message_content\.text", name):
            texts.append(value)
    content = row.get("content") or "\n".join(map(written, texts))
    listed: Json = [*called.values()] or row.get("tool_calls")
    return {"role": row.get("role"), "content": content, "tool_calls": listed}


def _event_message(name: str, facts: dict[str, Json]) -> list[dict[str, Json]]:
    """The messages of one event; its role stands in its name where it has none."""
    value = first(facts, ("gen_ai.prompt", "gen_ai.completion", "message", "content", "gen_ai.event.content", "body"))
    role = {"gen_ai.user.message": "user", "gen_ai.tool.message": "tool"}.get(name, "assistant")
    return [row | {"role": row.get("role") or role} for row in messages(value)] if value is not None else []


def exchanges(spans: Iterable[TraceSpan], reading: FileReading) -> None:
    """Add to a reading what these spans hold."""
    by_trace: dict[str, list[TraceSpan]] = defaultdict(list)
    for span in spans:
        by_trace[span.trace].append(span)
    for trace in by_trace.values():
        _of_trace(trace, reading)


def _of_trace(trace: list[TraceSpan], reading: FileReading) -> None:
    telling = {span.id: span for span in trace if span.operation not in names.STEPS and (span.asked or span.answered)}
    parents = {span.id: span.parent for span in trace}
    context = tuple(passage for span in trace for passage in _retrieved(span.attributes))
    called = tuple(call for span in trace if (call := _called(span)))
    for span in trace:
        if span.id not in telling:
            if span.operation not in names.STEPS:
                reading.dropped.append(Dropped(span.place, "This span holds neither an input nor an output."))
        elif _has_ancestor(span.id, telling, parents):
            reading.dropped.append(Dropped(span.place, "It is a step of an exchange that is read whole."))
        else:
            reading.take(span.place, _exchange(span, context, called))


def _has_ancestor(identity: str, among: Mapping[str, TraceSpan], parents: Mapping[str, str]) -> bool:
    seen = {identity}
    at = parents.get(identity, "")
    while at and at not in seen:
        if at in among:
            return True
        seen.add(at)
        at = parents.get(at, "")
    return False


def _exchange(span: TraceSpan, context: tuple[Passage, ...], called: tuple[ToolCall, ...]) -> Exchange:
    asked, answered = span.asked, span.answered
    return Exchange(
        input=conversation(asked),
        output=conversation(answered),
        context=context,
        tool_calls=called or tool_calls([*asked, *answered]),
        reference=f"{span.trace}/{span.id}"[:200] if span.trace else "",
        occurred_at=span.started_at,
    )


def _retrieved(attributes: Mapping[str, Json]) -> tuple[Passage, ...]:
    whole = passages(first(attributes, names.DOCUMENTS))
    rows: list[Json] = [*(row for name in names.INDEXED_DOCUMENTS for row in _indexed(attributes, name))]
    return whole or passages(rows)


def _called(span: TraceSpan) -> ToolCall | None:
    if span.operation not in names.TOOL_OPERATIONS:
        return None
    facts = span.attributes
    return ToolCall(
        written(first(facts, names.TOOL_NAME)),
        written(first(facts, names.TOOL_ARGUMENTS)),
        written(first(facts, names.TOOL_RESULT)),
    )
