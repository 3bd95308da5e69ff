"""The AI context of an incident: which model, prompt, index, data set, tools and guardrails were in force, as Changes tell it.

A Change is in force from the moment it happened until the next one of its kind in its system. Where none is on record before
a moment, the version is unknown: that nothing was recorded does not mean that nothing changed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import CharField, Value

from incidents.response.incident import Incident
from incidents.systems.models import Change, System

_K = Change.Kind
# What an AI system is made of, as people call it; a tool is allowed by a change of permission.
PARTS: dict[str, str] = {
    _K.MODEL: "Model",
    _K.PROMPT: "Prompt",
    _K.INDEX: "Index",
    _K.DATASET: "Data set",
    _K.PERMISSION: "Tools",
    _K.GUARDRAIL: "Guardrails",
}
_ONSET, _DETECTION = "onset", "detection"


@dataclass(frozen=True, slots=True)
class InForce:
    """A version that was in force: the change that brought it, its version or else its title, and since when (UTC)."""

    change: int
    version: str
    url: str
    since: datetime


@dataclass(frozen=True, slots=True)
class PartInForce:
    """One part of the system, or of what it depends on: what was in force at both moments; None is unknown."""

    kind: str
    label: str
    system: str
    is_own: bool
    at_onset: InForce | None
    at_detection: InForce | None

    @property
    def differs(self) -> bool:
        """Whether it is known that another version came between the two moments."""
        return self.at_detection is not None and self.at_onset is not None and self.at_onset != self.at_detection

    @property
    def came_between(self) -> bool:
        """Whether the first change on record came between: what was in force before it, nobody knows."""
        return self.at_onset is None and self.at_detection is not None


@dataclass(frozen=True, slots=True)
class AiContext:
    onset: datetime | None
    detection: datetime | None
    parts: list[PartInForce]

    @property
    def is_known(self) -> bool:
        return any(part.at_onset or part.at_detection for part in self.parts)

    @property
    def differing(self) -> list[PartInForce]:
        """What is another at detection than at onset; empty where the onset is unknown, since nobody can tell."""
        return [part for part in self.parts if self.onset and (part.differs or part.came_between)]


def context_of(incident: Incident) -> AiContext | None:
    """What was in force when the impact started (the earliest moment, of a range) and when it was detected.

    Of the system itself every part is listed; of what it depends on directly, those of which a change is on record. None
    where no system is known.
    """
    system = incident.system
    if system is None:
        return None
    onset, detection = incident.impact_started_at, incident.detected_at
    moments = [(name, moment) for name, moment in ((_ONSET, onset), (_DETECTION, detection)) if moment]
    found = {(row["system_id"], row["kind"], row["moment"]): row for row in _rows(system, moments)}
    places = [(system.pk, system.name, True)]
    names = {row["system_id"]: row["system__name"] for row in found.values()} | {system.pk: system.name}
    places += [(pk, name, False) for pk, name in sorted(names.items(), key=lambda pair: pair[1]) if pk != system.pk]
    parts = [
        PartInForce(
            kind, label, name, is_own, *(_in_force(found.get((pk, kind, moment))) for moment in (_ONSET, _DETECTION))
        )
        for pk, name, is_own in places
        for kind, label in PARTS.items()
        if is_own or (pk, kind, _DETECTION) in found or (pk, kind, _ONSET) in found
    ]
    return AiContext(onset, detection, parts)


def _rows(system: System, moments: Iterable[tuple[str, datetime]]) -> list[dict[str, Any]]:
    """The last change of each kind in each system at each moment, in one query."""
    systems = [system.pk, *system.dependencies.values_list("upstream_id", flat=True)]
    asked = [
        Change.objects.filter(system__in=systems, kind__in=PARTS, happened_at__lte=moment)
        .annotate(moment=Value(name, CharField()))
        .order_by("system_id", "kind", "-happened_at", "-pk")
        .distinct("system_id", "kind")
        .values("pk", "system_id", "system__name", "kind", "title", "version", "url", "happened_at", "moment")
        for name, moment in moments
    ]
    return [dict(row) for row in asked[0].union(*asked[1:], all=True)] if asked else []


def _in_force(row: dict[str, Any] | None) -> InForce | None:
    if row is None:
        return None
    return InForce(row["pk"], row["version"] or row["title"], row["url"], row["happened_at"])
