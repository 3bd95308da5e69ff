"""How people word failures: what a classifier of words is trained on, and what is kept aside to measure it.

Only training and tests read these files; scoring reads what training made of them (`words.tsv`).
"""

import hashlib
from dataclasses import dataclass

from incidents.taxonomy.catalogue import DATA, categories, read_json

NONE = "none"  # the class of what is no failure of an AI system
FOLDER = DATA / "wordings"


@dataclass(frozen=True, slots=True)
class Wording:
    text: str
    mode: str  # a failure mode, or NONE

    @property
    def category(self) -> str:
        return self.mode.partition(".")[0]


def for_training() -> list[Wording]:
    """Wordings of every failure mode and of plain infrastructure, then the words of the taxonomy and of its rules."""
    found = [wording for file in sorted(FOLDER.glob("*.txt")) for wording in _read(file.read_text(encoding="utf-8"))]
    for category in categories():
        for mode in category.modes:
            own = (mode.name, mode.definition, *(signal.replace("_", " ") for signal in mode.signals))
            found += [Wording(text, mode.code) for text in own]
    for rule in read_json("metric_rules.json"):
        if rule["suggests"] != "UNSURE":
            found += [Wording(example, rule["suggests"]) for example in rule["examples"].split("; ")]
    return found


def _read(text: str) -> list[Wording]:
    found, mode = [], ""
    for line in text.splitlines():
        if line.startswith("# "):
            mode = line[2:]
        elif line:
            found.append(Wording(line, mode))
    return found


def held_out() -> list[Wording]:
    """Wordings that were written before any model was made; no model may see them."""
    lines = (FOLDER / "held_out.tsv").read_text(encoding="utf-8").splitlines()
    return [Wording(text, mode) for mode, _, text in (line.partition("\t") for line in lines)]


def digest() -> str:
    """Name the state of the data that the table of weights is made of."""
    seen = hashlib.sha256()
    for file in (
        *sorted(FOLDER.glob("*.txt")),
        DATA / "taxonomy.json",
        DATA / "metric_rules.json",
        DATA / "thesaurus.txt",
    ):
        seen.update(file.read_bytes())
    return seen.hexdigest()[:16]
