"""What an incident did."""

from typing import Any

from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from incidents.people.models import User
from incidents.response import impact as impacts
from incidents.response.buttons import at
from incidents.response.forms.impact import ExposureForm, ImpactForm
from incidents.response.impact import Exposure, Impact
from incidents.response.incident import Incident
from incidents.response.permissions import get_incident_to_change
from incidents.web.request import Answer, Request, page


@page
@require_http_methods(["GET", "POST"])
def impact(request: Request, number: int) -> Answer:
    """How bad it was, for how many, and how one knows."""
    incident = get_incident_to_change(request.user, number, to="assess its impact")
    known = Impact.objects.filter(incident=incident).first()
    rows = {row.of: row for row in incident.exposures.all()}
    given: Any = request.POST if request.method == "POST" else None
    form = ImpactForm(given, instance=known)
    exposures = [ExposureForm(given, row=rows.get(of), of=of) for of in Exposure.Of.values]
    if given is not None and all([form.is_valid(), *(one.is_valid() for one in exposures)]):
        _assess(incident, form, exposures, by=request.user)
        return at(incident, "impact")
    context = {"form": form, "exposures": exposures, "incident": incident}
    return render(request, "response/impact.html", context, status=422 if form.is_bound else 200)


def _assess(incident: Incident, form: ImpactForm, exposures: list[ExposureForm], *, by: User) -> None:
    impacts.assess(incident, by=by, **form.cleaned_data)
    for one in exposures:
        impacts.expose(incident, one.of, by=by, **one.cleaned_data)
