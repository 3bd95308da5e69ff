"""The library's search: one weighted text per postmortem, in PostgreSQL, and nothing else to run."""

from collections.abc import Iterable
from typing import Any, TypeVar

from django.contrib.postgres.search import SearchHeadline, SearchQuery, SearchRank, SearchVector
from django.db.models import F, Model, QuerySet, Value

from incidents import taxonomy
from incidents.postmortems.sections import Section

Postmortems = TypeVar("Postmortems", bound=QuerySet[Any])
# PostgreSQL's own weights: A 1.0, B 0.4, C 0.2, D 0.1.
WEIGHTS = {"summary": "B", "factors": "B"}
RANKED = 200  # of the newest matches: ranking all that hold a common word would read half the library


def vector(texts: dict[str, list[str]]) -> Any:
    """The expression of a weighted search vector, from texts by weight."""
    whole: Any = None
    for weight, parts in texts.items():
        # A tsvector holds a megabyte at most, and a word two kilobytes; what people write is far below.
        part = SearchVector(Value("\n".join(parts)[:400_000]), weight=weight, config="english")
        whole = part if whole is None else whole + part
    return whole


def kind_in_words(category: str, mode: str) -> str:
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


def ranked(rows: Postmortems, words: str) -> Postmortems:
    """Keep what holds the words, the best first; among very many, the best of the newest."""
    asked = query(words)
    newest = rows.filter(words=asked).order_by("-pk").values_list("pk", flat=True)[:RANKED]
    matches: Postmortems = rows.model.objects.filter(pk__in=list(newest))
    return matches.annotate(rank=SearchRank(F("words"), asked)).order_by("-rank", "-published_at", "-pk")


def snippets(postmortems: Iterable[Model], words: str) -> dict[int, str]:
    """For each postmortem a few words around what was looked for, marked with ⟦ and ⟧."""
    asked = query(words)
    matching = (
        Section.objects.filter(postmortem__in=[postmortem.pk for postmortem in postmortems])
        .exclude(text="")
        .annotate(vector=SearchVector("text", config="english"))
        .filter(vector=asked)
    )
    # First which, then the words of these alone: marking words takes longer than finding them.
    first = list(matching.order_by("postmortem", "position").distinct("postmortem").values_list("pk", flat=True))
    marked = SearchHeadline("text", asked, config="english", start_sel="⟦", stop_sel="⟧", max_words=32, min_words=14)
    return dict(Section.objects.filter(pk__in=first).annotate(snippet=marked).values_list("postmortem", "snippet"))
