"""How tools call what a sample holds: names as data, the current one first, then older ones and other conventions.

OpenTelemetry's conventions for generative AI (`gen_ai.*`, in which messages moved from events to attributes), OpenInference
(Phoenix, Arize), OpenLLMetry's indexed names, and the plain columns that people choose themselves.
"""

# Attributes of spans whose value is the messages, or a text.
INPUT = "gen_ai.input.messages input.value gen_ai.prompt traceloop.entity.input".split()
OUTPUT = "gen_ai.output.messages output.value gen_ai.completion traceloop.entity.output".split()
# Attributes that stand once for each message: <name>.0.role, <name>.0.content.
INDEXED_INPUT = "llm.input_messages gen_ai.prompt".split()
INDEXED_OUTPUT = "llm.output_messages gen_ai.completion".split()
# Events that hold a message each, as the conventions had it before messages became attributes.
INPUT_EVENTS = "gen_ai.user.message gen_ai.assistant.message gen_ai.tool.message gen_ai.content.prompt".split()
OUTPUT_EVENTS = "gen_ai.choice gen_ai.content.completion".split()

DOCUMENTS = ["gen_ai.retrieval.documents"]
INDEXED_DOCUMENTS = "retrieval.documents reranker.output_documents".split()

OPERATION = ["gen_ai.operation.name"]
SPAN_KIND = "openinference.span.kind traceloop.span.kind".split()
TOOL_OPERATIONS = frozenset("execute_tool tool".split())
# What is a step on the way and no answer to anybody.
STEPS = (
    frozenset("embeddings embedding retrieval retriever reranker guardrail evaluator prompt".split()) | TOOL_OPERATIONS
)

AGENT = "gen_ai.agent.name agent.name gen_ai.agent.id".split()
TOOL_NAME = "gen_ai.tool.name tool.name tool_call.function.name".split()
TOOL_ARGUMENTS = "gen_ai.tool.call.arguments tool.parameters tool_call.function.arguments input.value".split()
TOOL_RESULT = "gen_ai.tool.call.result output.value".split()

# Columns and keys of plain records.
COLUMNS: dict[str, list[str]] = {
    "input": "input question prompt query user_input request".split(),
    "output": "output answer response completion actual_output generated_text prediction".split(),
    "context": "context contexts retrieved_contexts retrieval_context documents passages".split(),
    "expected": "expected expected_output expectedOutput ideal reference_answer ground_truth target".split(),
    "must_not": "must_not forbidden".split(),
    "tool_calls": "tool_calls tools_called".split(),
    "reference": "reference trace_id traceId id".split(),
    "occurred_at": "occurred_at timestamp time created_at start_time startTime".split(),
}
PASSAGE_ID = "id document.id doc_id source_id source".split()
PASSAGE_TEXT = "text content document.content page_content pageContent".split()
PASSAGE_SCORE = "score document.score similarity relevance_score".split()
