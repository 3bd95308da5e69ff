"""The buttons that move an incident: each is one verb."""

from django.contrib import messages

from incidents.response.buttons import undo_address, valid, verb
from incidents.response.forms.incident import ReasonForm, ResolveForm
from incidents.response.incident import Incident
from incidents.response.record import unfinished
from incidents.response.views.incident import render_incident
from incidents.response.vocabulary import Status
from incidents.web.request import Answer, Request


@verb("acknowledge it")
def acknowledge(request: Request, incident: Incident) -> None:
    incident.acknowledge(by=request.user)
    messages.success(request, f"{incident} is yours.", extra_tags=undo_address(incident))


@verb("decline it")
def decline(request: Request, incident: Incident) -> None:
    incident.decline(by=request.user, reason=valid(ReasonForm(request.POST))["reason"])
    messages.success(request, f"{incident} was declined.", extra_tags=undo_address(incident))


@verb("resolve it")
def resolve(request: Request, incident: Incident) -> Answer | None:
    """Resolve it; where something would be left open, list that and ask first."""
    form = ResolveForm(request.POST)
    note = valid(form)["note"]
    could = incident.status in (Status.INVESTIGATING, Status.CONTAINED)
    if could and "anyway" not in request.POST and (left := unfinished(incident, note=note)):
        return render_incident(request, incident, status=409, resolve_form=form, unfinished=left)
    incident.resolve(by=request.user, note=note)
    return None


@verb("reopen it")
def reopen(request: Request, incident: Incident) -> None:
    incident.reopen(by=request.user, reason=valid(ReasonForm(request.POST))["reason"])


@verb("close it")
def close(request: Request, incident: Incident) -> None:
    incident.close(by=request.user)
