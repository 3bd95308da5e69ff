"""The library, the document, and its way from the first draft to its readers."""

import re
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from incidents import taxonomy
from incidents.errors import Refused, WrongStatus
from incidents.followups.models import FollowUp
from incidents.people.models import Role, User
from incidents.people.permissions import has_role, require_role
from incidents.postmortems import lint, public, readiness, reviews, search
from incidents.postmortems.deadlines import due_date
from incidents.postmortems.document import Postmortem, PostmortemQuerySet
from incidents.postmortems.factors import Factor, FactorGroup, FactorKind
from incidents.postmortems.facts import facts_of, freeze_facts
from incidents.postmortems.forms import PersonChoice, TriggerForm
from incidents.postmortems.guide import Depth
from incidents.postmortems.permissions import at, find, may_review, may_write, verb
from incidents.postmortems.prose import titles
from incidents.postmortems.reading import Reading
from incidents.postmortems.reviews import Amendment, Comment, Review
from incidents.postmortems.sections import Draft
from incidents.response.forms import ReasonForm
from incidents.response.incident import Incident
from incidents.response.vocabulary import IncidentKind, Status
from incidents.systems.models import Change, System
from incidents.web.request import Answer, Request, change, narrowed, page, visible_or_404

PAGE = 25


# The library


@page
@require_GET
def postmortems(request: Request) -> Answer:
    """What is being written, what is published, and what holds the words that somebody looks for."""
    rows = Postmortem.objects.visible_to(request.user)
    words = " ".join(request.GET.get("q", "").split())[:300]
    filters = {name: request.GET.get(name, "") for name in ("system", "category", "factor")}
    narrower = any(name in request.GET for name in _ASKED)
    looking = bool(words) or any(filters.values())
    show = request.GET.get("show", "all" if looking else "unfinished")
    every, hidden = Postmortem.objects.counts(), Postmortem.objects.hidden_from(request.user).counts()
    counts = {name: number - hidden[name] for name, number in every.items()}
    chosen = _asked(request, _filtered(_of(rows, show, request.user), filters))
    if words:
        chosen = search.ranked(chosen, words)
    else:
        chosen = chosen.order_by("-published_at", "-pk") if show == "published" else chosen.for_list()
    found = Paginator(chosen.select_related("incident", "incident__system", "owner"), PAGE)
    if not looking and not narrower and show in counts:
        found.count = counts[show]  # which is known already; counting what may be seen takes longest
    shown = found.get_page(request.GET.get("page"))
    listed = list(shown.object_list)
    context = {
        "page": shown,
        "postmortems": listed,
        "readers": dict(Reading.objects.filter(postmortem__in=listed).values_list("postmortem").annotate(Count("pk"))),
        "snippets": search.snippets(listed, words) if words else {},
        "show": show,
        "words": words,
        "chosen": filters,
        "systems": System.objects.visible_to(request.user).order_by("name"),
        "categories": taxonomy.categories(),
        "groups": _kinds(),
        "waiting": _waiting(request.user) if show == "unfinished" and not looking else [],
        "counts": counts,
    }
    return render(request, "postmortems/list.html", context)


_DATES = {"due": "due_on", "published": "published_at"}
_ASKED = ("team", "severity", "kind", "in_time", "read", "outside", *(f"{name}_{end}" for name in _DATES for end in ("since", "until")))  # fmt: skip


def _asked(request: Request, rows: PostmortemQuerySet) -> PostmortemQuerySet:
    """Keep what a number of a report counted: by period, how timely, whether read, and who reviewed."""
    if not any(name in request.GET for name in _ASKED):
        return rows
    rows = narrowed(request, rows, dates=_DATES)
    given = request.GET
    match given.get("in_time"):
        case "yes":
            rows = rows.in_time()
        case "known":
            rows = rows.judged()
    if given.get("read") == "yes":
        rows = rows.filter(Exists(Reading.objects.filter(postmortem=OuterRef("pk"))))
    return rows.filter(reviews.approved_outside()) if given.get("outside") == "yes" else rows


