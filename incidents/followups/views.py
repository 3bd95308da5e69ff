"""The pages of follow-ups."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Count, Q
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from incidents.errors import WrongStatus
from incidents.followups.models import AGES, STAGES, FollowUp, FollowUpQuerySet, due_in_days
from incidents.people.models import Role
from incidents.people.permissions import has_role, require_role
from incidents.response.forms import PersonField
from incidents.response.incident import Incident
from incidents.web.request import Answer, PageView, Request, change, narrowed, page, visible_or_404


class PlanForm(forms.Form):
    owner = PersonField(required=False, empty_label="Nobody yet")
    due_on = forms.DateField(
        required=False, label="Due", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    priority = forms.TypedChoiceField(choices=FollowUp.Priority.choices, coerce=int, initial=FollowUp.Priority.P2)

    def clean_due_on(self) -> Any:
        day = self.cleaned_data["due_on"]
        if day and not 2000 <= day.year <= 2200:
            raise forms.ValidationError("Write a date between 2000 and 2200.")
        return day


class FollowUpForm(PlanForm):
    title = forms.CharField(
        max_length=200,
        label="What will be done?",
        help_text="Begin with a verb; specific enough that two people agree when it is done.",
        widget=forms.TextInput(attrs={"data-draft": "title"}),
    )
    check_text = forms.CharField(
        max_length=500,
        required=False,
        label="How will we know that it worked?",
        help_text="Which evaluation or monitor fails now if it comes back?",
    )
    kind = forms.ChoiceField(choices=FollowUp.Kind.choices, label="Type")
    description = forms.CharField(max_length=10_000, required=False, widget=forms.Textarea(attrs={"rows": 3}))

    field_order = ("title", "check_text", "kind", "owner", "due_on", "priority", "description")


@page
@require_GET
def follow_ups(request: Request) -> Answer:
    """My own by default; overdue ones say so."""
    rows = FollowUp.objects.visible_to(request.user)
    show = request.GET.get("show", "mine")
    chosen = {
        "mine": rows.open().owned_by(request.user),
        "open": rows.open(),
        "overdue": rows.overdue(),
        "done": rows.filter(state=FollowUp.State.DONE),
        "all": rows,
    }.get(show, rows)
    if (number := request.GET.get("incident", "")) and number.isascii() and number.isdigit() and len(number) < 10:
        chosen = rows.filter(incident__number=int(number))
    chosen = _asked(request, narrowed(request, chosen, dates={"due": "due_on", "created": "created_at"}))
    today = timezone.localdate()
    context = {
        "follow_ups": chosen.for_list()[:200],
        "show": show,
        "counts": rows.aggregate(
            mine=Count("pk", filter=Q(state__in=["open", "in_progress"], owner=request.user)),
            open=Count("pk", filter=Q(state__in=["open", "in_progress"])),
            overdue=Count("pk", filter=Q(state__in=["open", "in_progress"], due_on__lt=today)),
        ),
    }
    return render(request, "followups/list.html", context)


def _asked(request: Request, rows: FollowUpQuerySet) -> FollowUpQuerySet:
    """Keep what a number of a report counted: by how timely, how far on its way, and how old."""
    given = request.GET
    if judged := {"yes": rows.on_time, "no": rows.late, "known": rows.judged}.get(given.get("on_time", "")):
        rows = judged()
    if given.get("priority") == "urgent":
        rows = rows.filter(priority__lte=FollowUp.Priority.P1)
    if (stage := given.get("stage", "")) in STAGES:
        rows = rows.in_stage(stage)
    return rows.aged(age) if (age := given.get("age", "")) in AGES else rows


@page
@require_http_methods(["GET", "POST"])
def add(request: Request, number: int) -> Answer:
    incident = visible_or_404(Incident.objects.visible_to(request.user).select_related("team"), number=number)
    require_role(request.user, Role.RESPONDER, team=incident.team, to="add follow-ups")
    form = FollowUpForm(request.POST or None, initial={"owner": request.user.pk, "due_on": due_in_days(14)})
    if request.method == "POST" and form.is_valid():
        try:
            follow_up = FollowUp.objects.add(incident, by=request.user, **form.cleaned_data)
        except ValidationError as refusal:
            form.add_error(None, refusal)
        else:
            return redirect(follow_up)
    return render(
        request, "followups/add.html", {"form": form, "incident": incident}, status=422 if form.is_bound else 200
    )


def _find(request: Request, pk: int) -> FollowUp:
    rows = FollowUp.objects.visible_to(request.user).select_related("incident", "incident__team", "owner", "created_by")
    return visible_or_404(rows, pk=pk)


@page
@require_GET
def follow_up(request: Request, pk: int) -> Answer:
    shown = _find(request, pk)
    context = {
        "follow_up": shown,
        "incident": shown.incident,
        "plan_form": PlanForm(initial={"owner": shown.owner_id, "due_on": shown.due_on, "priority": shown.priority}),
        "may_change": _may_change(request, shown),
    }
    return render(request, "followups/follow_up.html", context)


def _may_change(request: Request, shown: FollowUp) -> bool:
    return shown.owner_id == request.user.pk or has_role(request.user, Role.RESPONDER, team=shown.incident.team)


Verb = Callable[[Request, FollowUp], None]


def verb(act: Verb) -> PageView:
    """A button of the page: one’s own follow-up, or one that a responder of the team may change."""

    @change(WrongStatus)
    @wraps(act)
    def view(request: Request, pk: int) -> Answer:
        shown = _find(request, pk)
        if shown.owner_id != request.user.pk:
            require_role(request.user, Role.RESPONDER, team=shown.incident.team, to="change it")
        act(request, shown)
        return redirect(shown)

    return view


@verb
def begin(request: Request, shown: FollowUp) -> None:
    shown.begin(by=request.user)


@verb
def complete(request: Request, shown: FollowUp) -> None:
    shown.complete(by=request.user, outcome=request.POST.get("outcome", "")[:2000])


@verb
def drop(request: Request, shown: FollowUp) -> None:
    shown.drop(by=request.user, reason=request.POST.get("reason", "")[:2000])


@verb
def reopen(request: Request, shown: FollowUp) -> None:
    shown.reopen(by=request.user)


@verb
def plan(request: Request, shown: FollowUp) -> None:
    form = PlanForm(request.POST)
    if not form.is_valid():
        raise ValidationError([error for errors in form.errors.values() for error in errors])
    shown.plan(by=request.user, **form.cleaned_data)
