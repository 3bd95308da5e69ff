"""Phoenix: spans as its API answers them, or a row of its data frame, whose columns are dotted names."""

from incidents.alerts.bodies import Json
from incidents.alerts.times import time_of
from incidents.evidence.readers.spans import TraceSpan, flattened
from incidents.evidence.readers.values import written


def recognizes(value: Json) -> bool:
    if not isinstance(value, dict):
        return False
    return ("context" in value and isinstance(value.get("attributes"), dict)) or "context.span_id" in value


def span(place: str, value: dict[str, Json]) -> TraceSpan:
    facts = dict(flattened(value))
    attributes = {name.removeprefix("attributes."): inner for name, inner in facts.items()}
    attributes.setdefault("openinference.span.kind", facts.get("span_kind"))
    return TraceSpan(
        place=place,
        trace=written(facts.get("context.trace_id")),
        id=written(facts.get("context.span_id")),
        parent=written(facts.get("parent_id")),
        attributes=attributes,
        started_at=time_of(facts.get("start_time")),
        failed=facts.get("status_code") == "ERROR",
    )
