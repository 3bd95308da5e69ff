"""What a run says, in whatever format it came: cases by their keys, each with k of n. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

MOST_RESULTS, MOST_TRIES = 20_000, 1000
LONGEST_NOTE = 500
# The key as tools write it into names: `test_case[0-case-12@3]`. The version is of the case as it was read.
_KEY = re.compile(r"(?<![A-Za-z0-9])case-([0-9]{1,9})(?:@([0-9]{1,9}))?(?![0-9A-Za-z])")


class UnreadableReport(Exception):
    """The body is not what it says it is; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class CaseReport:
    """How often one case passed. `version` is None where the report does not say which was run."""

    number: int
    version: int | None
    passed: int
    tries: int
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """One run. What is empty the report does not say."""

    format: str
    results: tuple[CaseReport, ...]
    unnamed: int = 0  # results that name no case: other tests of the same file
    run_id: str = ""
    model: str = ""
    prompt_version: str = ""
    revision: str = ""
    url: str = ""
    ran_at: datetime | None = None

    def with_facts(self, facts: Mapping[str, Any]) -> "RunReport":
        """The same report, with what its sender says beside it."""
        return replace(self, **facts)


@dataclass(slots=True)
class Tries:
    """Counts single tries by case and version, in the order in which cases come."""

    counts: dict[tuple[int, int | None], list[int]] = field(default_factory=dict)
    notes: dict[tuple[int, int | None], str] = field(default_factory=dict)
    unnamed: int = 0
    total: int = 0

    def add(self, names: Iterable[str], *, passed: bool, note: str = "", version: int | None = None) -> None:
        """Count one try of the case that one of the names says. Raises UnreadableReport where there are too many."""
        self.total += 1
        if self.total > MOST_RESULTS:
            raise UnreadableReport(f"A run may have {MOST_RESULTS:,} results at most.")
        found = next(filter(None, map(named, names)), None)
        if found is None:
            self.unnamed += 1
            return
        key = (found[0], found[1] if found[1] is not None else version)
        count = self.counts.setdefault(key, [0, 0])
        count[0] += passed
        count[1] += 1
        if count[1] > MOST_TRIES:
            raise UnreadableReport(f"case-{key[0]} was tried more than {MOST_TRIES:,} times.")
        if not passed and note and key not in self.notes:
            self.notes[key] = tidy(note, LONGEST_NOTE)

    def reports(self) -> Iterator[CaseReport]:
        for key, (passed, tries) in self.counts.items():
            yield CaseReport(*key, passed, tries, self.notes.get(key, ""))


def tidy(text: str, most: int) -> str:
    """A text in one line that a table can hold: without NUL and lone surrogates, which tools do write."""
    clean = text.replace("\x00", "").encode("utf-8", "replace").decode()
    return " ".join(clean.split())[:most]


def named(text: str) -> tuple[int, int | None] | None:
    """The case that a name says, and its version where that is said too."""
    found = _KEY.search(text)
    return (int(found[1]), int(found[2]) if found[2] else None) if found else None
