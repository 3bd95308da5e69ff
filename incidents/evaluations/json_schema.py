"""The part of JSON Schema 2020-12 that a check needs, and no more: pure, without references, bounded in time.

A schema that says anything else is refused when it is written, so that none is ever silently taken for fulfilled.
Patterns are RE2's.
"""

from collections.abc import Iterator
from typing import Any

import re2

DEEPEST = 16
_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "null": (type(None),),
}
_SILENT = {"$schema", "$id", "title", "description", "examples", "default"}
_COUNTS = {"minLength", "maxLength", "minItems", "maxItems"}
_BOUNDS = {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}
KNOWN = (
    {"type", "enum", "const", "properties", "required", "additionalProperties", "items", "pattern"} | _COUNTS | _BOUNDS
)


class Unsupported(Exception):
    """The schema says something that is not known here; the message names it."""


def refuse(schema: Any, *, depth: int = 0) -> None:
    """Raise Unsupported unless everything that the schema says is understood."""
    if isinstance(schema, bool):
        return
    if not isinstance(schema, dict):
        raise Unsupported("A JSON schema is an object.")
    if depth > DEEPEST:
        raise Unsupported(f"The JSON schema is nested more than {DEEPEST} levels deep.")
    if unknown := sorted(set(schema) - KNOWN - _SILENT):
        raise Unsupported(
            f"“{unknown[0][:40]}” is not understood in a JSON schema; known are {', '.join(sorted(KNOWN))}."
        )
    for name, value in schema.items():
        _refuse_keyword(name, value, depth)


def _refuse_keyword(name: str, value: Any, depth: int) -> None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    is_count = isinstance(value, int) and is_number and value >= 0
    match name:
        case "type":
            listed = value if isinstance(value, list) else [value]
            fine = bool(listed) and all(isinstance(one, str) and one in _TYPES for one in listed)
        case "enum":
            fine = isinstance(value, list)
        case "required":
            fine = isinstance(value, list) and all(isinstance(one, str) for one in value)
        case "properties":
            fine = isinstance(value, dict)
            for inner in value.values() if fine else ():
                refuse(inner, depth=depth + 1)
        case "items" | "additionalProperties":
            fine = True
            refuse(value, depth=depth + 1)
        case "pattern":
            fine = isinstance(value, str) and _compiles(value)
        case _:
            fine = (name not in _COUNTS or is_count) and (name not in _BOUNDS or is_number)
    if not fine:
        raise Unsupported(f"“{name}” of the JSON schema is not written as it should be.")


def _compiles(pattern: str) -> bool:
    try:
        _pattern(pattern)
    except re2.error:
        return False
    return True


def _pattern(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    return re2.compile(pattern, options)


def problems(schema: Any, value: Any, where: str = "$") -> list[str]:
    """What of a value is not as the schema says; empty where all is. The schema must have passed `refuse`."""
    if isinstance(schema, bool):
        return [] if schema else [f"{where} must not be there"]
    return [*_of_value(schema, value, where), *_of_text(schema, value, where), *_of_parts(schema, value, where)]


def _of_value(schema: dict[str, Any], value: Any, where: str) -> Iterator[str]:
    if "type" in schema:
        names = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        if not any(_is(value, name) for name in names):
            yield f"{where} is not {' or '.join(names)}"
    if "enum" in schema and not any(_same(value, one) for one in schema["enum"]):
        yield f"{where} is none of the values"
    if "const" in schema and not _same(value, schema["const"]):
        yield f"{where} is another value"
    if _is(value, "number"):
        low, high = schema.get("minimum"), schema.get("maximum")
        above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
        too_low = (low is not None and value < low) or (above is not None and value <= above)
        if too_low or (high is not None and value > high) or (below is not None and value >= below):
            yield f"{where} is out of bounds"


def _is(value: Any, name: str) -> bool:
    if isinstance(value, bool):
        return name == "boolean"
    if name == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _TYPES[name])


def _same(value: Any, other: Any) -> bool:
    return isinstance(value, bool) == isinstance(other, bool) and bool(value == other)


def _of_text(schema: dict[str, Any], value: Any, where: str) -> Iterator[str]:
    if not isinstance(value, str):
        return
    if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
        yield f"{where} is too short or too long"
    if "pattern" in schema and not _pattern(schema["pattern"]).search(value):
        yield f"{where} does not match"


def _of_parts(schema: dict[str, Any], value: Any, where: str) -> Iterator[str]:
    if isinstance(value, list):
        if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
            yield f"{where} has too few or too many items"
        for position, item in enumerate(value):
            yield from problems(schema.get("items", True), item, f"{where}[{position}]")
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        yield from (f"{where}.{name} is missing" for name in schema.get("required", ()) if name not in value)
        for name, item in value.items():
            yield from problems(properties.get(name, schema.get("additionalProperties", True)), item, f"{where}.{name}")
