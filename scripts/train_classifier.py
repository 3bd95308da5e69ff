"""Learns to read the words of alerts from incidents/taxonomy/data/wordings and the thesaurus beside it.

    .venv/bin/python scripts/train_classifier.py            # learns and writes words.tsv (about a minute)
    .venv/bin/python scripts/train_classifier.py --check    # learns again and compares

Three linear models of the same features are added up to one table of weights: naive Bayes and a support vector machine
over the failure modes, and one over the categories. Each sees something else, and the sum of linear models costs no more
to score than one of them. The same data give the same table. Held-out wordings are never read here.
"""

import argparse
import json
import math
import sys
from base64 import b64encode
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_matrix

HERE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(HERE))

from incidents.taxonomy import wordings, words  # noqa: E402
from incidents.taxonomy.catalogue import DATA  # noqa: E402
from incidents.taxonomy.features import BLOCKS, features, words_of  # noqa: E402
from incidents.taxonomy.wordings import Wording  # noqa: E402

Numbers = NDArray[np.float64]
Seen = list[list[list[str]]]  # of each text, by block

BLOCK_WEIGHTS = (1.0, 0.7, 0.5, 0.4)
LEAST = (1, 2, 1, 2)  # how many wordings must have a feature of this block
SMOOTHING = 0.05  # of naive Bayes
SLACK = 0.5  # C of the support vector machines
WEIGHT_OF_MODES, WEIGHT_OF_CATEGORIES = 4.0, 3.0
LIFT_OF_NONE = 4.0  # to all scores of “none”: to open an incident for a full disk costs more than to ask a person
ROUNDS = 30  # of the optimiser; more change nothing that can be measured
FOLDS = 5


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The features that are known, each with its place and with how telling it is for being rare."""

    places: tuple[dict[str, int], ...]
    rarity: Numbers

    @classmethod
    def of(cls, seen: Seen) -> "Vocabulary":
        counts = [Counter(name for text in seen for name in text[block]) for block in range(len(BLOCKS))]
        places: list[dict[str, int]] = []
        rarity: list[float] = []
        for least, block in zip(LEAST, counts, strict=True):
            names = sorted(name for name, count in block.items() if count >= least)
            places.append({name: len(rarity) + n for n, name in enumerate(names)})
            rarity += [math.log((1 + len(seen)) / (1 + block[name])) + 1 for name in names]
        return cls(tuple(places), np.array(rarity))

    def matrix(self, seen: Seen) -> csr_matrix:
        rows, columns, values = [], [], []
        for row, text in enumerate(seen):
            for block, names in enumerate(text):
                share = BLOCK_WEIGHTS[block] / math.sqrt(max(len(names), 1))
                known = [place for name in names if (place := self.places[block].get(name)) is not None]
                rows += [row] * len(known)
                columns += known
                values += [share * self.rarity[place] / 5 for place in known]
        return csr_matrix((values, (rows, columns)), shape=(len(seen), len(self.rarity)))


@dataclass(frozen=True, slots=True)
class Weights:
    """One row for each feature and one column for each mode."""

    vocabulary: Vocabulary
    rows: Numbers
    bias: Numbers

    def scores(self, seen: Seen) -> Numbers:
        return np.asarray(self.vocabulary.matrix(seen) @ self.rows + self.bias)


def see(texts: Sequence[str]) -> Seen:
    return [[list(block) for block in features(words_of(text))] for text in texts]


def learn(seen: Seen, modes: Sequence[str]) -> Weights:
    vocabulary = Vocabulary.of(seen)
    x = vocabulary.matrix(seen)
    known, of_category = words.MODES, words.CATEGORY_OF
    bayes, prior = naive_bayes(x, np.array([known.index(mode) for mode in modes]), len(known))
    rows, bias = machine(x, np.array([known.index(mode) for mode in modes]), len(known))
    wide, level = machine(x, np.array([of_category[known.index(mode)] for mode in modes]), len(words.CATEGORIES))
    rows = bayes + WEIGHT_OF_MODES * rows + WEIGHT_OF_CATEGORIES * wide[:, of_category]
    bias = prior + WEIGHT_OF_MODES * bias + WEIGHT_OF_CATEGORIES * level[list(of_category)]
    rows -= rows.mean(axis=1, keepdims=True)  # what all modes share decides nothing
    bias[known.index(wordings.NONE)] += LIFT_OF_NONE
    return Weights(vocabulary, rows, bias - bias.mean())


def naive_bayes(x: csr_matrix, y: NDArray[np.int64], classes: int) -> tuple[Numbers, Numbers]:
    one_hot = np.eye(classes)[y]
    counts = np.asarray(x.T @ one_hot) + SMOOTHING
    return np.log(counts / counts.sum(axis=0)), np.log(one_hot.mean(axis=0))


def machine(x: csr_matrix, y: NDArray[np.int64], classes: int) -> tuple[Numbers, Numbers]:
    """Learn one class against all others, for all classes at once, with a squared hinge."""
    sign = np.where(np.eye(classes, dtype=bool)[y], 1.0, -1.0)
    shape = (x.shape[1] + 1, classes)
    across = x.T.tocsr()

    def loss(flat: Numbers) -> tuple[float, Numbers]:
        w = flat.reshape(shape)
        gap = np.maximum(0, 1 - sign * (x @ w[:-1] + w[-1]))
        pull = -2 * SLACK * sign * gap
        slope = w + np.vstack([across @ pull, pull.sum(axis=0)])
        return float((w * w).sum() / 2 + SLACK * (gap * gap).sum()), slope.ravel()

    found = minimize(loss, np.zeros(shape).ravel(), jac=True, method="L-BFGS-B", options={"maxiter": ROUNDS})
    w = found.x.reshape(shape)
    return w[:-1], w[-1]


# How sure it is


@dataclass(frozen=True, slots=True)
class Curve:
    """From scores to true chances, as they were found on wordings that a model had not seen."""

    temperature: float
    slope: float
    lift: float


def totals(scores: Numbers, temperature: float) -> Numbers:
    """The chance of each category: the sum of its modes'."""
    raised = np.exp((scores - scores.max(axis=1, keepdims=True)) / temperature)
    return np.asarray(
        raised / raised.sum(axis=1, keepdims=True) @ np.eye(len(words.CATEGORIES))[list(words.CATEGORY_OF)]
    )


