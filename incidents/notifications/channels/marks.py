"""What people wrote, as text that a chat shows and does not act on. Pure."""

import re

# An address without a sign that marks or mentions anything may stay as it is: escaped, its link would be broken.
_ADDRESS = re.compile(r"(https?://[\w./?=&%:+-]+)", re.ASCII)
_MARKS = re.compile(r"([\\`*_\[\]<>~|#])")
_UNSEEN = "\u200b"


def markdown(text: str) -> str:
    """Escape what marks text in Markdown."""
    parts = _ADDRESS.split(text)
    return "".join(part if position % 2 else _MARKS.sub(r"\\\1", part) for position, part in enumerate(parts))


def without_mentions(text: str) -> str:
    """Part each @ from the name behind it, by a sign that nobody sees, so that it calls nobody."""
    return text.replace("@", "@" + _UNSEEN)


def angles(text: str) -> str:
    """Write &, < and > as entities."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def apart(text: str) -> str:
    """Part each < from what is behind it where entities are not read."""
    return text.replace("<", "<" + _UNSEEN)
