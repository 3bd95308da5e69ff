"""The pages of incidents: the list, the incident, and what moves it."""

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Count, Min, Q, prefetch_related_objects
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from incidents import taxonomy
from incidents.errors import Refused, WrongStatus
from incidents.people.models import Role
from incidents.people.permissions import NotAllowed, has_role, require_role
from incidents.response import impact as impacts
from incidents.response import story
from incidents.response.acting import at, can_respond, find, may_respond, undo_address, valid, verb
from incidents.response.containments import Containment
from incidents.response.crew import LEAD, Handover, ResponseRole
from incidents.response.filters import IncidentFilter
from incidents.response.forms import (
    BULK,
    AttachForm,
    BulkForm,
    ClassifyForm,
    ClocksForm,
    ContainForm,
    DeclareForm,
    DescribeForm,
    KindForm,
    LeadForm,
    LinkForm,
    NoteForm,
    NoticedForm,
    PrivacyForm,
    ReasonForm,
    ResolveForm,
    RoleForm,
    SavedViewForm,
    SeverityForm,
    SystemForm,
    TaskForm,
    UpdateForm,
)
from incidents.response.incident import Incident
from incidents.response.links import Link, similar
from incidents.response.measures import ORDERED, out_of_order
from incidents.response.saved import SavedView
from incidents.response.updates import Cadence, Follower, next_update_due
from incidents.response.vocabulary import CLOCKS, ImpactMethod, IncidentKind, Status
from incidents.systems.models import System
from incidents.web.markdown import render as render_markdown
from incidents.web.request import Answer, Request, back, change, page

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
    cadences = Cadence.by_severity()
    context = {
        "filter": chosen,
        "status": parameters["status"],
        "incidents": [(row, next_update_due(row, cadences)) for row in listed[:most]],
        "older_than": listed[most - 1].number if len(listed) > most and not is_open_list else None,
        "has_more": len(listed) > most,
        "pulse": pulse,
        "now": timezone.now(),
        "tabs": _tabs(request, mine),
        "may_open": has_role(request.user, Role.RESPONDER, team=None),
        "is_filtered": set(request.GET) - {"status", "seen"},
        "bulk": BULK,
        "views": SavedView.objects.for_user(request.user),
        "view_form": SavedViewForm(auto_id="view_%s", initial={"query": request.GET.urlencode()}),
    }
    return render(request, "response/list.html#live" if request.htmx else "response/list.html", context)


def _tabs(request: Request, mine: Any) -> dict[str, Any]:
    """How many wait where people look first, and how bad the worst is; what has long been over is not counted."""
    counted: dict[str, Any] = mine.open().aggregate(
        open=Count("pk"),
        mine=Count("pk", filter=Q(lead=request.user)),
        triage=Count("pk", filter=Q(status=Status.TRIAGE)),
        worst=Min("severity", filter=Q(kind=IncidentKind.REAL)),
    )
    return counted


def _ordered(rows: Any, *, is_open_list: bool, before: str) -> Any:
    if is_open_list:
        return rows.worst_first()[: AN_OPEN_LIST + 1]
    if before.isascii() and before.isdigit() and len(before) < 10:
        rows = rows.filter(number__lt=int(before))
    return rows.order_by("-number")[: A_PAGE + 1]


def _pulse(rows: Any) -> str:
    """What changes whenever a visible incident does, or a new one comes: the last change."""
    latest = rows.order_by("-changed_at").values_list("changed_at", flat=True).first()
    return f"{latest.timestamp():.6f}" if latest else "none"


@change(WrongStatus)
def many(request: Request) -> Answer:
    """Do one thing to several incidents. Each is done or refused by itself; what was refused is said."""
    if not request.POST.getlist("number"):
        raise Refused("Choose incidents first: with x, or with the box before each.")
    form = BulkForm(request.POST, numbers=request.POST.getlist("number"))
    act, numbers = valid(form)["act"], form.cleaned_data["number"]
    done, refused = 0, []
    for shown in Incident.objects.visible_to(request.user).filter(number__in=numbers).order_by("number"):
        try:
            if act != "follow" and not can_respond(request.user, shown):
                raise NotAllowed("its team’s responders may do that.")
            _do(act, shown, request)
            done += 1
        except (WrongStatus, NotAllowed, forms.ValidationError) as refusal:
            refused.append(f"{shown}: {' '.join(getattr(refusal, 'messages', [str(refusal)]))}")
    if done:
        messages.success(request, f"{BULK[act]}: done for {done}.")
    if refused:
        messages.error(request, " ".join(refused[:5]) + (f" And {len(refused) - 5} more." if len(refused) > 5 else ""))
    return back(request, reverse("incidents"))