def unseen_scores(seen: Seen, examples: Sequence[Wording]) -> Numbers:
    """Score each wording by a model that learnt from the others.

    Folds are stretches of each mode's list: what was written in one go stays together, so that near repeats do not flatter.
    """
    fold = np.zeros(len(examples), dtype=int)
    for mode in words.MODES:
        own = [n for n, example in enumerate(examples) if example.mode == mode]
        for part, places in enumerate(np.array_split(np.array(own), FOLDS)):
            fold[places] = part
    scores = np.zeros((len(examples), len(words.MODES)))
    for part in range(FOLDS):
        rest, asked = np.flatnonzero(fold != part), np.flatnonzero(fold == part)
        weights = learn([seen[n] for n in rest], [examples[int(n)].mode for n in rest])
        scores[asked] = weights.scores([seen[n] for n in asked])
    return scores


def calibrate(scores: Numbers, truth: NDArray[np.int64]) -> Curve:
    everyone = np.arange(len(truth))

    def surprise(temperature: float) -> float:
        return float(-np.log(np.maximum(totals(scores, temperature)[everyone, truth], 1e-9)).mean())

    temperature = min((n / 20 for n in range(10, 200)), key=surprise)
    chances = totals(scores, temperature)
    top = np.clip(chances.max(axis=1), 1e-6, 1 - 1e-6)
    odds, right = np.log(top / (1 - top)), (chances.argmax(axis=1) == truth).astype(float)

    def misfit(line: Numbers) -> float:
        believed = 1 / (1 + np.exp(-(line[0] * odds + line[1])))
        return float(-(right * np.log(believed + 1e-12) + (1 - right) * np.log(1 - believed + 1e-12)).mean())

    slope, lift = minimize(misfit, np.array([1.0, 0.0]), method="Nelder-Mead").x
    return Curve(temperature, round(float(slope), 3), round(float(lift), 3))


def figures(scores: Numbers, truth: NDArray[np.int64], curve: Curve) -> dict[str, dict[str, int]]:
    """Count what was answered rightly and wrongly about wordings that a model had not seen."""
    chances = totals(scores, curve.temperature)
    said, none = chances.argmax(axis=1), words.CATEGORIES.index(wordings.NONE)
    odds = np.log(np.clip(chances.max(axis=1), 1e-6, 1 - 1e-6) / np.clip(1 - chances.max(axis=1), 1e-6, 1))
    sure = 1 / (1 + np.exp(-(curve.slope * odds + curve.lift)))
    answered, wrong = sure >= words.ANSWER, said != truth
    groups = {"failures": truth != none, "infrastructure": truth == none}
    return {
        name: {
            "n": int(group.sum()),
            "right": int((group & answered & ~wrong).sum()),
            "wrong": int((group & answered & wrong & (said != none)).sum()),
            "taken_for_infrastructure": int((group & answered & wrong & (said == none)).sum()),
            "wrong_with_high": int((group & wrong & (sure >= words.HIGH)).sum()),
        }
        for name, group in groups.items()
    }


def written(weights: Weights, curve: Curve, unseen: dict[str, dict[str, int]]) -> str:
    """The table as text: a head, then block, feature and weights, in order."""
    steps, lines = [], []
    for block, places in enumerate(weights.vocabulary.places):
        own = np.array(sorted(places.values()))
        rows = weights.rows[own] * weights.vocabulary.rarity[own][:, None]
        step = float(np.quantile(np.abs(rows), 0.9999)) / 127
        steps.append(step * BLOCK_WEIGHTS[block] / 5)
        whole = np.clip(np.rint(rows / step), -127, 127).astype(int) + 128
        lines += [
            f"{block}\t{name}\t{b64encode(bytes(whole[n].tolist())).decode()}" for n, name in enumerate(sorted(places))
        ]
    head = {
        "digest": wordings.digest(),
        "bias": [round(float(number), 4) for number in weights.bias],
        "steps": [float(f"{step:.6g}") for step in steps],
        "temperature": curve.temperature,
        "slope": curve.slope,
        "lift": curve.lift,
        "unseen": unseen,
    }
    return "\n".join([json.dumps(head), *lines]) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="learn again and compare with the file")
    check = parser.parse_args().check
    examples = wordings.for_training()
    seen = see([example.text for example in examples])
    truth = np.array([words.CATEGORIES.index(example.category) for example in examples])
    weights, file = learn(seen, [example.mode for example in examples]), DATA / "words.tsv"
    if check:  # the weights alone: how sure they are takes five times as long, and follows from them
        known = words.table()
        text = written(weights, Curve(known.temperature, known.slope, known.lift), known.unseen)
        same = file.read_text(encoding="utf-8") == text
        print("words.tsv is what the data give." if same else "words.tsv differs: run scripts/train_classifier.py.")
        return 0 if same else 1
    scores = unseen_scores(seen, examples)
    curve = calibrate(scores, truth)
    text = written(weights, curve, figures(scores, truth, curve))
    file.write_text(text, encoding="utf-8")
    print(f"{len(examples)} wordings, {text.count(chr(10)) - 1} features, {len(text) // 1024} KiB.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
