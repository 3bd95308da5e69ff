"""The pages of follow-ups."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Count, Q
from django.http import StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from incidents.errors import WrongStatus
from incidents.followups.forms import FollowUpForm
from incidents.followups.listing import BY_HAND, as_rows, choices, narrowed_by, of_tab
from incidents.followups.models import UNFINISHED, FollowUp, FollowUpQuerySet, due_in_days
from incidents.followups.permissions import may_change, require_change
from incidents.response.permissions import get_incident_to_change
from incidents.web.csv_lines import csv_lines
from incidents.web.paging import A_PAGE
from incidents.web.request import (
    Answer,
    PageView,
    Request,
    change,
    narrowed,
    page,
    visible_or_404,
    whole_number,
)


@page
@require_GET
def follow_ups(request: Request) -> Answer:
    """My own by default; overdue ones say so."""
    visible = FollowUp.objects.visible_to(request.user)
    show = request.GET.get("show", "mine")
    rows = list(_chosen(request, show).for_list().after(request.GET.get("after", ""))[: A_PAGE + 1])
    unfinished = Q(state__in=UNFINISHED)
    context = {
        "follow_ups": rows[:A_PAGE],
        "after": rows[A_PAGE - 1].place if len(rows) > A_PAGE else "",
        "show": show,
        "choices": choices(request.user, request.GET),
        "words": request.GET.get("q", ""),
        "is_filtered": any(request.GET.get(name) for name in BY_HAND),
        "chosen_count": sum(bool(request.GET.get(name)) for name in BY_HAND if name != "q"),
        "counts": visible.aggregate(
            mine=Count("pk", filter=unfinished & Q(owner=request.user)),
            open=Count("pk", filter=unfinished),
            overdue=Count("pk", filter=unfinished & Q(due_on__lt=timezone.localdate())),
        ),
    }
    return render(request, "followups/list.html", context)


@page
@require_GET
def export(request: Request) -> Any:
    """What the list shows, all pages of it, as CSV."""
    rows = as_rows(_chosen(request, request.GET.get("show", "mine")))
    answer = StreamingHttpResponse(csv_lines(rows), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="follow-ups-{timezone.localdate()}.csv"'
    return answer


def _chosen(request: Request, show: str) -> FollowUpQuerySet:
    visible = FollowUp.objects.visible_to(request.user)
    number = whole_number(request.GET.get("incident", ""))
    chosen = of_tab(visible, show, user=request.user) if number is None else visible.filter(incident__number=number)
    chosen = narrowed(request, chosen, dates={"due": "due_on", "created": "created_at"})
    return narrowed_by(chosen, request.GET, user=request.user)


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
    return visible_or_404(visible.select_related("incident__team", "incident__system", "owner", "created_by"), pk=pk)


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