def _do(act: str, shown: Incident, request: Request) -> None:
    match act.partition(":"):
        case ("acknowledge", _, _):
            shown.acknowledge(by=request.user)
        case ("take", _, _):
            shown.assign_lead(request.user, by=request.user)
        case ("close", _, _):
            shown.close(by=request.user)
        case ("follow", _, _):
            Follower.objects.get_or_create(person=request.user, incident=shown)
        case ("severity", _, severity):
            shown.set_severity(severity, by=request.user)


@change()
def save_view(request: Request) -> Answer:
    given = valid(SavedViewForm(request.POST))
    kept = SavedView.objects.keep(request.user, name=given["name"], query=given["query"], shared=given["shared"])
    messages.success(request, f"“{kept}” is kept among the views.")
    return redirect(kept)


@change()
def drop_view(request: Request, pk: int) -> Answer:
    SavedView.objects.filter(owner=request.user, pk=pk).delete()
    return redirect("incidents")


@page
@require_http_methods(["GET", "POST"])
def declare(request: Request) -> Answer:
    """Open an incident by hand."""
    require_role(request.user, Role.RESPONDER, team=None, to="open incidents")
    form = DeclareForm(request.POST or None, initial={"system": request.GET.get("system")})
    if request.method == "POST" and form.is_valid():
        return redirect(Incident.objects.declare(by=request.user, **form.declared))
    return render(request, "response/declare.html", {"form": form}, status=422 if form.is_bound else 200)


@page
@require_GET
def alike(request: Request) -> Answer:
    """Incidents that look like what somebody is about to open, while they type."""
    title, system = request.GET.get("title", "")[:200], request.GET.get("system", "")[:50]
    known = System.objects.visible_to(request.user).filter(slug=system).first() if system else None
    found = similar(user=request.user, title=title, system=known, most=3) if len(title.strip()) > 3 else []
    return render(request, "response/_alike.html", {"alike": found})


@page
@require_GET
def incident(request: Request, number: int) -> Answer:
    """One incident. Asked by its own live trigger, only what changed."""
    shown = find(request, number)
    pulse = str(shown.changed_at.timestamp())
    if request.htmx and request.GET.get("seen") == pulse:
        return HttpResponse(status=204)
    template = "response/incident.html#live" if request.htmx else "response/incident.html"
    return render(request, template, _context(request, shown, pulse=pulse))


def _context(request: Request, shown: Incident, *, pulse: str = "", **given: Any) -> dict[str, Any]:
    may = can_respond(request.user, shown)
    show = request.GET.get("show", "story")
    show = show if show in story.SHOWN else "story"
    events, count = story.entries(shown, show=show, most=_most(request))
    return _forms(shown, may=may) | {
        "incident": shown,
        "pulse": pulse or str(shown.changed_at.timestamp()),
        "events": events,
        "event_count": count,
        "more": len(events) + story.A_SCREEN if count > len(events) else None,
        "show": show,
        "views": [(name, label) for name, (label, _) in story.SHOWN.items()],
        "clocks": [(label, getattr(shown, name), name) for name, label in CLOCKS.items()],
        "odd_clocks": _odd_clocks(shown),
        "steps": _steps(shown),
        "mode": taxonomy.failure_mode(shown.failure_mode) if shown.failure_mode else None,
        "changes": shown.changes_before(),
        "upstream": Incident.objects.visible_to(request.user).open_upstream_of(shown.system)[:3] if shown.is_open else [],
        "may_respond": may,
        "links": Link.objects.of(shown, user=request.user),
        "files": list(shown.attachments.for_list()),
        "worst": Incident.objects.visible_to(request.user).worst_open(),
        **_work(shown),
        **_what_it_did(shown),
        **_told(request, shown),
    } | given  # fmt: skip


def _most(request: Request) -> int:
    asked = request.GET.get("most", "")
    return min(int(asked), 5000) if asked.isascii() and asked.isdigit() and len(asked) < 6 else story.A_SCREEN


def _forms(shown: Incident, *, may: bool) -> dict[str, Any]:
    """The forms of the page, for those who may use them."""
    if not may:
        return {}
    return {
        "note_form": NoteForm(),
        "update_form": UpdateForm(auto_id="update_%s"),
        "task_form": TaskForm(auto_id="task_%s"),
        "contain_form": ContainForm(incident=shown, auto_id="contain_%s"),
        "resolve_form": ResolveForm(auto_id="resolve_%s"),
        "attach_form": AttachForm(auto_id="attach_%s"),
    }


