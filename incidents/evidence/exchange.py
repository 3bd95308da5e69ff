"""One exchange with an AI, as it was read: what went in, what it was given to read, what came out. Pure; knows no table."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

LONGEST_TEXT = 20_000  # characters of an input or an output
LONGEST_WISH = 5_000  # of what was expected, and of what must not be said
LONGEST_PASSAGE = 10_000
LONGEST_NAME = 200  # of a passage's id, a tool, a reference
LONGEST_ARGUMENTS = 5_000
MOST_PASSAGES, MOST_CALLS = 30, 50


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of text that was retrieved for the answer; its score is the retriever's own, higher or lower as it counts."""

    text: str
    id: str = ""
    score: float | None = None

    def as_json(self) -> dict[str, Any]:
        return {"id": self.id, "text": self.text, "score": self.score}


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool that the AI called, with what it was given and what came back, both as text."""

    name: str
    arguments: str = ""
    result: str = ""

    def as_json(self) -> dict[str, Any]:
        return {"name": self.name, "arguments": self.arguments, "result": self.result}


@dataclass(frozen=True, slots=True)
class Exchange:
    input: str
    output: str
    context: tuple[Passage, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    expected: str = ""
    must_not: str = ""
    reference: str = ""  # where it comes from: a trace and a span, or the record's own id
    occurred_at: datetime | None = None

    def problem(self) -> str:
        """What keeps it from being stored, in one sentence; "" where nothing does."""
        if not self.input.strip() and not self.output.strip():
            return "It has neither an input nor an output."
        for name, text, most in (
            ("The input", self.input, LONGEST_TEXT),
            ("The output", self.output, LONGEST_TEXT),
            ("What was expected", self.expected, LONGEST_WISH),
            ("What it must not say", self.must_not, LONGEST_WISH),
            ("The reference", self.reference, LONGEST_NAME),
        ):
            if len(text) > most:
                return f"{name} is longer than {most:,} characters."
        return self._problem_of_context() or self._problem_of_calls()

    def _problem_of_context(self) -> str:
        if len(self.context) > MOST_PASSAGES:
            return f"It has more than {MOST_PASSAGES} retrieved passages."
        if any(len(passage.text) > LONGEST_PASSAGE or len(passage.id) > LONGEST_NAME for passage in self.context):
            return f"A retrieved passage is longer than {LONGEST_PASSAGE:,} characters, or its id than {LONGEST_NAME}."
        return ""

    def _problem_of_calls(self) -> str:
        if len(self.tool_calls) > MOST_CALLS:
            return f"It has more than {MOST_CALLS} tool calls."
        for call in self.tool_calls:
            if len(call.name) > LONGEST_NAME or max(len(call.arguments), len(call.result)) > LONGEST_ARGUMENTS:
                return f"A tool call is longer than {LONGEST_ARGUMENTS:,} characters, or its name than {LONGEST_NAME}."
        return ""

    def texts(self) -> dict[str, Any]:
        """Everything in it that is somebody's words, as a row keeps it."""
        return {
            "input": self.input,
            "output": self.output,
            "context": [passage.as_json() for passage in self.context],
            "tool_calls": [call.as_json() for call in self.tool_calls],
            "expected": self.expected,
            "must_not": self.must_not,
        }


def digest_of(texts: dict[str, Any]) -> str:
    """What the texts are, in 16 hexadecimal digits: two people who read the same have the same digest."""
    return hashlib.sha256(json.dumps(texts, sort_keys=True).encode()).hexdigest()[:16]


def passages_from(rows: list[dict[str, Any]]) -> tuple[Passage, ...]:
    """Retrieved passages as a row keeps them."""
    return tuple(Passage(row.get("text", ""), row.get("id", ""), row.get("score")) for row in rows)


def calls_from(rows: list[dict[str, Any]]) -> tuple[ToolCall, ...]:
    """Tool calls as a row keeps them."""
    return tuple(ToolCall(row.get("name", ""), row.get("arguments", ""), row.get("result", "")) for row in rows)
