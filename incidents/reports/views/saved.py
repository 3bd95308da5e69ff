"""The pages of saved reports: the list, one as it was that day, and what people write to it."""

from django.db import IntegrityError, transaction
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from incidents.errors import Refused, WrongStatus
from incidents.people.models import Role, Team
from incidents.people.permissions import has_role, require_role
from incidents.reports.decisions import Decision
from incidents.reports.forms import DecisionForm, SubscriptionForm
from incidents.reports.saved import ReportNote, ReportSubscription, SavedReport
from incidents.reports.views.shared import as_pdf, asked_of, context_of
from incidents.web.request import Answer, Request, change, first_error, page, visible_or_404


@page
@require_safe
def saved_reports(request: Request) -> Answer:
    context = {
        "reports": SavedReport.objects.for_list()[:100],
        "teams": dict(Team.objects.values_list("slug", "name")),
        "subscriptions": ReportSubscription.objects.filter(person=request.user).select_related("team"),
        "form": SubscriptionForm(),
        "decisions": Decision.objects.open()[:50],
        "may_keep": has_role(request.user, Role.LEAD, team=None),
    }
    return render(request, "reports/saved_reports.html", context)


@page
@require_safe
def saved_report(request: Request, pk: int) -> Answer:
    """A report as it was when it was saved, and beside it what would be counted otherwise today."""
    report = _find(pk)
    return render(request, "reports/saved_report.html", _context(request, report) | {"changes": report.changes_since()})


@page
@require_safe
def pdf(request: Request, pk: int) -> Answer:
    report = _find(pk)
    return as_pdf(request, _context(request, report), report.get_absolute_url())


def _find(pk: int) -> SavedReport:
    """Everybody may read every saved report."""
    return visible_or_404(SavedReport.objects.select_related("made_by", "written_by"), pk=pk)


def _context(request: Request, report: SavedReport) -> dict[str, object]:
    data = report.data_for(request.user)
    return context_of(data["trends"], data["learning"], data.get("decide")) | {
        "report": report,
        "notes": report.notes.select_related("by"),
        "decisions": report.decisions.select_related("owner", "decided_by"),
        "carried": Decision.objects.waiting(report.team).filter(report__made_at__lt=report.made_at),
        "form": DecisionForm(),
        "may_keep": has_role(request.user, Role.LEAD, team=None),
    }


@change(Refused)
def save(request: Request) -> Answer:
    require_role(request.user, Role.LEAD, team=None, to="save reports")
    return redirect(SavedReport.objects.freeze(asked_of(request), by=request.user))


@change(Refused)
def write(request: Request, pk: int) -> Answer:
    require_role(request.user, Role.LEAD, team=None, to="write reports")
    report = _find(pk)
    report.write(request.POST.get("sentences", ""), by=request.user)
    return redirect(report)


@change(Refused)
def note(request: Request, pk: int) -> Answer:
    require_role(request.user, Role.LEAD, team=None, to="add notes to reports")
    report = _find(pk)
    text = request.POST.get("text", "").strip()
    if not text:
        raise Refused("Write the note first.")
    ReportNote.objects.create(report=report, text=text[:1000], by=request.user)
    return redirect(report)


@change(Refused)
def ask(request: Request, pk: int) -> Answer:
    require_role(request.user, Role.LEAD, team=None, to="ask for decisions")
    report = _find(pk)
    form = DecisionForm(request.POST)
    if not form.is_valid():
        raise Refused(first_error(form.errors.values()))
    Decision.objects.ask(report, by=request.user, **form.cleaned_data)
    return redirect(report.get_absolute_url() + "#decisions")


@change(Refused, WrongStatus)
def decide(request: Request, pk: int, decision: int) -> Answer:
    require_role(request.user, Role.LEAD, team=None, to="decide")
    asked = visible_or_404(Decision.objects.all(), pk=decision)
    asked.decide(request.POST.get("outcome", ""), by=request.user, dropped="drop" in request.POST)
    return redirect(reverse("kept-report", args=[pk]) + "#decisions")


@change(Refused)
def subscribe(request: Request) -> Answer:
    form = SubscriptionForm(request.POST)
    if not form.is_valid():
        raise Refused("Choose a team or everything, and how often.")
    try:
        with transaction.atomic():
            ReportSubscription.objects.create(person=request.user, **form.cleaned_data)
    except IntegrityError:
        raise Refused("You already receive this one.") from None
    return redirect("kept-reports")


@change(Refused)
def unsubscribe(request: Request, pk: int) -> Answer:
    ReportSubscription.objects.filter(pk=pk, person=request.user).delete()
    return redirect("kept-reports")
