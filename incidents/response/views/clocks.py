"""The page on which the six clocks are corrected."""

from typing import Any

from django import forms
from django.shortcuts import redirect, render
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
    form = ClocksForm(request.POST or None, incident=incident, initial=_offered(request, incident))
    if request.method == "POST" and form.is_valid():
        try:
            form.save(by=request.user)
        except forms.ValidationError as refusal:
            form.add_error(None, refusal)
        else:
            return redirect(incident)
    context = {"form": form, "incident": incident, "starts": _starts(incident)}
    return render(request, "response/clocks.html", context, status=422 if form.is_bound else 200)


def _starts(incident: Incident) -> list[tuple[str, str, Any]]:
    """When the impact may have started, by what is on record: how one knows, what says so, and when."""
    first = incident.alerts.order_by("starts_at").first()
    alert = [(ImpactMethod.FIRST_ALERT.value, f"First alert: {first.title}", first.starts_at)] if first else []
    changed = [
        (ImpactMethod.CHANGE.value, f"Change: {row.title}", row.happened_at) for row in incident.changes_before()[:3]
    ]
    return [*alert, *changed]


def _offered(request: Request, incident: Incident) -> dict[str, Any]:
    """Fill in the start that the person chose of those on record."""
    chosen = request.GET.get("start", "")
    starts = _starts(incident)
    if not (chosen.isascii() and chosen.isdigit() and int(chosen) < len(starts)):
        return {}
    method, told, moment = starts[int(chosen)]
    return {"impact_started_at": moment, "impact_method": method, "reason": told[:500]}
