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
    assessed = Impact.objects.filter(incident=incident).first()
    exposures_by_kind = {exposure.of: exposure for exposure in incident.exposures.all()}
    typed: Any = request.POST if request.method == "POST" else None
    form = ImpactForm(typed, instance=assessed)
    exposure_forms = [
        ExposureForm(typed, exposure=exposures_by_kind.get(of), of=of) for of in Exposure.Of.values if of != "money"
    ]
    if typed is not None and all([form.is_valid(), *(exposure_form.is_valid() for exposure_form in exposure_forms)]):
        _assess(incident, form, exposure_forms, by=request.user)
        return at(incident, "impact")
    context = {"form": form, "exposures": exposure_forms, "incident": incident}
    return render(request, "response/impact.html", context, status=422 if form.is_bound else 200)


def _assess(incident: Incident, form: ImpactForm, exposure_forms: list[ExposureForm], *, by: User) -> None:
    impacts.assess(incident, by=by, **form.cleaned_data)
    for exposure_form in exposure_forms:
        impacts.expose(incident, exposure_form.of, by=by, **exposure_form.cleaned_data)
