"""The document as its page shows it."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import render
from django.views.decorators.http import require_safe

from incidents.followups.models import FollowUp
from incidents.people.models import Role, User
from incidents.people.permissions import has_role
from incidents.postmortems import lint, public, readiness, reviews
from incidents.postmortems.document import Postmortem
from incidents.postmortems.factors import FactorKind
from incidents.postmortems.facts import corrections, facts_of, suspects
from incidents.postmortems.forms import PersonChoice, TriggerForm
from incidents.postmortems.guide import Depth
from incidents.postmortems.permissions import find, may_review, may_write
from incidents.postmortems.prose import titles
from incidents.postmortems.reading import Reading
from incidents.postmortems.reviews import Comment
from incidents.postmortems.sections import Draft
from incidents.response.forms.incident import ReasonForm
from incidents.response.incident import Incident
from incidents.web.request import Answer, Request, page


@page
@require_safe
def postmortem(request: Request, slug: str) -> Answer:
    document = find(request, slug)
    Reading.note(document, request.user)
    return render(request, "postmortems/postmortem.html", context_of(request, document))


def context_of(request: Request, postmortem: Postmortem, *, unsaved: dict[str, str] | None = None) -> dict[str, Any]:
    """What the page shows; `unsaved` are texts by section that could not be saved and must not be lost."""
    user = request.user
    writer = may_write(user, postmortem)
    may_edit = writer and postmortem.is_editable
    incidents = postmortem.incidents
    only = request.GET.get("section", "")
    parts = sections_of(postmortem, incidents, user=user, unsaved=unsaved or {}, editing=may_edit, only=only)
    amendments = list(postmortem.amendments.select_related("by"))
    factors = list(postmortem.factors.select_related("kind").order_by("pk"))
    if postmortem.state == Postmortem.State.PUBLISHED:
        filled = {row.key for row in amendments} | ({"trigger"} if postmortem.triggered_by else set())
        filled |= {"factors"} if factors else set()
        parts = [part for part in parts if part["part"].key in filled or _says_something(part)]
    texts = [part["text"] for part in parts] + [amendment.text for amendment in amendments]
    reviewers = list(postmortem.reviews.for_list())
    return {
        "postmortem": postmortem,
        "incident": postmortem.incident,
        "incidents": incidents,
        "parts": [part for part in parts if part["part"].key == only] or parts,
        "outline": parts,
        "only": only,
        "titles": titles(texts, user=user),
        "minutes_left": sum(part["part"].minutes for part in parts if part["state"] != "done"),
        "missing": readiness.missing(postmortem) if postmortem.is_editable else [],
        "lacking": reviews.lacking(postmortem) if postmortem.state == "in_review" else [],
        "may_write": writer,
        "may_edit": may_edit,
        "may_comment": postmortem.takes_comments,
        "may_review": postmortem.state == "in_review" and may_review(user, postmortem),
        "may_publish": has_role(user, Role.LEAD, team=postmortem.incident.team),
        "reviews": reviewers,
        "verdicts": reviews.verdicts(postmortem) if reviewers else [],
        "corrections": corrections(postmortem),
        "my_review": next((review for review in reviewers if review.reviewer_id == user.pk), None),
        "checks": reviews.CHECKS,
        "amendments": amendments,
        "open_comments": postmortem.comments.filter(parent=None, resolved_at=None).count(),
        "follow_ups": _follow_ups(incidents),
        "factors": factors,
        "kinds": FactorKind.offered(),
        "named": {factor.kind_id for factor in factors},
        "trigger_form": TriggerForm.of(postmortem, suspects(incidents)),
        "person_form": PersonChoice(),
        "reason_form": ReasonForm(),
        "depths": Depth.choices,
        "readers": Reading.summary(postmortem) if postmortem.state == "published" else "",
        "public": public.related(incidents),
        "is_private": any(incident.private for incident in incidents),
    }


def sections_of(
    postmortem: Postmortem, incidents: list[Incident], *, user: User, unsaved: dict[str, str], editing: bool, only: str
) -> list[dict[str, Any]]:
    """The document part by part: facts, questions, text, comments, and what the reader has not settled yet."""
    facts = facts_of(postmortem)
    sections = {section.key: section for section in postmortem.sections.select_related("edited_by")}
    drafts = {draft.section_id: draft for draft in Draft.objects.filter(section__postmortem=postmortem, person=user)}
    comments: dict[int, list[Comment]] = {}
    for comment in Comment.objects.filter(postmortem=postmortem).for_list():
        comments.setdefault(comment.section_id, []).append(comment)
    people = reviews.participants(incidents) if editing else []
    parts: list[dict[str, Any]] = []
    for part in postmortem.parts():
        section = sections.get(part.key)
        if section is None:
            continue
        section.postmortem = postmortem
        draft = drafts.get(section.pk)
        if draft:
            draft.section = section
        text = unsaved.get(part.key, section.text)
        about = comments.get(section.pk, [])
        parts.append(
            {
                "section": section,
                "part": part,
                "text": text,
                "draft": draft,
                "facts": facts.get(part.key, []),
                "questions": postmortem.guide.asked(part, incidents),
                "comments": [comment for comment in about if comment.resolved_at is None],
                "settled": [comment for comment in about if comment.resolved_at],
                "findings": lint.blame(text, people=people) if editing else [],
                "is_open": part.key in unsaved or only == part.key,
                "state": "done" if section.text.strip() else "needed" if part.is_required(postmortem.depth) else "open",
            }
        )
    return parts


def _says_something(part: dict[str, Any]) -> bool:
    return any((part["text"], part["facts"], part["comments"], part["settled"]))


def _follow_ups(incidents: list[Incident]) -> QuerySet[FollowUp]:
    follow_ups = FollowUp.objects.filter(incident__in=incidents)
    return follow_ups.select_related("owner", "incident").order_by("priority", "pk")
