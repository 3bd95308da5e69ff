"""What people do on an incident's page beside moving it: limit the harm, share the work, tell the story, keep files."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from incidents.errors import Refused, WrongStatus
from incidents.people.models import User
from incidents.response import impact as impacts
from incidents.response.acting import at, can_respond, find, may_respond, valid, verb
from incidents.response.attachments import Attachment
from incidents.response.containments import Containment
from incidents.response.crew import Assignment, Handover, Task
from incidents.response.events import Event
from incidents.response.forms import (
    AttachForm,
    CheckForm,
    CurateForm,
    ExposureForm,
    HandoverForm,
    ImpactForm,
    LinkForm,
    RoleForm,
    TaskForm,
)
from incidents.response.impact import Exposure, Impact
from incidents.response.incident import Incident
from incidents.response.links import Link
from incidents.response.notices import Notice
from incidents.response.story import Curation, curate
from incidents.response.updates import Follower
from incidents.web.request import Answer, Request, change, page, visible_or_404

# Containments


@verb("contain it")
def move_containment(request: Request, shown: Incident, *, pk: int) -> Answer:
    """Take one containment a step on: done, checked, removed, or not done after all."""
    row: Containment = visible_or_404(shown.containments.all(), pk=pk)
    row.incident = shown
    note = request.POST.get("result", "")[:2000]
    match request.POST.get("to"):
        case "done":
            row.do(by=request.user)
        case "verified":
            given = valid(CheckForm(request.POST))
            row.verify(by=request.user, worked=given["worked"] == "yes", result=given["result"])
        case "removed":
            row.remove(by=request.user, note=note)
        case "dropped":
            row.drop(by=request.user, note=note)
        case _:
            raise Refused("Say what became of it: done, checked, removed or not done.")
    return at(shown, "containment")


# Roles, hand-over, tasks


@verb("say who does what")
def give_role(request: Request, shown: Incident) -> Answer:
    given = valid(RoleForm(request.POST))
    Assignment.objects.give(shown, given["role"], given["person"], by=request.user)
    return at(shown, "roles")


@page
@require_http_methods(["GET", "POST"])
def hand_over(request: Request, number: int) -> Answer:
    """Offer a role to somebody, with what they need to know."""
    shown = may_respond(request, number, to="hand it over")
    form = HandoverForm(request.POST or None, initial={"role": "lead"})
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            made = Handover.objects.offer(
                shown, given["role"], to=given["to"], summary=given["summary"], by=request.user
            )
        except (forms.ValidationError, WrongStatus) as refusal:
            form.add_error(None, refusal if isinstance(refusal, forms.ValidationError) else str(refusal))
        else:
            _tell_taker(made)
            messages.success(request, f"Offered to {made.taker}. It is yours until they accept.")
            return redirect(shown)
    context = {"form": form, "incident": shown, "draft": _summary(shown)}
    return render(request, "response/hand_over.html", context, status=422 if form.is_bound else 200)


def _tell_taker(made: Handover) -> None:
    Notice.objects.tell(
        [made.taker],
        subject=f"{made.giver} hands {made.incident} over to you ({made.role})",
        text=made.summary,
        path=made.incident.get_absolute_url(),
        key=f"handover:{made.pk}",
    )


def _summary(shown: Incident) -> list[str]:
    """What stands on record, to write a summary from."""
    done = [f"{row.get_state_display()}: {row}" for row in shown.containments.all()]
    left = [f"To do: {task}" for task in shown.tasks.filter(done_at=None)]
    return [f"{shown.get_status_display()}, {shown.get_severity_display()}", *done, *left]


@change(WrongStatus)
def answer_handover(request: Request, number: int, pk: int) -> Answer:
    """Accept, decline or withdraw. Whom it is offered to may accept it, whatever their role in the team."""
    shown = find(request, number)
    offered: Handover = visible_or_404(Handover.objects.filter(incident=shown), pk=pk)
    match request.POST.get("answer"):
        case "accept":
            offered.accept(by=request.user)
            messages.success(request, f"You are the {offered.role.name.lower()} of {shown} now.")
        case "decline":
            offered.decline(by=request.user)
        case "withdraw":
            may_respond(request, number, to="withdraw it")
            offered.withdraw(by=request.user)
        case _:
            raise Refused("Accept it or decline it.")
    return redirect(shown)


@verb("add tasks")
def add_task(request: Request, shown: Incident) -> Answer:
    given = valid(TaskForm(request.POST))
    Task.objects.add(shown, title=given["title"], owner=request.user if given["mine"] else None, by=request.user)
    return at(shown, "tasks")


@verb("change its tasks")
def move_task(request: Request, shown: Incident, *, pk: int) -> Answer:
    task: Task = visible_or_404(shown.tasks.all(), pk=pk)
    task.incident = shown
    match request.POST.get("to"):
        case "done":
            task.finish(by=request.user)
        case "open":
            task.reopen(by=request.user)
        case "mine":
            task.give(request.user, by=request.user)
        case _:
            raise Refused("Say what became of the task.")
    return at(shown, "tasks")


# The story


@page
@require_http_methods(["GET", "POST"])
def entry(request: Request, number: int, pk: int) -> Answer:
    """One entry of the timeline at an address of its own: how it is told, and what the log says."""
    shown = find(request, number)
    event: Event = visible_or_404(shown.events.select_related("by", "note", "note__author", "curation"), pk=pk)
    event.incident = shown
    may = can_respond(request.user, shown)
    told = Curation.objects.filter(event=event).first()
    form = CurateForm(request.POST or None, instance=told) if may else None
    if request.method == "POST":
        may_respond(request, number, to="edit its story")
        if form and form.is_valid():
            curate(event, by=request.user, **form.cleaned_data)
            return at(shown, f"event-{event.pk}")
    context = {"incident": shown, "event": event, "form": form, "may_respond": may}
    return render(request, "response/entry.html", context, status=422 if form and form.is_bound else 200)


@verb("edit its story")
def pin(request: Request, shown: Incident, *, pk: int) -> Answer:
    event: Event = visible_or_404(shown.events.all(), pk=pk)
    event.incident = shown
    curate(event, by=request.user, pinned=request.POST.get("pin") != "off")
    return at(shown, f"event-{event.pk}")


# Files


@verb("attach files")
def attach(request: Request, shown: Incident) -> Answer:
    form = AttachForm(request.POST, request.FILES)
    kept = Attachment.objects.attach(shown, valid(form)["file"], by=request.user)
    messages.success(request, f"{kept} is kept.")
    return at(shown, "files")


@page
@require_GET
def attachment(request: Request, number: int, pk: int) -> Answer:
    """The bytes of a file. Only pictures are shown; everything else is saved, so that nothing in it runs here."""
    shown = find(request, number)
    kept: Attachment = visible_or_404(shown.attachments.all(), pk=pk)
    kind = kept.content_type if kept.is_picture else "application/octet-stream"
    answer = HttpResponse(bytes(kept.content), content_type=kind)
    answer["Content-Disposition"] = _disposition(kept)
    answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
    answer["Cache-Control"] = "private, max-age=86400, immutable"
    return answer


def _disposition(kept: Attachment) -> str:
    from django.utils.http import content_disposition_header

    return content_disposition_header(as_attachment=not kept.is_picture, filename=kept.name) or "attachment"


@verb("remove files")
def detach(request: Request, shown: Incident, *, pk: int) -> Answer:
    kept: Attachment = visible_or_404(shown.attachments.all(), pk=pk)
    kept.incident = shown
    kept.remove(by=request.user)
    return at(shown, "files")


# How it belongs to others


@verb("link it")
def link(request: Request, shown: Incident) -> Answer:
    given = valid(LinkForm(request.POST))
    other = Incident.objects.visible_to(request.user).filter(number=given["other"]).first()
    if other is None:
        raise Refused(f"There is no INC-{given['other']}.")
    Link.objects.link(shown, other, given["kind"], by=request.user)
    return at(shown, "links")


@verb("link it")
def unlink(request: Request, shown: Incident, *, pk: int) -> Answer:
    Link.objects.unlink(pk, shown, by=request.user)
    return at(shown, "links")


@change()
def follow(request: Request, number: int) -> Answer:
    """Be told of its status updates, or no longer. Everybody who sees it may."""
    shown = find(request, number)
    follows = Follower.toggle(request.user, incident=shown)
    messages.success(request, f"You {'follow' if follows else 'no longer follow'} {shown}.")
    return redirect(shown)


# What it did


@page
@require_http_methods(["GET", "POST"])
def impact(request: Request, number: int) -> Answer:
    """How bad it was, for how many, and how one knows."""
    shown = may_respond(request, number, to="assess its impact")
    known = Impact.objects.filter(incident=shown).first()
    rows = {row.of: row for row in shown.exposures.all()}
    given: Any = request.POST if request.method == "POST" else None
    form = ImpactForm(given, instance=known)
    exposures = [ExposureForm(given, row=rows.get(of), of=of) for of in Exposure.Of.values]
    if given is not None and all([form.is_valid(), *(one.is_valid() for one in exposures)]):
        _assess(shown, form, exposures, by=request.user)
        return at(shown, "impact")
    context = {"form": form, "exposures": exposures, "incident": shown}
    return render(request, "response/impact.html", context, status=422 if form.is_bound else 200)


def _assess(shown: Incident, form: ImpactForm, exposures: list[ExposureForm], *, by: User) -> None:
    impacts.assess(shown, by=by, **form.cleaned_data)
    for one in exposures:
        impacts.expose(shown, one.of, by=by, **one.cleaned_data)
