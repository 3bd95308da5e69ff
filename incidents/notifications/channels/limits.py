"""How much a receiver takes, and in which unit: texts cut on whole words. Pure."""

import json
import re
from collections.abc import Callable
from typing import Any

Size = Callable[[str], int]

_MORE = "…"
# Controls but tabs and line ends, halves of signs, and what turns the direction of writing.
_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")


def units(text: str) -> int:
    """The length of a text as JavaScript counts it; never less than other ways to count characters."""
    return len(text.encode("utf-16-le")) // 2


def octets(text: str) -> int:
    return len(text.encode())


def json_octets(text: str) -> int:
    """The length of a text within JSON, without its quotes."""
    return len(json_bytes(text)) - 2


def plain(text: str) -> str:
    """A text without what steers a terminal or turns the writing round; line ends become one kind."""
    return _STEERING.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def one_line(text: str) -> str:
    return " ".join(plain(text).split())


def clip(text: str, most: int, *, size: Size = units) -> str:
    """The beginning of a text, cut between words where there are any, that is no longer than `most` by `size`.

    `size` may count a text as it will be escaped. It must not shrink as the text grows.
    """
    if len(text) <= most and size(text) <= most:
        return text
    low, high = 0, min(len(text), most)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if size(text[:middle] + _MORE) <= most else (low, middle - 1)
    cut = text[:low]
    words = re.match(r"(?s)(.*)\s", cut) if low < len(text) and not text[low].isspace() else None
    if words and len(words[1]) * 2 > len(cut):  # one endless word is cut within
        cut = words[1]
    return cut.rstrip() + _MORE


def json_bytes(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
