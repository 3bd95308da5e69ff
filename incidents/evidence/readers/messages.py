"""Messages of a chat, as OpenAI, OpenTelemetry and OpenInference write them, as one text in and one out."""

from collections.abc import Sequence
from dataclasses import replace

from incidents.alerts.bodies import Json
from incidents.evidence.exchange import ToolCall
from incidents.evidence.readers.values import calls, first, unpacked, written

# The system's own instructions are the prompt, which has a version of its own, and no part of what somebody asked.
_INSTRUCTIONS = ("system", "developer")


def messages(value: Json) -> list[dict[str, Json]]:
    """The messages in a value, in order; a text is one message of nobody."""
    value = unpacked(value)
    if isinstance(value, dict) and isinstance(value.get("messages"), list):
        value = value["messages"]
    rows = value if isinstance(value, list) else [value]
    return [_flat(row) if isinstance(row, dict) else {"role": "", "content": row} for row in rows if row is not None]


def _flat(message: dict[str, Json]) -> dict[str, Json]:
    """A message without the `message` in which some conventions wrap it."""
    inner = message.get("message")
    if isinstance(inner, dict):
        return inner
    return {name.removeprefix("message."): value for name, value in message.items()}


def text_of(message: dict[str, Json]) -> str:
    """What a message says: its content, or the parts of it that are text."""
    content = first(message, ("content", "parts", "contents", "text"))
    if isinstance(content, list):
        return "\n".join(part for part in map(_part, content) if part)
    return written(content)


def _part(part: Json) -> str:
    if not isinstance(part, dict):
        return written(part)
    if part.get("type") in ("tool_call", "tool_call_response", "tool_use", "tool_result", "reasoning"):
        return ""
    inner = part.get("message_content")
    part = inner if isinstance(inner, dict) else part
    text = first(part, ("text", "content", "message_content.text"))
    return written(text) if text is not None else f"[{written(part.get('type')) or 'part'}]"


def conversation(rows: Sequence[dict[str, Json]]) -> str:
    """What was said, by whom where more than one message was; instructions and answers of tools left out."""
    spoken = [row for row in rows if row.get("role") not in (*_INSTRUCTIONS, "tool") and text_of(row)]
    if len(spoken) == 1:
        return text_of(spoken[0])
    return "\n\n".join(f"{written(row.get('role')) or 'user'}: {text_of(row)}" for row in spoken)


def tool_calls(rows: Sequence[dict[str, Json]]) -> tuple[ToolCall, ...]:
    """The tools that were called in these messages, each with the answer that names it."""
    answers = dict(_answers(rows))
    found = []
    for row in rows:
        parts = row.get("parts") or row.get("content")
        asked = [part for part in parts if _type(part) in ("tool_call", "tool_use")] if isinstance(parts, list) else []
        listed = row.get("tool_calls")
        for part in [*asked, *(listed if isinstance(listed, list) else [])]:
            identity = written(part.get("id")) if isinstance(part, dict) else ""
            found += [replace(call, result=answers.get(identity, call.result)) for call in calls([part])]
    return tuple(found)


def _answers(rows: Sequence[dict[str, Json]]) -> list[tuple[str, str]]:
    found = []
    for row in rows:
        if row.get("role") == "tool" and row.get("tool_call_id"):
            found.append((written(row["tool_call_id"]), text_of(row)))
        parts = row.get("parts") or row.get("content")
        for part in parts if isinstance(parts, list) else []:
            if isinstance(part, dict) and part.get("type") in ("tool_call_response", "tool_result"):
                identity = first(part, ("id", "tool_use_id"))
                found.append((written(identity), written(first(part, ("response", "result", "content")))))
    return found


def _type(part: Json) -> Json:
    return part.get("type") if isinstance(part, dict) else None
