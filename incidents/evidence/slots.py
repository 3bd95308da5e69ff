"""What pages of lower slices show of what the AI did. Each begins with what the person may see; see shell/slots.py."""

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse

from incidents.evidence.actions import AgentAction, counts
from incidents.evidence.context import context_of
from incidents.evidence.rates import rate_of
from incidents.evidence.samples import Sample
from incidents.people.models import User
from incidents.response.incident import Incident

FIRST = 3


def incident_evidence(request: HttpRequest, incident: Incident) -> str:
    """The panel of what the AI said: how many samples, the first few, and how often a draw was wrong."""
    user = request.user
    if not isinstance(user, User):
        return ""
    rows = Sample.objects.visible_to(user).filter(incident=incident)
    states = list(rows.values_list("verdict", "drawn"))
    may = incident.is_changeable_by(user)
    if not states and not may:
        return ""
    context = {
        "incident": incident,
        "sample_count": len(states),
        "wrong": sum(1 for verdict, _ in states if verdict == "wrong"),
        "unjudged": sum(1 for verdict, _ in states if not verdict),
        "samples": list(rows.defer("context", "tool_calls").order_by("pk")[:FIRST]) if states else [],
        "rate": rate_of([verdict for verdict, drawn in states if drawn]),
        "may_respond": may,
    }
    return render_to_string("evidence/slots/incident.html", context, request=request)


def incident_context(request: HttpRequest, incident: Incident) -> str:
    """The panel of the versions that were in force at onset and at detection, and what differs."""
    user = request.user
    if not isinstance(user, User) or incident.system is None:
        return ""
    found = context_of(incident)
    if found is None:
        return ""
    may = incident.is_changeable_by(user)
    changed = [f"{part.label.lower()} changed" for part in found.differing]
    context = {
        "incident": incident,
        "found": found,
        "in_short": ", ".join(changed) or ("nothing known to have changed" if found.onset else "onset unknown"),
        "record_change": f"{reverse('change-new', args=[incident.system.slug])}?next={incident.get_absolute_url()}"
        if may
        else "",
    }
    return render_to_string("evidence/slots/context.html", context, request=request)


def incident_actions(request: HttpRequest, incident: Incident) -> str:
    """The panel of what agents did: the latest, and how many were denied, failed or cannot be undone."""
    user = request.user
    if not isinstance(user, User):
        return ""
    rows = AgentAction.objects.visible_to(user).filter(incident=incident)
    latest = list(rows.newest_first()[:FIRST])
    if not latest:
        return ""
    found = counts(rows)
    context = {"incident": incident, "actions": latest, "all_count": found[""], "counts": found}
    return render_to_string("evidence/slots/actions.html", context, request=request)
