"""Names and titles: one line each, in which something can be read."""

import unicodedata

from django.core.exceptions import ValidationError

# What is a letter or a sign to Unicode and cannot be seen: fillers, the blank of Braille, and what bad UTF-8 is read as.
_UNSEEN = frozenset("\u115f\u1160\u2800\u3164\ufffd\uffa0")


def is_blank(text: str) -> bool:
    """Whether nothing of a text can be read: spaces, signs of no width, controls, and marks with no letter to stand on."""
    return all(sign in _UNSEEN or unicodedata.category(sign)[0] in "CMZ" for sign in text)


def one_line(text: str) -> str:
    """A text in one line with single spaces; "" where nothing of it can be read."""
    return "" if is_blank(text) else " ".join(text.split())


def check_readable(text: str) -> None:
    """Raise ValidationError where a name or title cannot be read; for fields of models and forms."""
    if is_blank(text):
        raise ValidationError("Enter something that can be read.")