def _of(rows: Any, show: str, user: User) -> Any:
    return {
        "unfinished": lambda: rows.unfinished(),
        "mine": lambda: rows.unfinished().filter(Q(owner=user) | Q(reviews__reviewer=user, reviews__verdict="")).distinct(),
        "review": lambda: rows.filter(state=Postmortem.State.IN_REVIEW),
        "overdue": lambda: rows.overdue(),
        "published": lambda: rows.published(),
    }.get(show, lambda: rows)()  # fmt: skip


def _filtered(rows: Any, filters: dict[str, str]) -> Any:
    facts = {"system__slug": filters["system"], "category": filters["category"]}
    if asked := {name: value for name, value in facts.items() if value}:
        rows = _about(rows, **asked)
    if factor := filters["factor"]:
        known = factor.isascii() and factor.isdigit() and len(factor) < 10
        named = Factor.objects.filter(
            postmortem=OuterRef("pk"), **({"kind": int(factor)} if known else {"kind__group": factor})
        )
        rows = rows.filter(Exists(named))
    return rows


def _about(rows: Any, **facts: str) -> Any:
    """Keep those of which an incident has these facts, the one it began with or another that it covers.

    Which these are is asked first: together with a search, the database would look through all that match the words.
    """
    conditions = {f"incident__{name}": value for name, value in facts.items()}
    began = Postmortem.objects.filter(**conditions).values_list("pk", flat=True)
    also = Postmortem.also.through.objects.filter(**conditions).values_list("postmortem", flat=True)
    return rows.filter(pk__in={*began, *also})


def _kinds() -> list[tuple[str, list[FactorKind]]]:
    """The two-level list as it is offered."""
    kinds = list(FactorKind.objects.filter(retired=False))
    return [(group.label, [kind for kind in kinds if kind.group == group]) for group in FactorGroup]


def _waiting(user: User) -> list[tuple[Incident, Any]]:
    rows = Incident.objects.visible_to(user).filter(
        status=Status.RESOLVED, kind=IncidentKind.REAL, postmortems=None, covered_by=None
    )
    return [(incident, due_date(incident)) for incident in rows.for_list()[:20]]


# The document


@page
@require_GET
def postmortem(request: Request, slug: str) -> Answer:
    shown = find(request, slug)
    Reading.note(shown, request.user)
    return render(request, "postmortems/postmortem.html", document(request, shown))


def document(request: Request, shown: Postmortem, *, unsaved: dict[str, str] | None = None) -> dict[str, Any]:
    """What the page shows; `unsaved` are texts by section that could not be saved and must not be lost."""
    user = request.user
    writer = may_write(user, shown)
    incidents = shown.incidents
    only = request.GET.get("section", "")
    parts = sections_of(shown, incidents, user=user, unsaved=unsaved or {}, editing=writer and shown.is_editable)
    amendments = list(shown.amendments.select_related("by"))
    texts = [part["text"] for part in parts] + [row.text for row in amendments]
    missing = readiness.missing(shown) if shown.is_editable else []
    asked = list(shown.reviews.select_related("reviewer").order_by("pk"))
    return {
        "postmortem": shown,
        "incident": shown.incident,
        "incidents": incidents,
        "parts": [part for part in parts if part["part"].key == only] or parts,
        "outline": parts,
        "only": only,
        "titles": titles(texts, user=user),
        "minutes_left": sum(part["part"].minutes for part in parts if part["state"] != "done"),
        "missing": missing,
        "lacking": reviews.lacking(shown) if shown.state == "in_review" else [],
        "may_write": writer,
        "may_edit": writer and shown.is_editable,
        "may_comment": shown.is_editable or shown.state == "approved",
        "may_review": shown.state == "in_review" and may_review(user, shown),
        "may_publish": has_role(user, Role.LEAD, team=shown.incident.team),
        "reviews": asked,
        "my_review": next((review for review in asked if review.reviewer_id == user.pk), None),
        "checks": reviews.CHECKS,
        "amendments": amendments,
        "open_comments": shown.comments.filter(parent=None, resolved_at=None).count(),
        "follow_ups": _follow_ups(incidents),
        "factors": list(shown.factors.select_related("kind").order_by("pk")),
        "kinds": _kinds(),
        "trigger_form": TriggerForm.of(shown, suspects(incidents)),
        "person_form": PersonChoice(),
        "reason_form": ReasonForm(),
        "depths": Depth.choices,
        "readers": Reading.told(shown) if shown.state == "published" else "",
        "public": public.related(incidents),
        "is_private": any(incident.private for incident in incidents),
    }


