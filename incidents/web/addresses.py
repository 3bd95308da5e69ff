"""Addresses in rendered text: found by the pattern that `urls.py` gives them, so that no module writes one by hand."""

import re
from functools import cache

from django.urls import reverse

# Numbers that no row has, to be replaced by what stands for any number.
_STAND_INS = (1000000007, 1000000009)


@cache
def address_pattern(name: str, numbers: int = 1) -> str:
    r"""Give a regular expression for the addresses of a page: each of its `numbers` is a group of digits, (\d+)."""
    stand_ins = _STAND_INS[:numbers]
    pattern = re.escape(reverse(name, args=stand_ins))
    for stand_in in stand_ins:
        pattern = pattern.replace(str(stand_in), r"(\d+)")
    return pattern
