"""The pages of kept reports: the list, one as it was that day, and what people write to it."""

from django import forms
from django.db import IntegrityError, transaction
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from incidents.errors import Refused, WrongStatus
from incidents.people.models import Role, Team
from incidents.people.permissions import has_role, require_role
from incidents.reports import views
from incidents.reports.saved import Decision, ReportInterval, ReportNote, ReportSubscription, SavedReport
from incidents.response.forms import PersonField
from incidents.web.request import Answer, Request, change, first_error, page, visible_or_404


class DecisionForm(forms.Form):
    text = forms.CharField(max_length=500, label="What should be decided?", error_messages={"required": "Say what should be decided."})  # fmt: skip
    owner = PersonField(required=False, empty_label="Nobody yet")
    due_on = forms.DateField(required=False, label="By", widget=forms.DateInput(attrs={"type": "date"}))


class SubscriptionForm(forms.Form):
    team = forms.ModelChoiceField(
        queryset=Team.objects.all(), required=False, to_field_name="slug", empty_label="Everything"
    )
    cadence = forms.ChoiceField(choices=ReportInterval.choices, label="How often")  # fmt: skip


@page
@require_GET
def kept(request: Request) -> Answer:
    context = {
        "reports": SavedReport.objects.for_list()[:100],
        "teams": dict(Team.objects.values_list("slug", "name")),
        "subscriptions": ReportSubscription.objects.filter(person=request.user).select_related("team"),
        "form": SubscriptionForm(),
        "decisions": Decision.objects.filter(state=Decision.State.ASKED).select_related("report", "owner")[:50],
        "may_keep": has_role(request.user, Role.LEAD, team=None),
    }
    return render(request, "reports/kept.html", context)


@page
@require_GET
def one(request: Request, pk: int) -> Answer:
    """A report as it was when it was kept; what would be counted otherwise today is told beside it."""
    shown = visible_or_404(SavedReport.objects.select_related("made_by", "written_by"), pk=pk)
    return render(request, "reports/report.html", _context(request, shown) | {"since_then": shown.changes_since()})


@page
@require_GET
def pdf(request: Request, pk: int) -> Answer:
    shown = visible_or_404(SavedReport.objects.select_related("made_by", "written_by"), pk=pk)
    return views.as_pdf(request, _context(request, shown), shown.get_absolute_url())


def _context(request: Request, shown: SavedReport) -> dict[str, object]:
    frozen = shown.data_for(request.user)
    return views.context_of(frozen["trends"], frozen["learning"]) | {
        "report": shown,
        "notes": shown.notes.select_related("by"),
        "decisions": shown.decisions.select_related("owner", "decided_by"),
        "carried": Decision.objects.waiting(shown.team).filter(report__made_at__lt=shown.made_at),
        "form": DecisionForm(),
        "may_keep": has_role(request.user, Role.LEAD, team=None),
    }


@change(Refused)
def keep(request: Request) -> Answer:
    require_role(request.user, Role.LEAD, team=None, to="keep reports")
    return redirect(SavedReport.objects.freeze(views.asked_of(request), by=request.user))


@change(Refused)
def write(request: Request, pk: int) -> Answer:
    require_role(request.user, Role.LEAD, team=None, to="write reports")
    shown = visible_or_404(SavedReport.objects.all(), pk=pk)
    shown.write(request.POST.get("sentences", ""), by=request.user)
    return redirect(shown)


@change(Refused)
def note(request: Request, pk: int) -> Answer:
    require_role(request.user, Role.LEAD, team=None, to="add notes to reports")
    shown = visible_or_404(SavedReport.objects.all(), pk=pk)
    text = request.POST.get("text", "").strip()
    if not text:
        raise Refused("Write the note first.")
    ReportNote.objects.create(report=shown, text=text[:1000], by=request.user)
    return redirect(shown)


@change(Refused)
def ask(request: Request, pk: int) -> Answer:
    require_role(request.user, Role.LEAD, team=None, to="ask for decisions")
    shown = visible_or_404(SavedReport.objects.all(), pk=pk)
    form = DecisionForm(request.POST)
    if not form.is_valid():
        raise Refused(first_error(form.errors.values()))
    Decision.objects.ask(shown, by=request.user, **form.cleaned_data)
    return redirect(shown.get_absolute_url() + "#decisions")


@change(Refused, WrongStatus)
def decide(request: Request, pk: int, decision: int) -> Answer:
    require_role(request.user, Role.LEAD, team=None, to="decide")
    found = visible_or_404(Decision.objects.all(), pk=decision)
    found.decide(request.POST.get("outcome", ""), by=request.user, dropped="drop" in request.POST)
    return redirect(f"/reports/kept/{pk}/#decisions")


@change(Refused)
def subscribe(request: Request) -> Answer:
    form = SubscriptionForm(request.POST)
    if not form.is_valid():
        raise Refused("Choose a team, or everything, and how often.")
    try:
        with transaction.atomic():
            ReportSubscription.objects.create(person=request.user, **form.cleaned_data)
    except IntegrityError:
        raise Refused("You get this one already.") from None
    return redirect("kept-reports")


@change(Refused)
def unsubscribe(request: Request, pk: int) -> Answer:
    ReportSubscription.objects.filter(pk=pk, person=request.user).delete()
    return redirect("kept-reports")
