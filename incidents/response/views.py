"""The pages of incidents."""

import itertools
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Max
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from incidents import taxonomy
from incidents.people.access import has_role, require_role
from incidents.people.models import Role, User
from incidents.response.filters import IncidentFilter
from incidents.response.forms import (
    ClassifyForm,
    ClocksForm,
    ContainForm,
    DeclareForm,
    DescribeForm,
    LeadForm,
    MergeForm,
    NoteForm,
    NoticedForm,
    PrivacyForm,
    ReasonForm,
    ResolveForm,
    SeverityForm,
    SystemForm,
)
from incidents.response.models import CLOCKS, Incident, Status, WrongStatus
from incidents.systems.models import Change
from incidents.web.markdown import render as render_markdown
from incidents.web.request import Answer, PageView, Request, change, page, visible_or_404

A_PAGE = 50
AN_OPEN_LIST = 200
STEPS = (Status.TRIAGE, Status.INVESTIGATING, Status.CONTAINED, Status.RESOLVED, Status.CLOSED)


@page
@require_GET
def incidents(request: Request) -> Answer:
    """The list; the open ones unless the address says otherwise. Asked by its own live trigger, only what changed."""
    mine = Incident.objects.visible_to(request.user)
    pulse = _pulse(mine)
    if request.htmx and request.GET.get("seen") == pulse:
        return HttpResponse(status=204)
    parameters = request.GET.copy()
    parameters.setdefault("status", "open")
    chosen = IncidentFilter(parameters, mine.for_list(), request=request)
    rows = chosen.qs if chosen.is_valid() else mine.none()
    is_open_list = parameters["status"] == "open"
    listed = list(_ordered(rows, is_open_list=is_open_list, before=request.GET.get("before", "")))
    most = AN_OPEN_LIST if is_open_list else A_PAGE
    context = {
        "filter": chosen,
        "status": parameters["status"],
        "incidents": listed[:most],
        "older_than": listed[most - 1].number if len(listed) > most and not is_open_list else None,
        "has_more": len(listed) > most,
        "pulse": pulse,
        "open_count": mine.open().count(),
        "worst": mine.open().order_by("severity").values_list("severity", flat=True).first() or "none",
        "may_open": has_role(request.user, Role.RESPONDER, team=None),
        "is_filtered": set(request.GET) - {"status", "seen"},
    }
    return render(request, "response/list.html#live" if request.htmx else "response/list.html", context)


def _ordered(rows: Any, *, is_open_list: bool, before: str) -> Any:
    if is_open_list:
        return rows.worst_first()[: AN_OPEN_LIST + 1]
    if before.isascii() and before.isdigit() and len(before) < 10:
        rows = rows.filter(number__lt=int(before))
    return rows.order_by("-number")[: A_PAGE + 1]


def _pulse(rows: Any) -> str:
    """What changes whenever a visible incident does: the last change, and how many there are."""
    latest = rows.aggregate(at=Max("changed_at"), last=Max("number"))
    return f"{latest['at'].timestamp():.6f}-{latest['last']}" if latest["at"] else "none"


@page
@require_http_methods(["GET", "POST"])
def declare(request: Request) -> Answer:
    """Open an incident by hand."""
    require_role(request.user, Role.RESPONDER, team=None, to="open incidents")
    form = DeclareForm(request.POST or None, initial={"system": request.GET.get("system")})
    if request.method == "POST" and form.is_valid():
        incident = Incident.objects.declare(
            title=form.cleaned_data["title"],
            by=request.user,
            system=form.cleaned_data["system"],
            severity=form.cleaned_data["severity"],
        )
        return redirect(incident)
    return render(request, "response/declare.html", {"form": form}, status=422 if form.is_bound else 200)


@page
@require_GET
def incident(request: Request, number: int) -> Answer:
    """One incident. Asked by its own live trigger, only what changed."""
    shown = _find(request, number)
    pulse = str(shown.changed_at.timestamp())
    if request.htmx and request.GET.get("seen") == pulse:
        return HttpResponse(status=204)
    template = "response/incident.html#live" if request.htmx else "response/incident.html"
    return render(request, template, _context(request, shown, pulse=pulse))


def _find(request: Request, number: int) -> Incident:
    rows = Incident.objects.visible_to(request.user).select_related(
        "system", "system__team", "team", "lead", "opened_by", "merged_into"
    )
    return visible_or_404(rows, number=number)


