"""Failures of AI systems that were told in public: a library to learn from, never part of anybody's figures."""

import json
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

from incidents import taxonomy
from incidents.response.incident import Incident

_FILE = Path(__file__).parent / "data" / "public_incidents.json"


@dataclass(frozen=True, slots=True)
class PublicIncident:
    id: str
    name: str
    start: str
    end: str
    organisation: str
    system_type: str
    category: str
    failure_mode: str
    summary: str
    how_detected: str
    time_undetected: str
    impact: str
    containment: str
    published_lessons: str
    confidence: str  # how sure the summary is: high, medium or low
    sources: tuple[str, ...]


@cache
def library() -> tuple[PublicIncident, ...]:
    failures = json.loads(_FILE.read_text())["incidents"]
    return tuple(PublicIncident(**{**failure, "sources": tuple(failure["sources"])}) for failure in failures)


def search(words: str, *, category: str = "") -> list[PublicIncident]:
    """Find those of a category, or of any, that hold every one of these words, in whatever was published of them."""
    wanted = words.casefold().split()
    return [
        failure
        for failure in library()
        if (not category or failure.category == category) and all(word in _text_of(failure) for word in wanted)
    ]


@cache
def _text_of(failure: PublicIncident) -> str:
    mode = taxonomy.find(failure.failure_mode)
    names = (taxonomy.category(failure.category).name, mode.name if mode else "")
    texts = [text for field in fields(failure) if isinstance(text := getattr(failure, field.name), str)]
    return "\n".join([*texts, *names]).casefold()


def related(incidents: list[Incident], *, most: int = 4) -> list[PublicIncident]:
    """Those of the same failure mode first, then of the same category; none where it is unclassified."""
    modes = {incident.failure_mode for incident in incidents if incident.failure_mode}
    categories = {incident.category for incident in incidents if incident.category}
    same_mode = [failure for failure in library() if failure.failure_mode in modes]
    same_category = [failure for failure in library() if failure.category in categories and failure not in same_mode]
    return [*same_mode, *same_category][:most]