def sections_of(
    shown: Postmortem, incidents: list[Incident], *, user: User, unsaved: dict[str, str], editing: bool
) -> list[dict[str, Any]]:
    """The document part by part: facts, questions, words, remarks, and what the reader has not settled yet."""
    facts = facts_of(shown)
    rows = {section.key: section for section in shown.sections.select_related("edited_by")}
    drafts = {draft.section_id: draft for draft in Draft.objects.filter(section__postmortem=shown, person=user)}
    comments: dict[int, list[Comment]] = {}
    for comment in Comment.objects.filter(postmortem=shown).for_list():
        comments.setdefault(comment.section_id, []).append(comment)
    names = _people_of(incidents) if editing else []
    told = []
    for part in shown.parts():
        section = rows.get(part.key)
        if section is None:
            continue
        section.postmortem = shown
        draft = drafts.get(section.pk)
        if draft:
            draft.section = section
        text = unsaved.get(part.key, section.text)
        told.append({
            "section": section, "part": part, "text": text, "draft": draft, "facts": facts.get(part.key, []),
            "questions": shown.guide.asked(part, incidents),
            "comments": [comment for comment in comments.get(section.pk, []) if comment.resolved_at is None],
            "settled": [comment for comment in comments.get(section.pk, []) if comment.resolved_at],
            "findings": lint.blame(text, people=names) if editing else [],
            "state": "done" if section.text.strip() else "needed" if part.is_required(shown.depth) else "open",
        })  # fmt: skip
    return told


def _people_of(incidents: list[Incident]) -> list[User]:
    """Whom a careless sentence would name: those who took part."""
    taking_part = Q(assignments__incident__in=incidents) | Q(led_incidents__in=incidents)
    return list(User.objects.filter(taking_part).distinct()[:30])


def _follow_ups(incidents: list[Incident]) -> QuerySet[FollowUp]:
    return (
        FollowUp.objects.filter(incident__in=incidents).select_related("owner", "incident").order_by("priority", "pk")
    )


def suspects(incidents: list[Incident]) -> list[Change]:
    """Changes that may have set it off: of the systems and what they depend on, in the look-back before each began."""
    found: dict[int, Change] = {}
    for incident in incidents:
        for row in incident.changes_before():
            found[row.pk] = row
    return list(found.values())


@change(WrongStatus, Refused)
def begin(request: Request, number: int) -> Answer:
    """Start the postmortem now instead of waiting for it to start itself; `another` starts a further one."""
    incident = visible_or_404(Incident.objects.visible_to(request.user), number=number)
    require_role(request.user, Role.RESPONDER, team=incident.team, to="start its postmortem")
    begun = Postmortem.objects.begin(incident, by=request.user, another="another" in request.POST)
    return redirect(visible_or_404(Postmortem.objects.visible_to(request.user), pk=begun.pk))


# Its way


def _reason(request: Request) -> str:
    return request.POST.get("reason", "")[:1000]


@verb(Role.RESPONDER, to="send it to review")
def send_to_review(request: Request, shown: Postmortem) -> None:
    shown.send_to_review(by=request.user, missing=[str(one) for one in readiness.missing(shown)])
    if not shown.reviews.exists():
        messages.info(request, "Ask somebody to review it: at least one who did not respond.")


