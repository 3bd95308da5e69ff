"""How alike two short texts are, by the words and concepts that they share. Pure."""

import math
from functools import lru_cache

from incidents.taxonomy.features import BLOCKS, features, words_of

_COUNTED = (BLOCKS.index("words"), BLOCKS.index("concepts"))


@lru_cache(maxsize=4096)
def traits_of(text: str) -> frozenset[str]:
    """What a text is compared by: its words, their stems, and their concepts; numbers alike."""
    blocks = features(words_of(text[:400]))
    return frozenset(f"{block} {name}" for block in _COUNTED for name in blocks[block])


def alike(one: frozenset[str], other: frozenset[str]) -> float:
    """How much two texts share, from 0 to 1: the cosine of their traits (Otsuka and Ochiai's coefficient)."""
    if not one or not other:
        return 0.0
    return len(one & other) / math.sqrt(len(one) * len(other))
