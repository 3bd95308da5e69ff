"""What a classifier of words looks at: words, their stems, neighbours, and the concepts of a thesaurus.

Training and scoring share this module, so that they cannot see a text differently. It is pure Python.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache

from incidents.taxonomy.catalogue import DATA

BLOCKS = ("words", "neighbours", "concepts", "pairs")  # each is normalised by itself
MOST_WORDS = 40  # a title has fewer; what comes after them is not looked at
STEM = 5  # letters
LONGEST_PHRASE = 4  # words

_WORD = re.compile(r"\w+(?:['’]\w+)?")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|_")

Spans = tuple[int, ...]  # which words, by their place in the text


@dataclass(frozen=True, slots=True)
class Token:
    text: str  # in small letters, and each number written as 0
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Thesaurus:
    """Which concepts a phrase stands for: those written in full, and those that stand for all that begin so."""

    whole: dict[str, tuple[str, ...]]
    beginnings: dict[str, tuple[str, ...]]
    first_words: frozenset[str]  # of phrases of several words

    def concepts(self, phrase: str) -> tuple[str, ...]:
        found = self.whole.get(phrase, ())
        for end in range(len(phrase), 2, -1):
            if longer := self.beginnings.get(phrase[:end]):
                return tuple(dict.fromkeys(found + longer))
        return found


def words_of(text: str) -> list[Token]:
    """Cut a text into words; CamelCase and snake_case names fall into theirs. Places are those in the text."""
    found: list[Token] = []
    for match in _WORD.finditer(text):
        begin = match.start()
        for cut in [*(m.span() for m in _CAMEL.finditer(match.group())), (len(match.group()),) * 2]:
            end = match.start() + cut[0]
            if end > begin:
                found.append(Token(re.sub(r"\d+", "0", text[begin:end].lower()), begin, end))
                if len(found) == MOST_WORDS:
                    return found
            begin = match.start() + cut[1]
    return found


@cache
def thesaurus() -> Thesaurus:
    whole: dict[str, tuple[str, ...]] = {}
    beginnings: dict[str, tuple[str, ...]] = {}
    for concept, phrase in _phrases():
        table = beginnings if phrase.endswith("*") else whole
        words = " ".join(word.text for word in words_of(phrase))
        table[words] = (*table.get(words, ()), concept)
    several = (phrase.partition(" ") for phrase in (*whole, *beginnings))
    return Thesaurus(whole, beginnings, frozenset(first for first, _, rest in several if rest))


def _phrases() -> Iterator[tuple[str, str]]:
    for line in (DATA / "thesaurus.txt").read_text(encoding="utf-8").splitlines():
        concept, colon, phrases = line.partition(": ")
        if colon and not line.startswith("#"):
            yield from ((concept, phrase.strip()) for phrase in phrases.split(",") if phrase.strip(" *"))


@lru_cache(maxsize=16384)
def _concepts(phrase: str) -> tuple[str, ...]:
    return thesaurus().concepts(phrase)


def features(words: list[Token]) -> tuple[dict[str, Spans], ...]:
    """Name what each block sees, with the words that it comes from; every feature counts once."""
    texts = [word.text for word in words]
    stems = [text[:STEM] for text in texts]
    return (
        _single(texts, stems),
        {f"{a} {b}": (n - 1, n) for n, (a, b) in enumerate(zip(["^", *stems], [*stems, "$"], strict=True))},
        (concepts := _concept_spans(texts)),
        _pairs(concepts),
    )


def _single(texts: list[str], stems: list[str]) -> dict[str, Spans]:
    found: dict[str, Spans] = {}
    for n, (text, stem) in enumerate(zip(texts, stems, strict=True)):
        found[text] = (n,)
        if len(stem) == STEM:
            found[f"{stem}*"] = (n,)
    return found


def _concept_spans(texts: list[str]) -> dict[str, Spans]:
    found: dict[str, Spans] = {}
    several = thesaurus().first_words
    for begin, text in enumerate(texts):
        for concept in _concepts(text):
            found.setdefault(f"<{concept}>", (begin,))
        if text in several:
            for end in range(begin + 2, min(begin + LONGEST_PHRASE, len(texts)) + 1):
                for concept in _concepts(" ".join(texts[begin:end])):
                    found.setdefault(f"<{concept}>", tuple(range(begin, end)))
    return found


def _pairs(concepts: dict[str, Spans]) -> dict[str, Spans]:
    ordered = sorted(concepts.items())
    return {
        f"{a}{b}": tuple(dict.fromkeys(where + there))
        for n, (a, where) in enumerate(ordered)
        for b, there in ordered[n + 1 :]
    }
