"""The buttons of an incident's page that its alerts follow: to merge it into another, and to take back what triage decided."""

from urllib.parse import urlencode

from django.contrib import messages
from django.shortcuts import redirect

from incidents.alerts import merging
from incidents.response.buttons import tell_of_copies, undo_address, verb
from incidents.response.forms.incident import MergeForm
from incidents.response.incident import Incident
from incidents.web.request import Answer, Request


@verb("merge it")
def merge(request: Request, incident: Incident) -> Answer:
    """Merge it; a number that is none is said at its field."""
    form = MergeForm(request.POST, user=request.user)
    if not form.is_valid():
        typed = urlencode({"into": request.POST.get("into", "")[:20]})
        return redirect(f"{incident.get_absolute_url()}?{typed}#act-merge")
    into = form.cleaned_data["into"]
    copies = merging.merge(incident, into, by=request.user)
    messages.success(request, f"{incident} was merged into {into}.", extra_tags=undo_address(incident))
    tell_of_copies(request, copies)
    return redirect(into)


@verb("take that back")
def undo(request: Request, incident: Incident) -> None:
    merging.undo(incident, by=request.user)
    messages.success(request, f"Undone: {incident} is {incident.get_status_display().lower()} again.")
