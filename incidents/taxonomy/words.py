"""From the words of an alert to the failure they tell of: a small linear model, scored in pure Python.

`words.tsv` holds what `scripts/train_classifier.py` learnt: one row of small numbers for each feature, one number for each
failure mode and for “none”, no failure of an AI system. A text's score is the sum of the rows of its features; the chance
of a category is the sum of its modes', made to agree with how often such an answer was right on wordings not trained on.
Below a bound the model does not answer.
"""

import json
import math
import re
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from incidents.taxonomy.catalogue import DATA, category, failure_mode
from incidents.taxonomy.catalogue import categories as all_categories
from incidents.taxonomy.features import Spans, Token, features, words_of
from incidents.taxonomy.rules import LONGEST_NAME, Confidence, Suggestion, classify, quotable
from incidents.taxonomy.wordings import NONE

MODES = (*(mode.code for kind in all_categories() for mode in kind.modes), NONE)
CATEGORIES = (*(kind.code for kind in all_categories()), NONE)
CATEGORY_OF = tuple(CATEGORIES.index(mode.partition(".")[0]) for mode in MODES)

# How sure an answer must be: chances, as they were found on wordings that the model had not seen.
ANSWER, MEDIUM, HIGH = 0.75, 0.9, 0.98
RULE = "words"  # the name under which a suggestion says that words were read
MODE = 0.6  # a failure mode's share of its category
LONGEST_TEXT = 400  # characters
MOST_PHRASES = 3


@dataclass(frozen=True, slots=True)
class WordsReading:
    """What a text reads like; `mode` is empty where only the category is clear."""

    category: str  # or NONE
    mode: str
    chance: float
    phrases: tuple[str, ...]  # those that decided, as they stand in the text


@dataclass(frozen=True, slots=True)
class Table:
    """The weights: 128 is neutral. Rows are bytes, since most are never asked for."""

    digest: str
    bias: tuple[float, ...]
    steps: tuple[float, ...]  # of each block: how much one unit of its rows counts
    temperature: float
    slope: float  # of the curve from the model's own chance to the true one
    lift: float
    unseen: dict[str, dict[str, int]]  # what training measured on wordings that its models had not seen
    rows: tuple[dict[str, bytes], ...]

    def true_chance(self, chance: float) -> float:
        chance = min(max(chance, 1e-6), 1 - 1e-6)
        return 1 / (1 + math.exp(-(self.slope * math.log(chance / (1 - chance)) + self.lift)))


@cache
def table() -> Table:
    with (DATA / "words.tsv").open(encoding="utf-8") as file:
        head = json.loads(next(file))
        rows: tuple[dict[str, bytes], ...] = tuple({} for _ in head["steps"])
        for line in file:
            block, name, weights = line.rstrip("\n").split("\t")
            rows[int(block)][name] = b64decode(weights)
    return Table(
        head["digest"],
        tuple(head["bias"]),
        tuple(head["steps"]),
        head["temperature"],
        head["slope"],
        head["lift"],
        head["unseen"],
        rows,
    )


@dataclass(frozen=True, slots=True)
class Guess:
    """What a text reads like most, however unlikely: `mode` and `category` are places in MODES and CATEGORIES."""

    category: int
    mode: int
    chance: float
    share: float  # the mode's, of its category


@lru_cache(maxsize=4096)  # monitors say the same again and again
def read(text: str) -> WordsReading | None:
    """Say what a text reads like; None where its words are not clear enough."""
    words = words_of(text[:LONGEST_TEXT])
    seen = _known(words)
    guess = _guess(seen)
    if guess.chance < ANSWER or not any(word.text.strip("0") for word in words):  # bare numbers tell nothing
        return None
    clear = CATEGORIES[guess.category] != NONE and guess.share >= MODE
    phrases = _phrases(text, words, seen, guess.mode)
    return WordsReading(CATEGORIES[guess.category], MODES[guess.mode] if clear else "", guess.chance, phrases)


def favourite(text: str) -> str:
    """The category, or NONE, that a text reads like most, however unlikely it is."""
    return CATEGORIES[_guess(_known(words_of(text[:LONGEST_TEXT]))).category]


Seen = list[list[tuple[bytes, float, Spans]]]  # by block: a row, how much it counts, the words it comes from


def _known(words: list[Token]) -> Seen:
    known = table()
    seen: Seen = []
    for block, step, rows in zip(features(words), known.steps, known.rows, strict=True):
        share = step / math.sqrt(len(block) or 1)
        seen.append([(row, share, where) for name, where in block.items() if (row := rows.get(name))])
    return seen