def _context(request: Request, shown: Incident, *, pulse: str = "", **given: Any) -> dict[str, Any]:
    may_respond = can_respond(request.user, shown)
    events = list(shown.events.select_related("by", "note", "note__author"))
    forms_: dict[str, forms.Form] = {
        "note_form": NoteForm(),
        "severity_form": SeverityForm(initial={"severity": shown.severity}),
        "lead_form": LeadForm(initial={"lead": shown.lead_id}),
        "classify_form": ClassifyForm(initial={"failure": shown.failure_mode or shown.category}),
        "system_form": SystemForm(initial={"system": shown.system.slug if shown.system else ""}),
        "describe_form": DescribeForm(initial={"title": shown.title, "summary": shown.summary}),
        "noticed_form": NoticedForm(initial={"noticed_by": shown.noticed_by}),
        "clocks_form": ClocksForm(incident=shown),
        "contain_form": ContainForm(incident=shown),
        "resolve_form": ResolveForm(),
        "reason_form": ReasonForm(),
        "merge_form": MergeForm(),
    }
    return forms_ | {
        "incident": shown,
        "pulse": pulse or str(shown.changed_at.timestamp()),
        "events": events if shown.is_open is False else events[::-1],
        "clocks": [(label, getattr(shown, name)) for name, label in CLOCKS.items()],
        "odd_clocks": _odd_clocks(shown),
        "steps": _steps(shown),
        "mode": taxonomy.failure_mode(shown.failure_mode) if shown.failure_mode else None,
        "containments": taxonomy.containments_for(shown.category, shown.failure_mode)[:5],
        "changes": _suspects(shown),
        "upstream": Incident.objects.visible_to(request.user).open_upstream_of(shown.system)[:3] if shown.is_open else [],
        "privacy_form": PrivacyForm(initial={"people": shown.people.all()}) if may_respond else None,
        "may_respond": may_respond,
        "may_lead": has_role(request.user, Role.LEAD, team=shown.team) or shown.lead_id == request.user.pk,
    } | given  # fmt: skip


def can_respond(user: User, shown: Incident) -> bool:
    return shown.lead_id == user.pk or has_role(user, Role.RESPONDER, team=shown.team)


def _steps(shown: Incident) -> list[dict[str, Any]]:
    reached = STEPS.index(Status(shown.status)) if shown.status in STEPS else -1
    return [
        {"label": step.label, "done": position < reached, "current": position == reached}
        for position, step in enumerate(STEPS)
    ]


def _odd_clocks(shown: Incident) -> list[str]:
    """Name the pairs of clocks that stand in an impossible order; they are shown, never silently put right."""
    known = [(label, getattr(shown, name)) for name, label in CLOCKS.items() if getattr(shown, name)]
    ordered = [pair for pair in known if pair[0] != CLOCKS["declared_at"]]
    return [
        f"{later.lower()} before {earlier.lower()}"
        for (earlier, at), (later, after) in itertools.pairwise(ordered)
        if after < at
    ]


def _suspects(shown: Incident) -> list[Change]:
    """Changes to the system and what it depends on, in the two weeks before it began, nearest first."""
    if shown.system is None:
        return []
    began = shown.impact_started_at or shown.detected_at or shown.declared_at
    systems = [shown.system_id, *shown.system.dependencies.values_list("upstream_id", flat=True)]
    before = Change.objects.filter(
        system__in=systems, happened_at__lte=began, happened_at__gte=began - timedelta(days=14)
    )
    return list(before.select_related("system").order_by("-happened_at")[:8])


# Changes: each is one verb of the incident


def _may_respond(request: Request, number: int, *, to: str) -> Incident:
    shown = _find(request, number)
    if shown.lead_id != request.user.pk:
        require_role(request.user, Role.RESPONDER, team=shown.team, to=to)
    return shown


def _valid(form: forms.Form) -> dict[str, Any]:
    """Take what was typed, or refuse with the first thing that is wrong with it."""
    if not form.is_valid():
        raise forms.ValidationError([error for errors in form.errors.values() for error in errors])
    return form.cleaned_data


Verb = Callable[[Request, Incident], Answer | None]


