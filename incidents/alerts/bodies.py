"""From the bytes of a request to JSON, however a monitor sent it: JSON, a form, several parts, a query.

Everything here is pure. Monitors do send NUL characters, lone surrogates, NaN, huge numbers, deep nesting, byte-order
marks and text that is not UTF-8; none of it may reach PostgreSQL, and none of it may raise anything but Unreadable.
"""

import codecs
import json
import math
from collections.abc import Iterable, Mapping
from email import message_from_bytes
from email.message import Message
from typing import Any, TypeAlias, cast
from urllib.parse import parse_qsl

MAX_DEPTH = 64
REPLACEMENT = "\ufffd"

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

# Parts of a form that hold the JSON a monitor means: Uptime Kuma's, Slack's.
_PARTS_WITH_JSON = ("data", "payload")


class Unreadable(Exception):
    """The delivery cannot be understood; the message says where, for whoever set the monitor up."""


def payload(body: bytes, headers: Mapping[str, str]) -> Json:
    """Read what the monitor said. Raises Unreadable with the place where reading stopped."""
    match _media_type(headers):
        case "application/x-www-form-urlencoded":
            # Some tools name a form and send JSON all the same.
            return load(body) if body.lstrip()[:1] in (b"{", b"[") else _form(decoded(body))
        case "multipart/form-data":
            return _parts(body, headers["content-type"])
    return load(body)


def load(body: bytes) -> Json:
    """Read JSON as monitors write it: NaN and infinities become None, numbers too big for PostgreSQL become text."""
    return _clean(parse(body), depth=0)


def parse(body: bytes) -> Any:
    """Read JSON without cleaning it; quick enough for the door. Raises Unreadable."""
    try:
        return json.loads(decoded(body), parse_constant=lambda _: None, parse_int=_integer, parse_float=_float)
    except json.JSONDecodeError as error:
        raise Unreadable(f"The body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}.") from None
    except RecursionError:
        raise Unreadable(f"The body is nested more than {MAX_DEPTH} levels deep.") from None


def decoded(body: bytes) -> str:
    """Read text in UTF-8, or in UTF-16 or 32 with its mark; a byte that is neither becomes U+FFFD."""
    wide = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
    encoding = json.detect_encoding(body) if body.startswith(wide) else "utf-8-sig"
    return body.decode(encoding, "replace")


def was_replaced(body: bytes) -> bool:
    """Tell whether the body holds bytes that are no text, so that something of it was lost in reading."""
    return REPLACEMENT in decoded(body) and REPLACEMENT.encode() not in body


def _media_type(headers: Mapping[str, str]) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def _form(text: str) -> Json:
    try:
        fields = dict(parse_qsl(text, keep_blank_values=True, max_num_fields=500))
    except ValueError:
        raise Unreadable("The form has more than 500 fields.") from None
    return _unwrapped(fields)


def _parts(body: bytes, content_type: str) -> Json:
    header = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1", "replace")
    whole: Message = message_from_bytes(header + body)
    parts = whole.get_payload() if whole.is_multipart() else []
    fields = {}
    for part in parts if isinstance(parts, list) else []:
        name = part.get_param("name", header="content-disposition") if isinstance(part, Message) else None
        content = part.get_payload(decode=True) if isinstance(part, Message) else None
        if isinstance(name, str) and isinstance(content, bytes):
            fields[name] = decoded(content)
    if not fields:
        raise Unreadable("The body is multipart and holds no named part.")
    return _unwrapped(fields)


def _unwrapped(fields: dict[str, str]) -> Json:
    for name in _PARTS_WITH_JSON:
        if fields.get(name, "").lstrip()[:1] in ("{", "["):
            return load(fields[name].encode("utf-8", "replace"))
    return _clean(fields, depth=0)


def embedded(text: Json) -> Json:
    """Read JSON that was put into a string, as SNS and Pub/Sub do; None where it is not JSON."""
    if not isinstance(text, str):
        return None
    try:
        return load(text.encode("utf-8", "replace"))
    except Unreadable:
        return None


def _integer(digits: str) -> int | str:
    # Python refuses to convert more than 4,300 digits, JavaScript loses exactness beyond 2**53.
    return int(digits) if len(digits) <= 15 else digits


def _float(digits: str) -> float | None:
    number = float(digits)
    return number if math.isfinite(number) else None


def _clean(value: Any, *, depth: int) -> Json:
    if depth > MAX_DEPTH:
        raise Unreadable(f"The body is nested more than {MAX_DEPTH} levels deep.")
    match value:
        case str():
            return clean_text(value)
        case list():
            return [_clean(item, depth=depth + 1) for item in value]
        case dict():
            return {clean_text(key): _clean(item, depth=depth + 1) for key, item in value.items()}
    return cast(Json, value)


def clean_text(text: str) -> str:
    """Replace what PostgreSQL cannot store: NUL and lone surrogates."""
    return text.replace("\x00", REPLACEMENT).encode("utf-8", "replace").decode() if _unstorable(text) else text


def _unstorable(text: str) -> bool:
    return "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text)


def text_of(value: Json) -> str:
    """Read a scalar as text; anything else is empty."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return value.strip()
        case int() | float():
            return str(value)
    return ""


def first_text(*values: Json) -> str:
    return next((text for text in map(text_of, values) if text), "")


def first_of(sent: Mapping[str, Json], names: Iterable[str]) -> str:
    """Read the first of these fields that holds text."""
    for name in names:
        if name in sent and (text := text_of(sent[name])):
            return text
    return ""


def mapping(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}


def items(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def dig(value: Json, *path: str | int) -> Json:
    """Follow keys and positions; None as soon as one is not there."""
    for step in path:
        match value, step:
            case dict(), str():
                value = value.get(step)
            case list(), int() if -len(value) <= step < len(value):
                value = value[step]
            case _:
                return None
    return value
