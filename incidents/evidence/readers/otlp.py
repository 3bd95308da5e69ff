"""OTLP/JSON: an export request of traces, as the collector's file exporter writes one on each line."""

from collections.abc import Iterator
from typing import Any

from incidents.alerts.bodies import Json
from incidents.alerts.times import time_of
from incidents.evidence.readers.spans import TraceSpan, flattened
from incidents.evidence.readers.values import written


def recognizes(value: Json) -> bool:
    return isinstance(value, dict) and ("resourceSpans" in value or "resource_spans" in value)


def spans(place: str, value: Any) -> Iterator[TraceSpan]:
    """The spans of one request. The names are those of the JSON mapping; older writers kept the underscores."""
    for resource in _list(value, "resourceSpans", "resource_spans"):
        for scope in _list(resource, "scopeSpans", "scope_spans", "instrumentationLibrarySpans"):
            for number, span in enumerate(_list(scope, "spans"), start=1):
                if isinstance(span, dict):
                    yield _span(f"{place}, span {number}" if place else f"span {number}", span)


def _span(place: str, span: dict[str, Any]) -> TraceSpan:
    events = [
        (written(event.get("name")), _attributes(event)) for event in _list(span, "events") if isinstance(event, dict)
    ]
    return TraceSpan(
        place=place,
        trace=written(span.get("traceId") or span.get("trace_id")),
        id=written(span.get("spanId") or span.get("span_id")),
        parent=written(span.get("parentSpanId") or span.get("parent_span_id")),
        attributes=_attributes(span),
        started_at=time_of(span.get("startTimeUnixNano") or span.get("start_time_unix_nano")),
        failed=_failed(span.get("status")),
        events=events,
    )


def _failed(status: Any) -> bool:
    """Whether a span's status is that of an error: 2, or its name."""
    return isinstance(status, dict) and status.get("code") in (2, "2", "STATUS_CODE_ERROR")


def _attributes(holder: dict[str, Any]) -> dict[str, Json]:
    pairs = [pair for pair in _list(holder, "attributes") if isinstance(pair, dict)]
    return dict(flattened({written(pair.get("key")): _value(pair.get("value")) for pair in pairs}))


def _value(value: Any) -> Json:
    """An AnyValue: exactly one of its fields is set; whole numbers are written as text."""
    match value:
        case {"arrayValue": {"values": list(items)}}:
            return [_value(item) for item in items]
        case {"kvlistValue": {"values": list(pairs)}}:
            return {written(pair.get("key")): _value(pair.get("value")) for pair in pairs if isinstance(pair, dict)}
        case dict():
            return next((inner for name, inner in value.items() if name.endswith("Value")), None)
    return None


def _list(holder: Any, *aliases: str) -> list[Any]:
    found = next((holder[name] for name in aliases if name in holder), None) if isinstance(holder, dict) else None
    return found if isinstance(found, list) else []
