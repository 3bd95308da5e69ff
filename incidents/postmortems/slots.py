"""What pages of lower slices show of postmortems. Each begins with what the person may see; see shell/slots.py."""

from collections.abc import Sequence

from django.http import HttpRequest
from django.template.loader import render_to_string

from incidents.people.models import User
from incidents.postmortems.document import Postmortem
from incidents.postmortems.due import starts_by_itself
from incidents.postmortems.provenance import Provenance
from incidents.response.incident import Incident
from incidents.response.likeness import Likeness
from incidents.response.vocabulary import IncidentKind, Status


def incident_actions(request: HttpRequest, incident: Incident) -> str:
    """The button to the incident's postmortem, or to start one; right after it was resolved, that one starts by itself.

    One that another postmortem covers leads there, also where an emptied one of its own is left. Where the only one
    is hidden from the person there is neither button: starting would lead to what they may not see.
    """
    user = request.user
    if not isinstance(user, User) or incident.status not in (Status.RESOLVED, Status.CLOSED):
        return ""
    postmortem = None
    if Postmortem.objects.of(incident).exists():
        postmortem = Postmortem.objects.visible_to(user).of(incident).best_first(incident).first()
        if postmortem is None:
            return ""
    elif not incident.is_changeable_by(user):
        return ""
    context = {"incident": incident, "postmortem": postmortem, "starts_by_itself": starts_by_itself(incident)}
    return render_to_string("postmortems/slots/actions.html", context, request=request)


def incident_clocks(request: HttpRequest, incident: Incident) -> str:
    """Which clocks of an imported incident nobody knows, and what stands in for them."""
    if not isinstance(request.user, User) or incident.kind != IncidentKind.BACKFILLED:
        return ""
    visible = Postmortem.objects.visible_to(request.user).of(incident)
    provenance = Provenance.objects.filter(postmortem__in=visible).order_by("pk").first()
    if provenance is None:
        return ""
    return render_to_string("postmortems/slots/clocks.html", {"unknown": provenance.unknown_clocks}, request=request)


def similar_incidents(request: HttpRequest, alike: Sequence[Likeness]) -> list[str]:
    """For each similar incident the published postmortems about it; two queries, however many there are."""
    user = request.user
    if not isinstance(user, User):
        return [""] * len(alike)
    visible = Postmortem.objects.visible_to(user).published()
    postmortems = visible.by_incident([likeness.incident.pk for likeness in alike])
    return [
        render_to_string("postmortems/slots/learnt.html", {"postmortems": postmortems.get(likeness.incident.pk, [])})
        for likeness in alike
    ]
