"""The pages of postmortems."""

from typing import Any

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from incidents.people.access import has_role, require_role
from incidents.people.models import Role
from incidents.postmortems import export, guide, prefill
from incidents.postmortems.models import Postmortem, StaleText, due_date
from incidents.response.forms import LeadForm, ReasonForm
from incidents.response.models import Incident, Refused, Status, WrongStatus
from incidents.web.request import Answer, Request, change, due_within, page, visible_or_404


@page
@require_GET
def postmortems(request: Request) -> Answer:
    """What is being written, what is published, and which resolved incidents still have none."""
    rows = Postmortem.objects.visible_to(request.user)
    show = request.GET.get("show", "unfinished")
    chosen = {
        "unfinished": rows.unfinished(),
        "mine": rows.unfinished().filter(owner=request.user),
        "overdue": rows.overdue(),
        "published": rows.filter(state=Postmortem.State.PUBLISHED),
        "all": rows,
    }.get(show, rows)
    chosen = due_within(request, chosen, team="incident__team")
    waiting = Incident.objects.visible_to(request.user).filter(status=Status.RESOLVED, postmortems=None)
    context = {
        "postmortems": chosen.for_list()[:100],
        "show": show,
        "waiting": [(incident, due_date(incident)) for incident in waiting.for_list()[:20]],
        "counts": rows.aggregate(
            unfinished=Count("pk", filter=Q(state__in=["draft", "in_review"])),
            overdue=Count("pk", filter=Q(state__in=["draft", "in_review"], due_on__lt=timezone.localdate())),
            published=Count("pk", filter=Q(state="published")),
        ),
    }
    return render(request, "postmortems/list.html", context)


def _find(request: Request, number: int) -> Postmortem:
    rows = Postmortem.objects.visible_to(request.user).select_related(
        "incident", "incident__system", "incident__team", "incident__lead", "owner", "published_by"
    )
    return visible_or_404(rows, incident__number=number)


@page
@require_GET
def postmortem(request: Request, number: int) -> Answer:
    return render(request, "postmortems/postmortem.html", _context(request, _find(request, number)))


def _context(request: Request, shown: Postmortem, *, unsaved: dict[str, str] | None = None) -> dict[str, Any]:
    """What the page shows; `unsaved` are texts by section that could not be saved and must not be lost."""
    may_edit = _may_write(request, shown)
    facts = prefill.facts_of(shown)
    parts: list[dict[str, Any]] = [
        {
            "section": section,
            "part": section.part,
            "text": (unsaved or {}).get(section.key, section.text),
            "facts": facts.get(section.key, []),
            "questions": guide.questions(section.part, category=shown.incident.category),
            "state": "done" if section.text.strip() else "needed" if section.part.required else "open",
        }
        for section in shown.sections.select_related("edited_by")
    ]
    return {
        "postmortem": shown,
        "incident": shown.incident,
        "parts": parts,
        "minutes_left": sum(part["part"].minutes for part in parts if part["state"] != "done"),
        "missing": shown.missing() if shown.is_editable else [],
        "may_edit": may_edit and shown.is_editable,
        "may_respond": may_edit,
        "may_publish": has_role(request.user, Role.LEAD, team=shown.incident.team),
        "owner_form": LeadForm(initial={"lead": shown.owner_id}),
        "reason_form": ReasonForm(),
    }


def _may_write(request: Request, shown: Postmortem) -> bool:
    return shown.owner_id == request.user.pk or has_role(request.user, Role.RESPONDER, team=shown.incident.team)


def _require_writer(request: Request, shown: Postmortem, *, to: str) -> None:
    if shown.owner_id != request.user.pk:
        require_role(request.user, Role.RESPONDER, team=shown.incident.team, to=to)


writes = change(WrongStatus, Refused)


@writes
def begin(request: Request, number: int) -> Answer:
    """Start the postmortem now instead of waiting for it to start itself."""
    incident = visible_or_404(Incident.objects.visible_to(request.user), number=number)
    require_role(request.user, Role.RESPONDER, team=incident.team, to="start its postmortem")
    return redirect(Postmortem.objects.begin(incident, by=request.user))


@page
@require_POST
def write(request: Request, number: int, key: str) -> Answer:
    """Save one section. If somebody else was faster, both texts are shown and nothing is lost."""
    shown = _find(request, number)
    _require_writer(request, shown, to="write it")
    section = visible_or_404(shown.sections.all(), key=key)
    version = request.POST.get("version", "")
    text = request.POST.get("text", "")
    if not (version.isascii() and version.isdigit() and len(version) < 9) or len(text) > 100_000:
        messages.error(request, "A section may have 100,000 characters at most.")
        return render(request, "postmortems/postmortem.html", _context(request, shown, unsaved={key: text}), status=422)
    try:
        section.write(text, by=request.user, version=int(version))
    except StaleText as stale:
        context = {"postmortem": shown, "incident": shown.incident, "section": stale.section, "yours": stale.text}
        return render(request, "postmortems/conflict.html", context, status=409)
    except WrongStatus as refusal:
        messages.error(request, str(refusal))
        return render(request, "postmortems/postmortem.html", _context(request, shown, unsaved={key: text}), status=409)
    messages.success(request, f"“{section.title}” is saved.")
    return redirect(f"{shown.get_absolute_url()}#{key}")


@writes
def send_to_review(request: Request, number: int) -> Answer:
    shown = _find(request, number)
    _require_writer(request, shown, to="send it to review")
    shown.send_to_review(by=request.user)
    return redirect(shown)


@writes
def send_back(request: Request, number: int) -> Answer:
    shown = _find(request, number)
    _require_writer(request, shown, to="send it back")
    shown.send_back(by=request.user, reason=request.POST.get("reason", "")[:1000])
    return redirect(shown)


@writes
def publish(request: Request, number: int) -> Answer:
    shown = _find(request, number)
    require_role(request.user, Role.LEAD, team=shown.incident.team, to="publish it")
    shown.publish(by=request.user, facts=prefill.frozen(shown))
    messages.success(request, "Published for everybody who may see the incident.")
    return redirect(shown)


@writes
def excuse(request: Request, number: int) -> Answer:
    shown = _find(request, number)
    require_role(request.user, Role.LEAD, team=shown.incident.team, to="say that none is required")
    shown.excuse(by=request.user, reason=request.POST.get("reason", "")[:1000])
    return redirect(shown)


@writes
def reopen(request: Request, number: int) -> Answer:
    shown = _find(request, number)
    require_role(request.user, Role.LEAD, team=shown.incident.team, to="reopen it")
    shown.reopen(by=request.user, reason=request.POST.get("reason", "")[:1000])
    return redirect(shown)


@writes
def assign(request: Request, number: int) -> Answer:
    shown = _find(request, number)
    _require_writer(request, shown, to="choose its owner")
    form = LeadForm(request.POST)
    if not form.is_valid() or form.cleaned_data["lead"] is None:
        raise Refused("Choose who owns it.")
    shown.assign(form.cleaned_data["lead"], by=request.user)
    return redirect(shown)


@page
@require_GET
def download(request: Request, number: int) -> Answer:
    """The postmortem as a Markdown file."""
    shown = _find(request, number)
    answer = HttpResponse(export.as_markdown(shown), content_type="text/markdown; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="INC-{shown.incident.number}-postmortem.md"'
    return answer
