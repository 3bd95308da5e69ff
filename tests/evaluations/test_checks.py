"""Checks: what each holds of an output, and that none can hang or break a page."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema_rs import validator_for

from incidents.evaluations import checks, json_schema

ANSWER = checks.SystemOutput(
    'Refunds take 30 Days [policy-12]. {"no": "json"}', retrieved=("policy-12",), tools=("lookup_order",)
)


@pytest.mark.parametrize(
    ("line", "passes"),
    [
        ("contains: 30 days", True),
        ("contains: 90 days", False),
        ("not contains: 90 days", True),
        ("not contains: refunds", False),
        (r"regex: \b30 (Days|d)\b", True),
        (r"regex: \b30 days\b", False),
        ("equals: refused", False),
        ("cites: policy-12", True),
        ("cites: policy-13", False),
        ("retrieved: Policy-12", True),
        ("retrieved: policy-1", False),
        ("tool called: lookup_order", True),
        ("tool not called: lookup_order", False),
        ("tool not called: refund", True),
        ('json schema: {"type": "object"}', False),
    ],
)
def test_what_a_check_holds_of_an_answer(line: str, passes: bool) -> None:
    (finding,) = checks.run(checks.parse(line), ANSWER)
    assert finding.passed is passes


def test_a_schema_is_held_against_json() -> None:
    (check,) = checks.parse(
        'json schema: {"type": "object", "required": ["amount"], "properties": {"amount": {"minimum": 0}}}'
    )
    for output, passes in (('{"amount": 3}', True), ('{"amount": -1}', False), ("{}", False), ("[" * 5000, False)):
        assert checks.run([check], checks.SystemOutput(output))[0].passed is passes


@pytest.mark.parametrize(
    "line",
    [
        "nonsense",
        "contains:",
        "contains: " + "x" * 2001,
        r"regex: (a)\1",
        "regex: (?=a)b",
        "regex: (",
        "json schema: {",
        'json schema: {"$ref": "#/x"}',
        'json schema: {"type": 5}',
        'json schema: {"pattern": "("}',
    ],
)
def test_what_is_no_check_is_refused_when_it_is_written(line: str) -> None:
    with pytest.raises(checks.NotACheck):
        checks.parse(line)


def test_no_expression_hangs_a_page() -> None:
    (check,) = checks.parse("regex: (a+)+$")
    start = time.monotonic()
    checks.run([check], checks.SystemOutput("a" * 99_999 + "!"))
    assert time.monotonic() - start < 5


@given(st.text(max_size=300))
def test_any_text_is_checks_or_is_refused(text: str) -> None:
    try:
        found = checks.parse(text)
    except checks.NotACheck:
        return
    assert checks.parse(checks.written(found)) == found


_SCHEMAS = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["object", "array", "string", "number", "integer", "boolean", "null"]),
        "enum": st.lists(st.one_of(st.integers(-2, 2), st.booleans(), st.text(max_size=2)), max_size=3),
        "minimum": st.integers(-2, 2),
        "exclusiveMaximum": st.integers(-2, 4),
        "minLength": st.integers(0, 2),
        "maxItems": st.integers(0, 2),
        "required": st.lists(st.sampled_from(["a", "b"]), max_size=2, unique=True),
        "items": st.fixed_dictionaries({"type": st.sampled_from(["integer", "string"])}),
        "properties": st.fixed_dictionaries({"a": st.fixed_dictionaries({"type": st.just("integer")})}),
        "additionalProperties": st.booleans(),
    },
)
_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.floats(-3, 3), st.text(max_size=3)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["a", "b", "c"]), inner)),
    max_leaves=6,
)


@given(_SCHEMAS, _VALUES)
def test_a_schema_means_what_it_means_elsewhere(schema: dict[str, object], value: object) -> None:
    json_schema.refuse(schema)
    value = json.loads(json.dumps(value))
    assert (not json_schema.problems(schema, value)) is validator_for(schema).is_valid(value)