def verb(to: str) -> Callable[[Verb], PageView]:
    """A button of the incident page: load it, see that the person may do `to`, do it, and go back to the page."""

    def decorate(act: Verb) -> PageView:
        @change(WrongStatus)
        @wraps(act)
        def view(request: Request, number: int) -> Answer:
            shown = _may_respond(request, number, to=to)
            return act(request, shown) or redirect(shown)

        return view

    return decorate


@verb("acknowledge it")
def acknowledge(request: Request, shown: Incident) -> None:
    shown.acknowledge(by=request.user)


@verb("decline it")
def decline(request: Request, shown: Incident) -> None:
    shown.decline(by=request.user, reason=_valid(ReasonForm(request.POST))["reason"])


@verb("contain it")
def contain(request: Request, shown: Incident) -> None:
    given = _valid(ContainForm(request.POST, incident=shown))
    shown.contain(by=request.user, action=given["action"], note=given["note"])


@verb("resolve it")
def resolve(request: Request, shown: Incident) -> None:
    shown.resolve(by=request.user, note=_valid(ResolveForm(request.POST))["note"])


@verb("reopen it")
def reopen(request: Request, shown: Incident) -> None:
    shown.reopen(by=request.user, reason=_valid(ReasonForm(request.POST))["reason"])


@verb("close it")
def close(request: Request, shown: Incident) -> None:
    shown.close(by=request.user)


@verb("change its severity")
def set_severity(request: Request, shown: Incident) -> None:
    shown.set_severity(_valid(SeverityForm(request.POST))["severity"], by=request.user)


@verb("assign its lead")
def assign_lead(request: Request, shown: Incident) -> None:
    shown.assign_lead(_valid(LeadForm(request.POST))["lead"], by=request.user)


@verb("classify it")
def classify(request: Request, shown: Incident) -> None:
    form = ClassifyForm(request.POST)
    _valid(form)
    category, mode = form.chosen
    shown.classify(category, mode, by=request.user)


@verb("set its system")
def set_system(request: Request, shown: Incident) -> None:
    shown.set_system(_valid(SystemForm(request.POST))["system"], by=request.user)


@verb("edit it")
def describe(request: Request, shown: Incident) -> None:
    given = _valid(DescribeForm(request.POST))
    shown.describe(title=given["title"], summary=given["summary"], by=request.user)


@verb("edit it")
def say_who_noticed(request: Request, shown: Incident) -> None:
    shown.say_who_noticed(_valid(NoticedForm(request.POST))["noticed_by"], by=request.user)


@page
@require_http_methods(["GET", "POST"])
def clocks(request: Request, number: int) -> Answer:
    """Correct the six clocks, together, with how one knows."""
    shown = _may_respond(request, number, to="correct its clocks")
    form = ClocksForm(request.POST or None, incident=shown)
    if request.method == "POST" and form.is_valid():
        try:
            for name, at in form.changes().items():
                shown.set_clock(name, at, by=request.user, reason=form.cleaned_data["reason"])
        except forms.ValidationError as refusal:
            form.add_error(None, refusal)
        else:
            return redirect(shown)
    return render(
        request, "response/clocks.html", {"form": form, "incident": shown}, status=422 if form.is_bound else 200
    )


@verb("merge it")
def merge(request: Request, shown: Incident) -> Answer:
    into = visible_or_404(Incident.objects.visible_to(request.user), number=_valid(MergeForm(request.POST))["into"])
    shown.merge_into(into, by=request.user)
    messages.success(request, f"{shown} was merged into {into}.")
    return redirect(into)


@verb("make it private")
def restrict(request: Request, shown: Incident) -> None:
    shown.restrict(list(_valid(PrivacyForm(request.POST))["people"]), by=request.user)


@verb("make it visible")
def open_up(request: Request, shown: Incident) -> None:
    shown.open_up(by=request.user)


@page
@require_http_methods(["POST"])
def add_note(request: Request, number: int) -> Answer:
    shown = _may_respond(request, number, to="write here")
    form = NoteForm(request.POST)
    if not form.is_valid():
        return render(request, "response/incident.html", _context(request, shown, note_form=form), status=422)
    shown.add_note(form.cleaned_data["text"], by=request.user)
    return redirect(shown)


@page
@require_http_methods(["POST"])
def preview(request: Request) -> Answer:
    """Show what somebody is writing as it will look."""
    return render(request, "web/_preview.html", {"html": render_markdown(request.POST.get("text", ""))})
