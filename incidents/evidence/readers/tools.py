"""Spans in which a tool ran, as acts of an agent."""

from collections.abc import Iterable

from incidents.evidence.acts import LONGEST_ACTOR, AgentAct, digest_of_arguments
from incidents.evidence.readers import names
from incidents.evidence.readers.spans import TraceSpan
from incidents.evidence.readers.values import first, written


def acts(spans: Iterable[TraceSpan]) -> list[AgentAct]:
    """What the tools of these spans did; spans without ids or a time are no acts that anybody could find again."""
    rows = list(spans)
    by_id = {(span.trace, span.id): span for span in rows}
    return [
        act
        for span in rows
        if span.operation in names.TOOL_OPERATIONS and (act := _act(span, by_id)) and not act.problem()
    ]


def _act(span: TraceSpan, by_id: dict[tuple[str, str], TraceSpan]) -> AgentAct | None:
    if span.started_at is None or not (span.trace and span.id):
        return None
    return AgentAct(
        key=f"{span.trace}/{span.id}",
        agent=_agent_of(span, by_id)[:LONGEST_ACTOR],
        tool=written(first(span.attributes, names.TOOL_NAME))[:LONGEST_ACTOR],
        at=span.started_at,
        arguments_digest=digest_of_arguments(written(first(span.attributes, names.TOOL_ARGUMENTS))),
        result="failed" if span.failed else "succeeded",
    )


def _agent_of(span: TraceSpan, by_id: dict[tuple[str, str], TraceSpan]) -> str:
    """The agent that a span names, or the nearest span around it that names one."""
    at: TraceSpan | None = span
    seen: set[str] = set()
    while at and at.id not in seen:
        if agent := written(first(at.attributes, names.AGENT)):
            return agent
        seen.add(at.id)
        at = by_id.get((at.trace, at.parent))
    return ""
