"""Measures how well the words of alerts are read, on wordings that no model has seen.

    .venv/bin/python scripts/measure_classifier.py            # prints the figures
    .venv/bin/python scripts/measure_classifier.py --write    # puts them into docs/classification.md

Standard library only, as scoring is.
"""

import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(HERE))

from incidents.taxonomy import suggest, words  # noqa: E402
from incidents.taxonomy.wordings import NONE, Wording, held_out  # noqa: E402

PAGE = HERE / "docs" / "classification.md"
PLACE = re.compile(r"(<!-- measured: .* -->\n).*(<!-- end -->)", re.DOTALL)
UNCLEAR = "unclear"
BINS = (0.75, 0.8, 0.85, 0.9, 0.95, 0.98, 1.01)


@dataclass(frozen=True, slots=True)
class Answer:
    wording: Wording
    category: str  # NONE, or UNCLEAR where there is no answer
    mode: str
    confidence: str

    @property
    def right(self) -> bool:
        return self.category == self.wording.category

    @property
    def wrong(self) -> bool:
        return not self.right and self.category != UNCLEAR


def ask(wording: Wording) -> Answer:
    """Ask what an alert with this title would be taken for."""
    found = suggest((wording.text,), wording.text)
    if found is None or (not found.category and found.rule != words.RULE):
        return Answer(wording, UNCLEAR, "", "")
    return Answer(wording, found.category or NONE, found.failure_mode, found.confidence)


def share(count: int, n: int) -> str:
    return f"{count} of {n} ({count / n:.1%})" if n else "0"


def of_failures(answers: list[Answer]) -> Iterator[tuple[str, str]]:
    n = len(answers)
    right = [answer for answer in answers if answer.right]
    taken = sum(answer.wrong and answer.category == NONE for answer in answers)
    with_mode = [answer for answer in right if answer.mode]
    yield "right category", share(len(right), n)
    yield "of those answered, right", share(len(right), sum(answer.category != UNCLEAR for answer in answers))
    yield "wrong category", share(sum(answer.wrong for answer in answers) - taken, n)
    yield "taken for infrastructure", share(taken, n)
    yield "left to a person", share(sum(answer.category == UNCLEAR for answer in answers), n)
    yield (
        "wrong with high confidence",
        share(sum(answer.wrong and answer.confidence == "high" for answer in answers), n),
    )
    yield "right category with a failure mode", share(len(with_mode), len(right))
    yield "of these, right mode", share(sum(a.mode == a.wording.mode for a in with_mode), len(with_mode))


def of_infrastructure(answers: list[Answer]) -> Iterator[tuple[str, str]]:
    n = len(answers)
    yield "said to be infrastructure", share(sum(answer.right for answer in answers), n)
    yield "called an AI failure", share(sum(answer.wrong for answer in answers), n)
    yield "called one with high confidence", share(sum(a.wrong and a.confidence == "high" for a in answers), n)
    yield "left to a person", share(sum(answer.category == UNCLEAR for answer in answers), n)


def confusion(answers: Iterable[Answer]) -> Iterator[str]:
    columns = (*words.CATEGORIES, UNCLEAR)
    counts = Counter((answer.wording.category, answer.category) for answer in answers)
    yield "| is \\ read as | " + " | ".join(column.replace("_", " ") for column in columns) + " |"
    yield "|---" * (len(columns) + 1) + "|"
    for row in words.CATEGORIES:
        cells = " | ".join(str(counts[row, column] or "") for column in columns)
        yield f"| **{row.replace('_', ' ')}** | {cells} |"


def calibration(wordings: Iterable[Wording]) -> Iterator[str]:
    readings = [(found, wording) for wording in wordings if (found := words.read(wording.text))]
    yield "| chance that it gave | n | mean | right |"
    yield "|---|---|---|---|"
    for least, less in pairwise(BINS):
        inside = [(found, wording) for found, wording in readings if least <= found.chance < less]
        if inside:
            mean = sum(found.chance for found, _ in inside) / len(inside)
            right = sum(found.category == wording.category for found, wording in inside)
            yield f"| {least:.0%} to {min(less, 1):.0%} | {len(inside)} | {mean:.1%} | {right / len(inside):.1%} |"


def of_stretches() -> Iterator[str]:
    """What training found on each stretch of its own wordings by models that had not seen that stretch."""
    unseen = words.table().unseen
    yield "| | n | right | wrong | taken for infrastructure | wrong with high confidence |"
    yield "|---|---|---|---|---|---|"
    for name, counts in unseen.items():
        n = counts["n"]
        cells = [counts["right"], counts["wrong"], counts["taken_for_infrastructure"], counts["wrong_with_high"]]
        yield f"| {name} | {n} | " + " | ".join(f"{cell / n:.1%}" for cell in cells) + " |"


def report() -> str:
    wordings = held_out()
    answers = [ask(wording) for wording in wordings]
    failures = [answer for answer in answers if answer.wording.category != NONE]
    others = [answer for answer in answers if answer.wording.category == NONE]
    lines = ["", f"**{len(failures)} wordings of failures**", "", "| | |", "|---|---|"]
    lines += [f"| {name} | {figure} |" for name, figure in of_failures(failures)]
    lines += ["", f"**{len(others)} wordings of plain infrastructure**", "", "| | |", "|---|---|"]
    lines += [f"| {name} | {figure} |" for name, figure in of_infrastructure(others)]
    lines += ["", "**What was read as what**", "", *confusion(answers)]
    lines += ["", "**Is the chance true?** Of all that the model answered:", "", *calibration(wordings), ""]
    lines += ["**Wordings of training, each stretch asked of a model that had not seen it**", "", *of_stretches(), ""]
    return "\n".join(lines) + "\n"


def main() -> int:
    text = report()
    if "--write" in sys.argv[1:]:
        PAGE.write_text(PLACE.sub(lambda found: found[1] + text + found[2], PAGE.read_text(encoding="utf-8")), "utf-8")
    else:
        print(text, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
