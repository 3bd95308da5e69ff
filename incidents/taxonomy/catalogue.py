"""Categories, failure modes and containments, read once from the data files beside this module."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data"


class DataMistake(Exception):
    """A taxonomy file is not as it should be; the message names the place."""


class Unknown(LookupError):
    """Nobody knows this code; the message lists or names what is known."""


@dataclass(frozen=True, slots=True)
class ContainmentAction:
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class FailureMode:
    code: str
    category: str
    name: str
    definition: str
    signals: tuple[str, ...]
    containments: tuple[ContainmentAction, ...]
    detection_difficulty: int  # 1 shows itself … 3 stays silent
    difficulty_reason: str

    @property
    def failure_mode(self) -> str:
        return self.code


@dataclass(frozen=True, slots=True)
class Category:
    code: str
    name: str
    definition: str
    core: bool
    modes: tuple[FailureMode, ...]

    @property
    def category(self) -> str:
        return self.code

    @property
    def failure_mode(self) -> str:
        return ""


UNCLASSIFIED = Category(
    "", "Unclassified", "Nobody has settled yet what kind of failure this is.", core=False, modes=()
)


OTHER = "other"  # a containment that the catalogue does not have: whoever records it says what it was


@dataclass(frozen=True, slots=True)
class Catalogue:
    categories: Mapping[str, Category]
    modes: Mapping[str, FailureMode]
    containments: Mapping[str, ContainmentAction]


def read_json(name: str) -> Any:
    with (DATA / name).open(encoding="utf-8") as file:
        return json.load(file)


@cache
def _catalogue() -> Catalogue:
    raw = read_json("taxonomy.json")
    names = raw["containment_actions"]
    containments = {code: ContainmentAction(code, names[code]) for code in names}
    containments[OTHER] = ContainmentAction(OTHER, "Something else")
    categories = {}
    modes: dict[str, FailureMode] = {}
    for row in raw["categories"]:
        own_modes = tuple(_mode(mode, category=row["code"], containments=containments) for mode in row["modes"])
        modes |= {mode.code: mode for mode in own_modes}
        categories[row["code"]] = Category(row["code"], row["name"], row["definition"], row["core"], own_modes)
    return Catalogue(categories, modes, containments)


def _mode(row: dict[str, Any], *, category: str, containments: Mapping[str, ContainmentAction]) -> FailureMode:
    code = row["code"]
    if not code.startswith(f"{category}."):
        raise DataMistake(f"taxonomy.json: {code} stands under {category}.")
    if missing := [action for action in row["containment"] if action not in containments]:
        raise DataMistake(f"taxonomy.json: {code} names the containments {missing}, which are not defined.")
    return FailureMode(
        code=code,
        category=category,
        name=row["name"],
        definition=row["definition"],
        signals=tuple(row["signals"]),
        containments=tuple(containments[action] for action in row["containment"]),
        detection_difficulty=row["detection_difficulty"],
        difficulty_reason=row["difficulty_reason"],
    )


def categories() -> tuple[Category, ...]:
    return tuple(_catalogue().categories.values())


def category(code: str) -> Category:
    """Look a category up; the empty code is “Unclassified”. Raises Unknown."""
    if not code:
        return UNCLASSIFIED
    try:
        return _catalogue().categories[code]
    except KeyError:
        raise Unknown(f"“{code}” is no category; known are {', '.join(_catalogue().categories)}.") from None


def failure_mode(code: str) -> FailureMode:
    """Look a failure mode up. Raises Unknown."""
    try:
        return _catalogue().modes[code]
    except KeyError:
        raise Unknown(f"“{code}” is no failure mode; one is written like retrieval.stale_index.") from None


def find(code: str) -> Category | FailureMode | None:
    """Look up a category or a failure mode by its code, as a monitor may write it; None if it is neither."""
    known = _catalogue()
    code = code.strip().lower()
    return known.modes.get(code) or known.categories.get(code)


def containment(code: str) -> ContainmentAction:
    """Look a containment up. Raises Unknown."""
    try:
        return _catalogue().containments[code]
    except KeyError:
        raise Unknown(f"“{code}” is no containment; one is written like rollback_model.") from None


def all_containments() -> tuple[ContainmentAction, ...]:
    return tuple(_catalogue().containments.values())


def containments_for(category_code: str, mode_code: str) -> tuple[ContainmentAction, ...]:
    """What usually limits the harm of this failure, most usual first; empty while it is unclassified."""
    if mode_code:
        return failure_mode(mode_code).containments
    counted: dict[ContainmentAction, int] = {}
    for mode in category(category_code).modes:
        for action in mode.containments:
            counted[action] = counted.get(action, 0) + 1
    return tuple(sorted(counted, key=lambda action: (-counted[action], action.name)))


def category_choices() -> list[tuple[str, str]]:
    return [(category.code, category.name) for category in categories()]


def failure_mode_choices() -> list[tuple[str, list[tuple[str, str]]]]:
    """Failure modes grouped by category, as a <select> takes them."""
    return [(category.name, [(mode.code, mode.name) for mode in category.modes]) for category in categories()]
