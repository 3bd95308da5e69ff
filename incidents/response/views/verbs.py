"""The buttons that move an incident or say a fact of it: each is one verb."""

from django.contrib import messages

from incidents.response.buttons import undo_address, valid, verb
from incidents.response.forms.incident import (
    ClassifyForm,
    DescribeForm,
    KindForm,
    LeadForm,
    NoticedForm,
    PrivacyForm,
    ReasonForm,
    ResolveForm,
    SeverityForm,
    SystemForm,
)
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


@verb("say whether it is real")
def set_kind(request: Request, incident: Incident) -> None:
    incident.set_kind(valid(KindForm(request.POST))["kind"], by=request.user)


@verb("change its severity")
def set_severity(request: Request, incident: Incident) -> None:
    incident.set_severity(valid(SeverityForm(request.POST))["severity"], by=request.user)


@verb("assign its lead")
def assign_lead(request: Request, incident: Incident) -> None:
    incident.assign_lead(valid(LeadForm(request.POST))["lead"], by=request.user)


@verb("classify it")
def classify(request: Request, incident: Incident) -> None:
    form = ClassifyForm(request.POST)
    valid(form)
    category, mode = form.chosen
    incident.classify(category, mode, by=request.user)


@verb("set its system")
def set_system(request: Request, incident: Incident) -> None:
    incident.set_system(valid(SystemForm(request.POST))["system"], by=request.user)


@verb("edit it")
def describe(request: Request, incident: Incident) -> None:
    fields = valid(DescribeForm(request.POST))
    incident.describe(title=fields["title"], summary=fields["summary"], by=request.user)


@verb("edit it")
def say_who_noticed(request: Request, incident: Incident) -> None:
    incident.say_who_noticed(valid(NoticedForm(request.POST))["noticed_by"], by=request.user)


@verb("make it private")
def restrict(request: Request, incident: Incident) -> None:
    incident.restrict(list(valid(PrivacyForm(request.POST))["people"]), by=request.user)


@verb("make it visible")
def open_up(request: Request, incident: Incident) -> None:
    incident.open_up(by=request.user)
