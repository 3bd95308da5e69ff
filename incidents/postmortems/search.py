"""The library's search: one weighted text per postmortem, in PostgreSQL, and nothing else to run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.postgres.search import SearchHeadline, SearchQuery, SearchRank, SearchVector
from django.db.models import F, Value

from incidents import taxonomy

if TYPE_CHECKING:
    from incidents.postmortems.models import Postmortem, PostmortemQuerySet

# PostgreSQL's own weights: A 1.0, B 0.4, C 0.2, D 0.1.
_WEIGHTS = {"summary": "B", "factors": "B"}
RANKED = 200  # of the newest matches: ranking all that hold a common word would read half the library


def index(postmortem: Postmortem) -> None:
    """Write the words of a postmortem anew. Runs in the transaction of what changed them."""
    incidents = [postmortem.incident, *postmortem.also.all()]
    heads = [postmortem.title, *(f"{incident} {incident.title}" for incident in incidents)]
    kinds = [_kind(incident.category, incident.failure_mode) for incident in incidents]
    texts: dict[str, list[str]] = {"A": heads, "B": kinds, "C": [postmortem.trigger_text]}
    for key, text in postmortem.sections.values_list("key", "text"):
        texts.setdefault(_WEIGHTS.get(key, "C"), []).append(text)
    for name, text in postmortem.factors.values_list("kind__name", "text"):
        texts["B"].append(f"{name} {text}")
    texts["C"] += postmortem.amendments.values_list("text", flat=True)
    vector: Any = None
    for weight, parts in texts.items():
        # A tsvector holds a megabyte at most, and a word two kilobytes; what people write is far below.
        part = SearchVector(Value("\n".join(parts)[:400_000]), weight=weight, config="english")
        vector = part if vector is None else vector + part
    type(postmortem).objects.filter(pk=postmortem.pk).update(words=vector)


def index_missing(*, most: int = 500) -> int:
    """Write the words of those that have none yet, as after an upgrade; returns how many."""
    from incidents.postmortems.models import Postmortem

    rows = list(Postmortem.objects.filter(words=None).select_related("incident")[:most])
    for row in rows:
        index(row)
    return len(rows)


def _kind(category: str, mode: str) -> str:
    names = []
    for code, find in ((category, taxonomy.category), (mode, taxonomy.failure_mode)):
        try:
            names += [find(code).name] if code else []
        except taxonomy.Unknown:
            continue
    return " ".join(names)


def query(words: str) -> SearchQuery:
    """What somebody typed, as a search engine takes it: words, "phrases", -not, or."""
    return SearchQuery(words[:300], config="english", search_type="websearch")


def ranked(rows: PostmortemQuerySet, words: str) -> PostmortemQuerySet:
    """Keep what holds the words, the best first; among very many, the best of the newest."""
    asked = query(words)
    newest = rows.filter(words=asked).order_by("-pk").values_list("pk", flat=True)[:RANKED]
    found = rows.model.objects.filter(pk__in=list(newest))
    return found.annotate(rank=SearchRank(F("words"), asked)).order_by("-rank", "-published_at", "-pk")


def snippets(postmortems: list[Postmortem], words: str) -> dict[int, str]:
    """For each postmortem a few words around what was looked for, marked with ⟦ and ⟧."""
    from incidents.postmortems.models import Section

    asked = query(words)
    matching = (
        Section.objects.filter(postmortem__in=postmortems)
        .exclude(text="")
        .annotate(found=SearchVector("text", config="english"))
        .filter(found=asked)
    )
    # First which, then the words of these alone: marking words takes longer than finding them.
    first = list(matching.order_by("postmortem", "position").distinct("postmortem").values_list("pk", flat=True))
    marked = SearchHeadline("text", asked, config="english", start_sel="⟦", stop_sel="⟧", max_words=32, min_words=14)
    return dict(Section.objects.filter(pk__in=first).annotate(snippet=marked).values_list("postmortem", "snippet"))
