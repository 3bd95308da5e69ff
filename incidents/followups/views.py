"""The pages of follow-ups."""

from collections.abc import Callable
from functools import wraps

from django.core.exceptions import ValidationError
from django.db.models import Count, Q
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from incidents.errors import WrongStatus
from incidents.followups.forms import FollowUpForm
from incidents.followups.models import AGES, STAGES, UNFINISHED, FollowUp, FollowUpQuerySet, due_in_days
from incidents.followups.permissions import may_change, require_change
from incidents.response.permissions import get_incident_to_change
from incidents.web.request import (
    Answer,
    PageView,
    Request,
    change,
    midnight_of,
    narrowed,
    page,
    visible_or_404,
    whole_number,
)

MOST = 200  # rows of the list


@page
@require_GET
def follow_ups(request: Request) -> Answer:
    """My own by default; overdue ones say so."""
    visible = FollowUp.objects.visible_to(request.user)
    show = request.GET.get("show", "mine")
    chosen = {
        "mine": visible.open().owned_by(request.user),
        "open": visible.open(),
        "overdue": visible.overdue(),
        "done": visible.filter(state=FollowUp.State.DONE),
        "all": visible,
    }.get(show, visible)
    if (number := whole_number(request.GET.get("incident", ""))) is not None:
        chosen = visible.filter(incident__number=number)
    chosen = _narrowed(request, narrowed(request, chosen, dates={"due": "due_on", "created": "created_at"}))
    unfinished = Q(state__in=UNFINISHED)
    context = {
        "follow_ups": chosen.for_list()[:MOST],
        "show": show,
        "counts": visible.aggregate(
            mine=Count("pk", filter=unfinished & Q(owner=request.user)),
            open=Count("pk", filter=unfinished),
            overdue=Count("pk", filter=unfinished & Q(due_on__lt=timezone.localdate())),
        ),
    }
    return render(request, "followups/list.html", context)


def _narrowed(request: Request, rows: FollowUpQuerySet) -> FollowUpQuerySet:
    """Keep what a number of a report counted: by how timely, how far on its way, and how old."""
    asked = request.GET
    if on_time := {"yes": rows.on_time, "no": rows.late, "known": rows.judged}.get(asked.get("on_time", "")):
        rows = on_time()
    if asked.get("priority") == "urgent":
        rows = rows.filter(priority__lte=FollowUp.Priority.P1)
    if asked.get("unplanned") == "yes":
        rows = rows.unplanned()
    if "came_back_since" in asked or "came_back_until" in asked:
        since, until = (midnight_of(asked.get(f"came_back_{end}", "")) for end in ("since", "until"))
        rows = rows.came_back(request.user, since, until) if since and until else rows.none()
    if (stage := asked.get("stage", "")) in STAGES:
        rows = rows.in_stage(stage)
    return rows.aged(age) if (age := asked.get("age", "")) in AGES else rows


@page
@require_http_methods(["GET", "POST"])
def add(request: Request, number: int) -> Answer:
    incident = get_incident_to_change(request.user, number, to="add follow-ups")
    form = FollowUpForm(request.POST or None, initial={"owner": request.user.pk, "due_on": due_in_days(14)})
    if request.method == "POST" and form.is_valid():
        try:
            follow_up = FollowUp.objects.add(incident, by=request.user, **form.cleaned_data)
        except ValidationError as refusal:
            form.add_error(None, refusal)
        else:
            return redirect(follow_up)
    context = {"form": form, "incident": incident}
    return render(request, "followups/add.html", context, status=422 if form.is_bound else 200)


def _find(request: Request, pk: int) -> FollowUp:
    visible = FollowUp.objects.visible_to(request.user)
    return visible_or_404(visible.select_related("incident", "incident__team", "owner", "created_by"), pk=pk)


@page
@require_GET
def follow_up(request: Request, pk: int) -> Answer:
    found = _find(request, pk)
    context = {
        "follow_up": found,
        "incident": found.incident,
        "may_change": may_change(request.user, found),
    }
    return render(request, "followups/follow_up.html", context)


@page
@require_http_methods(["GET", "POST"])
def edit(request: Request, pk: int) -> Answer:
    """Change anything about it but its state."""
    found = _find(request, pk)
    require_change(request.user, found)
    names = ("title", "check_text", "kind", "due_on", "priority", "description")
    initial = {name: getattr(found, name) for name in names} | {"owner": found.owner_id}
    form = FollowUpForm(request.POST or None, initial=initial, was_due=found.due_on)
    if request.method == "POST" and form.is_valid():
        try:
            found.edit(by=request.user, **form.cleaned_data)
        except ValidationError as refusal:
            form.add_error(None, refusal)
        else:
            return redirect(found)
    context = {"form": form, "incident": found.incident, "follow_up": found}
    return render(request, "followups/add.html", context, status=422 if form.is_bound else 200)


Verb = Callable[[Request, FollowUp], None]


def verb(act: Verb) -> PageView:
    """A button of the page: one’s own follow-up, or one that a responder of the team may change."""

    @change(WrongStatus)
    @wraps(act)
    def view(request: Request, pk: int) -> Answer:
        follow_up = _find(request, pk)
        require_change(request.user, follow_up)
        act(request, follow_up)
        return redirect(follow_up)

    return view


@verb
def begin(request: Request, follow_up: FollowUp) -> None:
    follow_up.begin(by=request.user)


@verb
def complete(request: Request, follow_up: FollowUp) -> None:
    follow_up.complete(by=request.user, outcome=request.POST.get("outcome", "")[:2000])


@verb
def drop(request: Request, follow_up: FollowUp) -> None:
    follow_up.drop(by=request.user, reason=request.POST.get("reason", "")[:2000])


@verb
def reopen(request: Request, follow_up: FollowUp) -> None:
    follow_up.reopen(by=request.user, reason=request.POST.get("reason", "")[:2000])