@page
@require_GET
def edit(request: Request, number: int) -> Answer:
    """What can be changed about it: beside its page, or as a page of its own."""
    shown = may_respond(request, number, to="change it")
    context = {
        "incident": shown,
        "severity_form": SeverityForm(auto_id="set_%s", initial={"severity": shown.severity}),
        "lead_form": LeadForm(initial={"lead": shown.lead_id}),
        "classify_form": ClassifyForm(initial={"failure": shown.failure_mode or shown.category}),
        "system_form": SystemForm(initial={"system": shown.system.slug if shown.system else ""}),
        "describe_form": DescribeForm(initial={"title": shown.title, "summary": shown.summary}),
        "noticed_form": NoticedForm(initial={"noticed_by": shown.noticed_by}),
        "kind_form": KindForm(auto_id="is_%s", initial={"kind": shown.kind}),
        "link_form": LinkForm(auto_id="link_%s"),
        "role_form": RoleForm(auto_id="role_%s"),
        "privacy_form": PrivacyForm(initial={"people": shown.people.all()}),
    }
    return render(request, "response/_edit.html" if request.htmx else "response/edit.html", context)


def _work(shown: Incident) -> dict[str, Any]:
    """Who does what, what was done about it, and what is left to do."""
    held: dict[str, list[Any]] = {}
    for assignment in shown.assignments.select_related("person"):
        held.setdefault(assignment.role_id, []).append(assignment.person)
    roles = [(role, held.get(role.code, [])) for role in ResponseRole.objects.filter(is_active=True)]
    tasks = list(shown.tasks.select_related("owner"))
    done = list(shown.containments.select_related("by"))
    usual = taxonomy.containments_for(shown.category, shown.failure_mode)
    tried = {row.action for row in done if row.state != Containment.State.DROPPED}
    return {
        "roles": [(role, people) for role, people in roles if role.code != LEAD],
        "tasks": tasks,
        "tasks_done": sum(task.done_at is not None for task in tasks),
        "handovers": list(Handover.objects.offered().filter(incident=shown).select_related("role", "giver", "taker")),
        "containments": done,
        "untried": [action for action in usual if action.code not in tried][:5],
    }


def _what_it_did(shown: Incident) -> dict[str, Any]:
    assessed = impacts.Impact.objects.filter(incident=shown).first()
    exposures = list(shown.exposures.all())
    return {
        "impact_facts": impacts.facts(assessed),
        "exposures": exposures,
        "suggested": impacts.suggested_for(shown, impact=assessed, exposures=exposures) if shown.is_open else None,
    }


def _told(request: Request, shown: Incident) -> dict[str, Any]:
    followers = list(shown.followers.values_list("person_id", flat=True))
    return {
        "next_due": next_update_due(shown, Cadence.by_severity()),
        "now": timezone.now(),
        "last_update": shown.updates.select_related("by").first(),
        "follower_count": len(followers),
        "is_following": request.user.pk in followers,
    }


@page
@require_GET
def like_this(request: Request, number: int) -> Answer:
    """Earlier incidents like this one, with what contained them and whether what was to follow is done."""
    shown = find(request, number)
    linked = [other.pk for _, other, _ in Link.objects.of(shown, user=request.user)]
    found = similar(
        user=request.user, title=shown.title, system=shown.system, category=shown.category,
        failure_mode=shown.failure_mode, but=[shown.pk, *linked], most=3 if request.htmx else 20,
    )  # fmt: skip
    prefetch_related_objects([one.incident for one in found], "containments")
    context = {"similar": found, "incident": shown, "may_respond": can_respond(request.user, shown)}
    return render(request, "response/_similar.html" if request.htmx else "response/similar.html", context)


def _steps(shown: Incident) -> list[dict[str, Any]]:
    reached = STEPS.index(Status(shown.status)) if shown.status in STEPS else -1
    return [
        {"label": step.label, "done": position < reached, "current": position == reached}
        for position, step in enumerate(STEPS)
    ]


def _odd_clocks(shown: Incident) -> list[str]:
    """Name the pairs of clocks that stand in an impossible order; they are shown, never silently put right."""
    labels = [CLOCKS[clock].lower() for clock in ORDERED]
    wrong = out_of_order([getattr(shown, clock) for clock in ORDERED])
    return [f"{labels[later]} before {labels[earlier]}" for earlier, later in wrong]


# Changes: each is one verb of the incident


@verb("acknowledge it")
def acknowledge(request: Request, shown: Incident) -> None:
    shown.acknowledge(by=request.user)
    messages.success(request, f"{shown} is yours.", extra_tags=undo_address(shown))


@verb("decline it")
def decline(request: Request, shown: Incident) -> None:
    shown.decline(by=request.user, reason=valid(ReasonForm(request.POST))["reason"])
    messages.success(request, f"{shown} was declined.", extra_tags=undo_address(shown))


