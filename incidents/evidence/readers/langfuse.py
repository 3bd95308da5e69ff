"""Langfuse: a downloaded trace with its observations, or rows of an export of observations or traces."""

from incidents.alerts.bodies import Json
from incidents.alerts.times import time_of
from incidents.evidence.readers.spans import TraceSpan
from incidents.evidence.readers.values import first, written

_TRACE = ("traceId", "trace_id")
_PARENT = ("parentObservationId", "parent_observation_id")
_TIME = ("startTime", "start_time", "timestamp")
# Its kinds of observation, where they are named otherwise than the kinds of spans.
_KINDS = {"generation": "chat", "tool": "tool", "retriever": "retriever", "embedding": "embedding"}


def recognizes(value: Json) -> bool:
    if not isinstance(value, dict):
        return False
    is_observation = first(value, _TRACE) is not None and "type" in value
    return "observations" in value or is_observation or "htmlPath" in value


def spans(place: str, value: dict[str, Json]) -> list[TraceSpan]:
    """The trace itself as the outermost span, where it is here, and its observations."""
    trace = value.get("trace")
    whole = trace if isinstance(trace, dict) else value
    listed = value.get("observations")
    if not isinstance(listed, list):
        return [_span(place, value)]
    rows = [row for row in listed if isinstance(row, dict)]
    inner = [_span(f"{place}, observation {number}".lstrip(", "), row) for number, row in enumerate(rows, start=1)]
    identity = written(whole.get("id"))
    for one in inner:
        one.trace, one.parent = one.trace or identity, one.parent or identity
    return [_span(place or "trace", whole), *inner]


def _span(place: str, row: dict[str, Json]) -> TraceSpan:
    identity = written(row.get("id"))
    kind = written(row.get("type")).lower()
    facts = {
        "openinference.span.kind": _KINDS.get(kind, kind),
        "input.value": row.get("input"),
        "output.value": row.get("output"),
        "tool.name": row.get("name"),
    }
    if kind == "retriever":
        facts["gen_ai.retrieval.documents"] = row.get("output")
    return TraceSpan(
        place=place,
        trace=written(first(row, _TRACE)) or identity,
        id=identity,
        parent=written(first(row, _PARENT)),
        attributes=facts,
        started_at=time_of(first(row, _TIME)),
        failed=row.get("level") == "ERROR",
    )
