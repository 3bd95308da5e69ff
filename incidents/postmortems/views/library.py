"""The library: what is being written, what is published, and what holds the words that somebody looks for."""

from datetime import date

from django.core.paginator import Paginator
from django.db.models import Count, Exists, OuterRef, Q
from django.shortcuts import render
from django.views.decorators.http import require_safe

from incidents import taxonomy
from incidents.people.models import User
from incidents.postmortems import reviews, search
from incidents.postmortems.deadlines import due_date
from incidents.postmortems.document import Postmortem, PostmortemQuerySet
from incidents.postmortems.factors import Factor, FactorKind
from incidents.postmortems.reading import Reading
from incidents.response.incident import Incident
from incidents.response.vocabulary import IncidentKind, Status
from incidents.systems.models import System
from incidents.web.request import Answer, Request, narrowed, page

PAGE = 25


_DATES = {"due": "due_on", "published": "published_at"}


_NARROWING = {
    *["team", "severity", "kind", "in_time", "read", "outside"],
    *(f"{name}_{end}" for name in _DATES for end in ("since", "until")),
}


@page
@require_safe
def postmortems(request: Request) -> Answer:
    """What is being written, what is published, and what holds the words that somebody looks for."""
    visible = Postmortem.objects.visible_to(request.user)
    words = " ".join(request.GET.get("q", "").split())[:300]
    filters = {name: request.GET.get(name, "") for name in ("system", "category", "factor")}
    narrower = any(name in request.GET for name in _NARROWING)
    looking = bool(words) or any(filters.values())
    show = request.GET.get("show", "all" if looking else "unfinished")
    every, hidden = Postmortem.objects.counts(), Postmortem.objects.hidden_from(request.user).counts()
    counts = {name: number - hidden[name] for name, number in every.items()}
    chosen = _narrowed(request, _filtered(_shelf(visible, show, request.user), filters))
    if words:
        chosen = search.ranked(chosen, words)
    else:
        chosen = chosen.order_by("-published_at", "-pk") if show == "published" else chosen.for_list()
    pages = Paginator(chosen.select_related("incident", "incident__system", "owner", "provenance__by"), PAGE)
    if not looking and not narrower and show in counts:
        pages.count = counts[show]  # which is known already; counting what may be seen takes longest
    one_page = pages.get_page(request.GET.get("page"))
    listed = list(one_page.object_list)
    context = {
        "page": one_page,
        "postmortems": listed,
        "readers": dict(Reading.objects.filter(postmortem__in=listed).values_list("postmortem").annotate(Count("pk"))),
        "snippets": search.snippets(listed, words) if words else {},
        "show": show,
        "words": words,
        "chosen": filters,
        "chosen_count": sum(map(bool, filters.values())),
        "systems": System.objects.visible_to(request.user).order_by("name"),
        "categories": taxonomy.categories(),
        "groups": FactorKind.offered(),
        "waiting": _waiting(request.user) if show == "unfinished" and not looking else [],
        "counts": counts,
    }
    return render(request, "postmortems/list.html", context)


def _narrowed(request: Request, rows: PostmortemQuerySet) -> PostmortemQuerySet:
    """Keep what a number of a report counted: by period, how timely, whether read, and who reviewed."""
    if not any(name in request.GET for name in _NARROWING):
        return rows
    rows = narrowed(request, rows, dates=_DATES)
    match request.GET.get("in_time"):
        case "yes":
            rows = rows.in_time()
        case "known":
            rows = rows.judged()
    if request.GET.get("read") == "yes":
        rows = rows.filter(Exists(Reading.objects.filter(postmortem=OuterRef("pk"))))
    return rows.filter(reviews.approved_outside()) if request.GET.get("outside") == "yes" else rows


def _shelf(rows: PostmortemQuerySet, show: str, user: User) -> PostmortemQuerySet:
    """Keep what one tab of the library lists; a tab that there is not lists everything."""
    match show:
        case "unfinished":
            return rows.unfinished()
        case "mine":
            asked = Q(reviews__reviewer=user, reviews__verdict="")
            return rows.unfinished().filter(Q(owner=user) | asked).distinct()
        case "review":
            return rows.filter(state=Postmortem.State.IN_REVIEW)
        case "overdue":
            return rows.overdue()
        case "published":
            return rows.published()
    return rows


def _filtered(rows: PostmortemQuerySet, filters: dict[str, str]) -> PostmortemQuerySet:
    facts = {"system__slug": filters["system"], "category": filters["category"]}
    if wanted := {name: value for name, value in facts.items() if value}:
        rows = _about(rows, **wanted)
    if factor := filters["factor"]:
        known = factor.isascii() and factor.isdigit() and len(factor) < 10
        named = Factor.objects.filter(
            postmortem=OuterRef("pk"), **({"kind": int(factor)} if known else {"kind__group": factor})
        )
        rows = rows.filter(Exists(named))
    return rows


def _about(rows: PostmortemQuerySet, **facts: str) -> PostmortemQuerySet:
    """Keep those of which an incident has these facts, the one it began with or another that it covers.

    Which these are is asked first: together with a search, the database would look through all that match the words.
    """
    conditions = {f"incident__{name}": value for name, value in facts.items()}
    began = Postmortem.objects.filter(**conditions).values_list("pk", flat=True)
    also = Postmortem.also.through.objects.filter(**conditions).values_list("postmortem", flat=True)
    return rows.filter(pk__in={*began, *also})


def _waiting(user: User) -> list[tuple[Incident, date]]:
    """The resolved incidents whose postmortem has not been started, each with its due date; 20 at most."""
    incidents = Incident.objects.visible_to(user).filter(
        status=Status.RESOLVED, kind=IncidentKind.REAL, postmortems=None, covered_by=None
    )
    return [(incident, due_date(incident)) for incident in incidents.for_list()[:20]]
