"""The acts on incidents that their alerts follow: to merge it into another, and to take back what triage decided."""

from urllib.parse import urlencode

from django.contrib import messages
from django.shortcuts import redirect
from django.urls import reverse

from incidents.alerts import merging
from incidents.errors import Refused, WrongStatus
from incidents.response.buttons import tell_of_copies, undo_address, valid, verb
from incidents.response.forms.incident import MergeForm
from incidents.response.incident import Incident
from incidents.response.many import chosen, do_to_each
from incidents.web.request import Answer, Request, back, change


@verb("merge it")
def merge(request: Request, incident: Incident) -> Answer:
    """Merge it; a number that is none is said at its field, which keeps what was typed whatever is refused."""
    typed = urlencode({"into": request.POST.get("into", "")[:20]})
    again = redirect(f"{incident.get_absolute_url()}?{typed}#act-merge")
    form = MergeForm(request.POST, user=request.user)
    if not form.is_valid():
        return again
    into = form.cleaned_data["into"]
    try:
        copies = merging.merge(incident, into, by=request.user)
    except Refused as refusal:
        messages.error(request, " ".join(refusal.messages))
        return again
    messages.success(request, f"{incident} was merged into {into}.", extra_tags=undo_address(incident))
    tell_of_copies(request, copies)
    return redirect(into)


@verb("take that back")
def undo(request: Request, incident: Incident) -> None:
    merging.undo(incident, by=request.user)
    messages.success(request, f"Undone: {incident} is {incident.get_status_display().lower()} again.")


@change(WrongStatus)
def merge_many(request: Request) -> Answer:
    """Merge the selected incidents into one; each is merged or refused by itself."""
    incidents = chosen(request)
    into = valid(MergeForm(request.POST, user=request.user))["into"]
    copies: list[Incident] = []
    label = f"Merge into {into}"
    do_to_each(
        request, incidents, lambda incident: copies.extend(merging.merge(incident, into, by=request.user)), label=label
    )
    tell_of_copies(request, copies)
    return back(request, reverse("incidents"))