@verb("say whether it is real")
def set_kind(request: Request, shown: Incident) -> None:
    shown.set_kind(valid(KindForm(request.POST))["kind"], by=request.user)


@verb("contain it")
def contain(request: Request, shown: Incident) -> None:
    typed = request.POST.copy()
    typed.setdefault("action", typed.get("plan", ""))  # the short buttons say the action itself
    given = valid(ContainForm(typed, incident=shown))
    act = shown.plan_containment if "plan" in typed else shown.contain
    act(by=request.user, action=given["action"], note=given["note"], remove_by=given["remove_by"])


@verb("resolve it")
def resolve(request: Request, shown: Incident) -> None:
    shown.resolve(by=request.user, note=valid(ResolveForm(request.POST))["note"])


@verb("reopen it")
def reopen(request: Request, shown: Incident) -> None:
    shown.reopen(by=request.user, reason=valid(ReasonForm(request.POST))["reason"])


@verb("close it")
def close(request: Request, shown: Incident) -> None:
    shown.close(by=request.user)


@verb("change its severity")
def set_severity(request: Request, shown: Incident) -> None:
    shown.set_severity(valid(SeverityForm(request.POST))["severity"], by=request.user)


@verb("assign its lead")
def assign_lead(request: Request, shown: Incident) -> None:
    shown.assign_lead(valid(LeadForm(request.POST))["lead"], by=request.user)


@verb("classify it")
def classify(request: Request, shown: Incident) -> None:
    form = ClassifyForm(request.POST)
    valid(form)
    category, mode = form.chosen
    shown.classify(category, mode, by=request.user)


@verb("set its system")
def set_system(request: Request, shown: Incident) -> None:
    shown.set_system(valid(SystemForm(request.POST))["system"], by=request.user)


@verb("edit it")
def describe(request: Request, shown: Incident) -> None:
    given = valid(DescribeForm(request.POST))
    shown.describe(title=given["title"], summary=given["summary"], by=request.user)


@verb("edit it")
def say_who_noticed(request: Request, shown: Incident) -> None:
    shown.say_who_noticed(valid(NoticedForm(request.POST))["noticed_by"], by=request.user)


@page
@require_http_methods(["GET", "POST"])
def clocks(request: Request, number: int) -> Answer:
    """Correct the six clocks, together, with how one knows."""
    shown = may_respond(request, number, to="correct its clocks")
    form = ClocksForm(request.POST or None, incident=shown, initial=_offered(request, shown))
    if request.method == "POST" and form.is_valid():
        try:
            form.save(by=request.user)
        except forms.ValidationError as refusal:
            form.add_error(None, refusal)
        else:
            return redirect(shown)
    context = {"form": form, "incident": shown, "starts": _starts(shown)}
    return render(request, "response/clocks.html", context, status=422 if form.is_bound else 200)


def _starts(shown: Incident) -> list[tuple[str, str, Any]]:
    """When the impact may have started, by what is on record: how one knows, what says so, and when."""
    first = shown.alerts.order_by("starts_at").first()
    alert = [(ImpactMethod.FIRST_ALERT.value, f"First alert: {first.title}", first.starts_at)] if first else []
    changed = [
        (ImpactMethod.CHANGE.value, f"Change: {row.title}", row.happened_at) for row in shown.changes_before()[:3]
    ]
    return [*alert, *changed]


def _offered(request: Request, shown: Incident) -> dict[str, Any]:
    """Fill in the start that the person chose of those on record."""
    chosen = request.GET.get("start", "")
    starts = _starts(shown)
    if not (chosen.isascii() and chosen.isdigit() and int(chosen) < len(starts)):
        return {}
    method, told, moment = starts[int(chosen)]
    return {"impact_started_at": moment, "impact_method": method, "reason": told[:500]}


@verb("make it private")
def restrict(request: Request, shown: Incident) -> None:
    shown.restrict(list(valid(PrivacyForm(request.POST))["people"]), by=request.user)


@verb("make it visible")
def open_up(request: Request, shown: Incident) -> None:
    shown.open_up(by=request.user)


@page
@require_http_methods(["POST"])
def add_note(request: Request, number: int) -> Answer:
    shown = may_respond(request, number, to="write here")
    form = NoteForm(request.POST)
    if not form.is_valid():
        return render(request, "response/incident.html", _context(request, shown, note_form=form), status=422)
    note = shown.add_note(form.cleaned_data["text"], by=request.user)
    return at(shown, f"event-{note.event.pk}")


@page
@require_http_methods(["POST"])
def preview(request: Request) -> Answer:
    """Show what somebody is writing as it will look."""
    return render(request, "web/_preview.html", {"html": render_markdown(request.POST.get("text", ""))})
