"""Pictures that stand within a text, as data: addresses. Pure."""

import base64
import binascii
import re

MOST = 20  # pictures of one text
_ENDINGS = {"png": "png", "jpeg": "jpg", "jpg": "jpg", "gif": "gif", "webp": "webp"}
# Code is passed over first; else only what stands where an address does: in (…), <…>, quotes, or after [name]:
_FOUND = re.compile(
    r"(?P<code>^(?P<fence>```|~~~).*?(?:^(?P=fence)[^\n]*|\Z)|`[^`\n]*`)"
    r"|(?:(?<=[(<\"'])|(?<=\]: ))data:(?P<kind>[\w.+-]{1,60}/[\w.+-]{1,60})(?P<how>(?:;[\w=.-]{1,60}){0,5}),"
    r"(?P<content>[A-Za-z0-9+/=_%-]*)",
    re.MULTILINE | re.DOTALL | re.IGNORECASE,
)


def taken_out(text: str) -> tuple[str, dict[str, bytes], list[str]]:
    """Name each picture in the text by a path; returns the text, the pictures by path, and what was not taken of it."""
    pictures: dict[str, bytes] = {}
    remarks: list[str] = []

    def by_path(found: re.Match[str]) -> str:
        if found["code"] is not None:
            return found[0]
        kind, content = found["kind"].lower(), _decoded(found)
        ending = _ENDINGS.get(kind.removeprefix("image/"))
        known = next((path for path, picture in pictures.items() if picture == content), "")
        if content and ending and (known or len(pictures) < MOST):
            path = known or f"in-text/picture-{len(pictures) + 1}.{ending}"
            pictures[path] = content
            return path
        why = f"only the first {MOST} are" if content and ending else "it is not a PNG, JPEG, GIF or WebP picture"
        remarks.append(f"A file within the text ({kind}) was not taken: {why}.")
        return "#"

    return _FOUND.sub(by_path, text), pictures, remarks


def _decoded(found: re.Match[str]) -> bytes:
    if not found["how"].lower().endswith(";base64"):
        return b""
    try:
        return base64.b64decode(
            found["content"].replace("%2B", "+").replace("%2F", "/").replace("%3D", "="), validate=True
        )
    except (binascii.Error, ValueError):
        return b""
