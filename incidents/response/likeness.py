"""Which earlier incidents one looks like."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self

from django.contrib.postgres.search import SearchQuery, SearchRank
from django.db import models

from incidents import taxonomy
from incidents.people.models import User
from incidents.response.incident import WORDS, Incident, IncidentQuerySet
from incidents.response.vocabulary import IncidentKind, Status
from incidents.systems.models import System

MOST_CANDIDATES, MOST_SHOWN, ENOUGH = 200, 5, 2.5


@dataclass(slots=True)
class Likeness:
    """How much an earlier incident looks like one, and why."""

    incident: Incident
    because: list[str]


@dataclass(slots=True)
class _Traits:
    score: float = 0.0
    because: list[str] = field(default_factory=list)

    def add(self, score: float, because: str) -> None:
        self.score += score
        self.because.append(because)


class Words(SearchQuery):
    """Any of the words of a text: a likeness needs some, not all."""

    @classmethod
    def any_of(cls, text: str) -> "Self | None":
        words = re.findall(r"\w{3,}", text.lower())[:12]
        return cls(" OR ".join(words), config="english", search_type="websearch") if words else None


def similar(
    *,
    user: User,
    title: str,
    system: System | None = None,
    category: str = "",
    failure_mode: str = "",
    but: Iterable[int] = (),
    most: int = MOST_SHOWN,
) -> list[Likeness]:
    """Earlier incidents that look like this one, the most alike first, each with why.

    Three short lists are asked for by index (same failure mode, same system, shared words), the newest 200 of each, and
    weighed here: failure mode 3, system 2, category 1, words up to 3. The same system alone, or the same
    category alone, is no likeness.
    """
    candidates = (
        Incident.objects.visible_to(user)
        .exclude(pk__in=list(but))
        .exclude(status__in=[Status.DECLINED, Status.MERGED])
        .filter(kind__in=[IncidentKind.REAL, IncidentKind.BACKFILLED])
    )
    traits: defaultdict[int, _Traits] = defaultdict(_Traits)

    def newest(incidents: IncidentQuerySet) -> list[int]:
        return list(incidents.order_by("-number").values_list("pk", flat=True)[:MOST_CANDIDATES])

    if failure_mode:
        name = taxonomy.failure_mode(failure_mode).name.lower()
        for pk in newest(candidates.filter(failure_mode=failure_mode)):
            traits[pk].add(3, name)
    elif category:
        for pk in newest(candidates.filter(category=category)):
            traits[pk].add(1, taxonomy.category(category).name.lower())
    if system:
        for pk in newest(candidates.filter(system=system)):
            traits[pk].add(2, "the same system")
    if query := Words.any_of(title):
        # Only the newest are ranked: ranking all matches of a common word reads half the table.
        matches = Incident.objects.filter(pk__in=newest(candidates.worded(models.Q(words=query))))
        ranks = dict(matches.annotate(rank=SearchRank(WORDS, query, normalization=2)).values_list("pk", "rank"))
        best = max(ranks.values(), default=0) or 1
        for pk, rank in ranks.items():
            traits[pk].add(3 * rank / best, "shared words")
    alike = sorted((pk for pk in traits if traits[pk].score >= ENOUGH), key=lambda pk: (-traits[pk].score, -pk))[:most]
    incidents = Incident.objects.select_related("system").in_bulk(alike)
    return [Likeness(incidents[pk], traits[pk].because) for pk in alike if pk in incidents]
