"""JSON that PostgreSQL can store: what it cannot is the sender's error, never a 500."""

import json
from collections.abc import Mapping
from typing import IO, Any, NoReturn

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

LONGEST = 1024 * 1024
DEEPEST = 32


class StrictJSONParser(JSONParser):
    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        raw: bytes = stream.read(LONGEST + 1)
        if len(raw) > LONGEST:
            raise ParseError("A request may have 1 MiB at most.")
        try:
            value = json.loads(raw.decode("utf-8"), parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise ParseError(f"The body is not JSON in UTF-8: {str(error)[:200]}.") from None
        _check(value, depth=0)
        if not isinstance(value, dict):
            raise ParseError("The body must be a JSON object.")
        return value


def _no_constant(name: str) -> NoReturn:
    raise ParseError(f"{name} is not JSON.")


def _check(value: Any, *, depth: int) -> None:
    if depth > DEEPEST:
        raise ParseError(f"The body is nested more than {DEEPEST} levels deep.")
    match value:
        case str() if "\x00" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
            raise ParseError("Text may hold neither NUL nor lone surrogates.")
        case list():
            for item in value:
                _check(item, depth=depth + 1)
        case dict():
            for key, item in value.items():
                _check(key, depth=depth + 1)
                _check(item, depth=depth + 1)
