"""The page on which the six clocks are corrected."""

from datetime import datetime
from typing import Any

from django import forms
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_http_methods

from incidents.response.forms.clocks import ClocksForm
from incidents.response.incident import Incident
from incidents.response.permissions import get_incident_to_change
from incidents.response.vocabulary import ImpactMethod
from incidents.web.request import Answer, Request, page


@page
@require_http_methods(["GET", "POST"])
def clocks(request: Request, number: int) -> Answer:
    """Correct the six clocks, together, with how one knows."""
    incident = get_incident_to_change(request.user, number, to="correct its clocks")
    form = ClocksForm(request.POST or None, incident=incident, initial=_proposed(request))
    if request.method == "POST" and form.is_valid():
        try:
            form.save(by=request.user)
        except forms.ValidationError as refusal:
            form.add_error(None, forms.ValidationError(refusal.messages))
        else:
            return redirect(incident)
    context = {"form": form, "incident": incident, "starts": _starts(incident)}
    return render(request, "response/clocks.html", context, status=422 if form.is_bound else 200)


def _starts(incident: Incident) -> list[tuple[str, str, datetime]]:
    """When the impact may have started by what was changed: how one knows, what says so, and when."""
    method = ImpactMethod.CHANGE.value
    return [(method, f"Change: {change.title}", change.happened_at) for change in incident.changes_before()[:3]]


def _proposed(request: Request) -> dict[str, Any]:
    """The start that the address proposes: a moment in ISO 8601, how one knows it, and what says so."""
    try:
        start = parse_datetime(request.GET.get("impact_started_at", ""))
    except ValueError:  # well-formed, but no date
        start = None
    if start is None or timezone.is_naive(start):
        return {}
    method, reason = request.GET.get("impact_method", ""), request.GET.get("reason", "")[:500]
    return {"impact_started_at": start, "impact_method": method, "reason": reason}