def _guess(seen: Seen) -> Guess:
    known = table()
    chances = _chances(seen, known)
    totals = [0.0] * len(CATEGORIES)
    for place, chance in zip(CATEGORY_OF, chances, strict=True):
        totals[place] += chance
    best = max(range(len(CATEGORIES)), key=totals.__getitem__)
    mode = max((n for n, place in enumerate(CATEGORY_OF) if place == best), key=chances.__getitem__)
    # Where no word is known, only the shares of training speak, and these say nothing of this text.
    chance = known.true_chance(totals[best]) if any(seen) else 0.0
    return Guess(best, mode, chance, chances[mode] / totals[best])


def _chances(seen: Seen, known: Table) -> list[float]:
    scores = list(known.bias)
    for block in seen:
        if block:
            share = block[0][1]
            sums = map(sum, zip(*(row for row, _, _ in block), strict=True))
            scores = [score + share * total for score, total in zip(scores, sums, strict=True)]
    most = max(scores)
    raised = [math.exp((score - most) / known.temperature) for score in scores]
    total = sum(raised)
    return [one / total for one in raised]


def _phrases(text: str, words: list[Token], seen: Seen, mode: int) -> tuple[str, ...]:
    """The words that speak most for this mode; neighbours are quoted together, in the order of the text."""
    weights = [0.0] * len(words)
    for block in seen:
        for row, share, where in block:
            places = [n for n in where if 0 <= n < len(words)]
            for n in places:
                weights[n] += share * (row[mode] - 128) / len(places)
    strongest = max(weights)
    if strongest <= 0:
        return ()
    runs: list[tuple[float, int, int]] = []
    for n, weight in enumerate(weights):
        if weight < strongest / 3 or not words[n].text.strip("0"):  # a bare number explains nothing
            continue
        if runs and runs[-1][2] == n - 1:
            runs[-1] = (runs[-1][0] + weight, runs[-1][1], n)
        else:
            runs.append((weight, n, n))
    best = sorted(sorted(runs, reverse=True)[:MOST_PHRASES], key=lambda run: run[1])
    return tuple(dict.fromkeys(_whole(text, words[first].begin, words[last].end) for _, first, last in best))


_AROUND = "\"'“”‘’«»()[]{}<>.,;:!?…"  # what stands around a token and is no part of it


def _whole(text: str, begin: int, end: int) -> str:
    """Quote a part of a text with the rest of the tokens that it begins and ends in, so that no half of one is quoted."""
    while begin and not text[begin - 1].isspace():
        begin -= 1
    while end < len(text) and not text[end].isspace():
        end += 1
    return quotable(text[begin:end].strip(_AROUND))


def confidence_of(chance: float) -> Confidence:
    return "high" if chance >= HIGH else "medium" if chance >= MEDIUM else "low"


def propose(text: str) -> Suggestion | None:
    """Suggest what a text tells of; the category is empty where it reads like no failure of an AI system.

    None where the words are not clear enough. Pure: the same text gives the same answer.
    """
    reading = read(text)
    if reading is None:
        return None
    because = _because(reading.phrases)
    sure = f"{min(reading.chance, 0.99):.0%}".replace("%", " %")  # nothing is certain
    if reading.category == NONE:
        reason = f"Reads like infrastructure, no AI failure ({sure}){because}."
        return Suggestion("", "", confidence_of(reading.chance), RULE, reason)
    name = category(reading.category).name.lower()
    if reading.mode:
        name = f"{name}, {failure_mode(reading.mode).name.lower()}"
    reason = f"Reads like {name} ({sure}){because}."
    return Suggestion(reading.category, reading.mode, confidence_of(reading.chance), RULE, reason)


def _because(phrases: Sequence[str]) -> str:
    return f" because of {', '.join(f'“{phrase}”' for phrase in phrases)}" if phrases else ""


_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n")


def suggest(names: Sequence[str], title: str = "", description: str = "") -> Suggestion | None:
    """Suggest a failure from what a monitor says: rules read its identifiers, the model reads its words.

    An identifier is a name without spaces. Rules are made for these and are wrong about sentences more often than right;
    so of a name with spaces they decide only where the model is unsure and yet leans the same way.
    """
    first = _SENTENCE_END.split(description[:LONGEST_TEXT].strip(), 1)[0]
    return _suggest(tuple(name[:LONGEST_NAME] for name in names), title[:LONGEST_TEXT], first)


@lru_cache(maxsize=4096)
def _suggest(names: tuple[str, ...], title: str, first: str) -> Suggestion | None:
    by_rule = classify(*(name for name in names if " " not in name.strip()))
    if by_rule and by_rule.category:
        return by_rule
    found = propose(title)
    if first and (found is None or not (found.category or found.confidence == "high")):
        # “Ticket 4711” says little; what follows it may.
        fuller = propose(f"{title}. {first}")
        found = fuller if fuller and (fuller.category or found is None) else found
    if found:
        return found
    of_sentences = classify(*(name for name in names if " " in name.strip()))
    if of_sentences and of_sentences.category and of_sentences.category == favourite(title):
        return of_sentences.less_sure()
    return by_rule or (of_sentences if of_sentences and not of_sentences.category else None)
