"""Readers of exports: each format by what its tool writes; nothing malformed is lost or breaks anything."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.evidence.exchange import Exchange, Passage, ToolCall
from incidents.evidence.readers.reading import read

TRACE, LLM, ROOT = "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174", "00f067aa0ba902b7"


def otlp(*spans: dict[str, Any]) -> bytes:
    return json.dumps({"resourceSpans": [{"resource": {}, "scopeSpans": [{"spans": list(spans)}]}]}).encode()


def span(identity: str, attributes: dict[str, Any], parent: str = "", **more: Any) -> dict[str, Any]:
    pairs = [{"key": key, "value": {"stringValue": value}} for key, value in attributes.items()]
    return {
        "traceId": TRACE,
        "spanId": identity,
        "parentSpanId": parent,
        "startTimeUnixNano": "1782864000000000000",
        "attributes": pairs,
    } | more


def only(content: bytes) -> Exchange:
    reading = read(content)
    [(_, exchange)] = reading.exchanges
    return exchange


CURRENT = {
    "gen_ai.operation.name": "chat",
    "gen_ai.input.messages": json.dumps(
        [
            {"role": "system", "parts": [{"type": "text", "content": "Be brief."}]},
            {"role": "user", "parts": [{"type": "text", "content": "What does it cost?"}]},
        ]
    ),
    "gen_ai.output.messages": json.dumps(
        [{"role": "assistant", "parts": [{"type": "text", "content": "9 euros."}], "finish_reason": "stop"}]
    ),
}
FORMS: dict[str, dict[str, Any]] = {
    "messages as attributes": span(LLM, CURRENT),
    "indexed names": span(
        LLM,
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.prompt.0.role": "user",
            "gen_ai.prompt.0.content": "What does it cost?",
            "gen_ai.completion.0.role": "assistant",
            "gen_ai.completion.0.content": "9 euros.",
        },
    ),
    "texts as attributes": span(LLM, {"gen_ai.prompt": "What does it cost?", "gen_ai.completion": "9 euros."}),
    "messages as events": span(
        LLM,
        {"gen_ai.operation.name": "chat"},
        events=[
            {
                "name": "gen_ai.user.message",
                "attributes": [{"key": "content", "value": {"stringValue": "What does it cost?"}}],
            },
            {
                "name": "gen_ai.choice",
                "attributes": [
                    {
                        "key": "message",
                        "value": {"stringValue": '{"role": "assistant", "content": "9 euros."}'},
                    }
                ],
            },
        ],
    ),
    "OpenInference values": span(
        LLM,
        {"openinference.span.kind": "LLM", "input.value": "What does it cost?", "output.value": "9 euros."},
    ),
    "OpenInference messages": span(
        LLM,
        {
            "openinference.span.kind": "LLM",
            "llm.input_messages.0.message.role": "user",
            "llm.input_messages.0.message.content": "What does it cost?",
            "llm.output_messages.0.message.role": "assistant",
            "llm.output_messages.0.message.content": "9 euros.",
        },
    ),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_span_is_read_whatever_its_conventions_call_things(form: dict[str, Any]) -> None:
    exchange = only(otlp(form))
    assert (exchange.input, exchange.output) == ("What does it cost?", "9 euros.")
    assert exchange.reference == f"{TRACE}/{LLM}"
    assert exchange.occurred_at
    assert exchange.occurred_at.year == 2026


def test_a_trace_is_one_exchange_with_what_it_retrieved_and_called() -> None:
    root = span(ROOT, {"openinference.span.kind": "CHAIN", "input.value": "Cancel?", "output.value": "Done."})
    retrieved = span(
        "a" * 16,
        {
            "openinference.span.kind": "RETRIEVER",
            "input.value": "Cancel?",
            "retrieval.documents.0.document.id": "terms-3",
            "retrieval.documents.0.document.content": "Within 14 days.",
        },
        ROOT,
    )
    retrieved["attributes"].append({"key": "retrieval.documents.0.document.score", "value": {"doubleValue": 0.5}})
    called = span(
        "b" * 16,
        {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "cancel",
            "gen_ai.tool.call.arguments": '{"order": 7}',
            "gen_ai.tool.call.result": "ok",
        },
        ROOT,
    )
    reading = read(otlp(root, retrieved, called, span(LLM, CURRENT, ROOT)))
    [(_, exchange)] = reading.exchanges
    assert (exchange.input, exchange.output) == ("Cancel?", "Done.")
    assert exchange.context == (Passage("Within 14 days.", "terms-3", 0.5),)
    assert exchange.tool_calls == (ToolCall("cancel", '{"order": 7}', "ok"),)
    assert [one.why for one in reading.dropped] == ["It is a step of an exchange that is read whole."]


def test_a_trace_that_comes_on_several_lines_is_still_one() -> None:
    root = otlp(span(ROOT, {"openinference.span.kind": "CHAIN", "input.value": "Hi", "output.value": "Hello"}))
    retrieved = {"gen_ai.operation.name": "retrieval", "gen_ai.retrieval.documents": '[{"id": "a", "content": "b"}]'}
    assert only(root + b"\n" + otlp(span("c" * 16, retrieved, ROOT))).context == (Passage("b", "a"),)


def test_phoenix_spans_are_read_from_its_api_and_from_its_table() -> None:
    one = {
        "name": "ChatCompletion",
        "span_kind": "LLM",
        "context": {"trace_id": TRACE, "span_id": LLM},
        "parent_id": None,
        "start_time": "2026-07-01T00:00:00+00:00",
        "attributes": {"input.value": "Hi", "output": {"value": "Hello"}},
    }
    assert only(json.dumps({"data": [one], "next_cursor": None}).encode()).output == "Hello"
    table = "name,span_kind,parent_id,context.span_id,context.trace_id,attributes.input.value,attributes.output.value\n"
    assert only(f"{table}x,LLM,,{LLM},{TRACE},Hi,Hello\n".encode()).reference == f"{TRACE}/{LLM}"


def test_langfuse_is_read_as_a_trace_and_as_rows_of_observations() -> None:
    generation = {
        "id": "obs-1",
        "traceId": "tr-1",
        "type": "GENERATION",
        "startTime": "2026-07-01T00:00:00.000Z",
        "input": {"messages": [{"role": "user", "content": "Hi"}]},
        "output": {"role": "assistant", "content": "Hello"},
    }
    trace = {"id": "tr-1", "htmlPath": "/x", "input": "Hi", "output": "Hello", "observations": [generation]}
    assert only(json.dumps(trace).encode()).reference == "tr-1/tr-1"
    row = {"id": "obs-1", "trace_id": "tr-1", "type": "GENERATION", "input": "Hi", "output": "Hello"}
    assert only(json.dumps(row).encode() + b"\n").reference == "tr-1/obs-1"
    exchange = only(json.dumps([generation]).encode())
    assert (exchange.input, exchange.output) == ("Hi", "Hello")


def test_messages_are_read_with_the_tools_they_called() -> None:
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Cancel order 7."}]},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "cancel", "arguments": "{}"}}],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "ok"},
        {"role": "assistant", "content": "Cancelled."},
    ]
    exchange = only(json.dumps({"messages": messages}).encode())
    assert (exchange.input, exchange.output) == ("Cancel order 7.", "Cancelled.")
    assert exchange.tool_calls == (ToolCall("cancel", "{}", "ok"),)


def test_an_answer_beside_its_messages_is_the_output() -> None:
    line = {
        "custom_id": "q-1",
        "request": {"messages": [{"role": "user", "content": "Hi"}]},
        "response": {"body": {"choices": [{"message": {"role": "assistant", "content": "Hello"}}]}},
    }
    exchange = only(json.dumps(line).encode())
    assert (exchange.input, exchange.output, exchange.reference) == ("Hi", "Hello", "q-1")


def test_plain_columns_are_found_by_their_usual_names() -> None:
    content = 'Question,Answer,ground_truth,contexts\nCost?,9,12,"[""a"", {""id"": ""b"", ""text"": ""c""}]"\n'
    exchange = only(content.encode())
    assert (exchange.input, exchange.output, exchange.expected) == ("Cost?", "9", "12")
    assert exchange.context == (Passage("a"), Passage("c", "b"))


def test_what_cannot_be_read_is_named_by_its_line_and_the_rest_is_read() -> None:
    lines = [
        '{"input": "a", "output": "b"}',
        '{"input": ',
        "",
        "7",
        '{"name": "x"}',
        json.dumps({"input": "x" * 20_001}),
    ]
    reading = read("\n".join(lines).encode())
    assert len(reading.exchanges) == 1
    assert [one.place for one in reading.dropped] == ["line 2", "line 4", "line 5", "line 6"]
    assert "20,000" in reading.dropped[-1].why


def test_nothing_that_the_database_cannot_hold_is_read() -> None:
    exchange = only(b'{"input": "a\\u0000b", "output": "\\ud800", "context": "[\\"\\\\u0000\\"]"}')
    exchange.output.encode()
    assert "\x00" not in f"{exchange.input}{exchange.output}{exchange.context}"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                "input output messages role content parts type name attributes context events traceId spanId key value "
                "stringValue resourceSpans scopeSpans spans observations choices response request data tool_calls function".split()
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(JSON)
def test_whatever_stands_in_json_is_read_or_dropped(value: Any) -> None:
    reading = read(json.dumps(value).encode())
    assert all(exchange.problem() == "" for _, exchange in reading.exchanges)


@given(st.binary(max_size=300))
def test_whatever_bytes_come_nothing_raises(content: bytes) -> None:
    read(content)