@verb(Role.RESPONDER, to="send it back")
def send_back(request: Request, shown: Postmortem) -> None:
    shown.send_back(by=request.user, reason=_reason(request))


@verb(Role.LEAD, to="publish it")
def publish(request: Request, shown: Postmortem) -> None:
    shown.publish(by=request.user, facts=freeze_facts(shown))
    messages.success(request, "Published for everybody who may see the incident.")


@verb(Role.LEAD, to="say that none is required")
def excuse(request: Request, shown: Postmortem) -> None:
    shown.excuse(by=request.user, reason=_reason(request))


@verb(Role.LEAD, to="reopen it")
def reopen(request: Request, shown: Postmortem) -> None:
    shown.reopen(by=request.user, reason=_reason(request))


@verb(Role.RESPONDER, to="choose its owner")
def assign(request: Request, shown: Postmortem) -> None:
    shown.assign(_person(request, "Choose who owns it."), by=request.user)


def _person(request: Request, otherwise: str) -> User:
    form = PersonChoice(request.POST)
    if not form.is_valid():
        raise Refused(otherwise)
    person: User = form.cleaned_data["person"]
    return person


@verb(Role.RESPONDER, to="ask for a review")
def ask(request: Request, shown: Postmortem) -> Answer:
    reviewer = _person(request, "Choose whom to ask.")
    Review.objects.ask(shown, reviewer, by=request.user)
    messages.success(request, f"{reviewer} is asked to review it.")
    return at(shown, "review")


@verb(None, to="review it")
def decide(request: Request, shown: Postmortem) -> Answer:
    if not may_review(request.user, shown):
        raise Refused("Whoever owns it, or responds nowhere, cannot approve it.")
    reviews.decide(
        shown, by=request.user, verdict=request.POST.get("verdict", ""), checks=request.POST.getlist("checks"),
        note=request.POST.get("note", "")[:2000],
    )  # fmt: skip
    if shown.state == Postmortem.State.APPROVED:
        messages.success(request, "Approved. A lead can publish it now.")
    return at(shown, "review")


@verb(Role.RESPONDER, to="amend it")
def amend(request: Request, shown: Postmortem) -> Answer:
    made = Amendment.write(shown, request.POST.get("text", ""), key=request.POST.get("key", "")[:24], by=request.user)
    return at(shown, f"amendment-{made.pk}")


# What it is about


@verb(Role.RESPONDER, to="rename it")
def rename(request: Request, shown: Postmortem) -> None:
    shown.rename(request.POST.get("title", ""), by=request.user)


@verb(Role.RESPONDER, to="choose how much is asked")
def set_depth(request: Request, shown: Postmortem) -> None:
    depth = request.POST.get("depth", "")
    if depth not in Depth.values:
        raise Refused("Choose brief, standard or deep.")
    shown.set_depth(depth, by=request.user)


@verb(Role.RESPONDER, to="say what it covers")
def cover(request: Request, shown: Postmortem) -> None:
    asked = re.fullmatch(r"(?i)\s*(?:inc-|#)?(\d{1,9})\s*", request.POST.get("incident", ""), re.ASCII)
    other = Incident.objects.visible_to(request.user).filter(number=int(asked[1])).first() if asked else None
    if other is None:
        raise Refused("Name the incident by its number, such as INC-12.")
    if "drop" in request.POST:
        shown.uncover(other, by=request.user)
    else:
        shown.cover(other, by=request.user)


@verb(Role.RESPONDER, to="say what set it off")
def set_trigger(request: Request, shown: Postmortem) -> Answer:
    form = TriggerForm.of(shown, suspects(shown.incidents), request.POST)
    if not form.is_valid():
        raise Refused("Choose what set it off.")
    given = form.cleaned_data
    shown.set_trigger(given["triggered_by"], change=form.change, text=given["text"], by=request.user)
    return at(shown, "trigger")
