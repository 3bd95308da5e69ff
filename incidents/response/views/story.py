"""One entry of the timeline, and how it is told."""

from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from incidents.response.buttons import at, verb
from incidents.response.events import Event
from incidents.response.forms.story import CurateForm
from incidents.response.incident import Incident
from incidents.response.permissions import get_incident, get_incident_to_change
from incidents.response.story import Curation, curate, curation_of, visible
from incidents.web.request import Answer, Request, page, visible_or_404


@page
@require_http_methods(["GET", "HEAD", "POST"])
def entry(request: Request, number: int, pk: int) -> Answer:
    """One entry of the timeline at an address of its own: how it is told, and what the log says."""
    incident = get_incident(request.user, number)
    rows = visible(incident, user=request.user).select_related("by", "note", "note__author", "curation")
    event: Event = visible_or_404(rows, pk=pk)
    event.incident = incident
    may = incident.is_changeable_by(request.user)
    curation = Curation.objects.filter(event=event).first()
    form = CurateForm(request.POST or None, instance=curation) if may else None
    if request.method == "POST":
        get_incident_to_change(request.user, number, to="edit its story")
        if form and form.is_valid():
            curate(event, by=request.user, **form.cleaned_data)
            return at(incident, f"event-{event.pk}")
    context = {"incident": incident, "event": event, "curation": curation_of(event), "form": form, "may_respond": may}
    return render(request, "response/entry.html", context, status=422 if form and form.is_bound else 200)


@verb("edit its story")
def pin(request: Request, incident: Incident, *, pk: int) -> Answer:
    event: Event = visible_or_404(visible(incident, user=request.user), pk=pk)
    event.incident = incident
    curate(event, by=request.user, pinned=request.POST.get("pin") != "off")
    return at(incident, f"event-{event.pk}")
