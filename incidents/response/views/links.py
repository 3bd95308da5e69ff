"""How an incident belongs to others, and which ones are like it."""

from django.db.models import prefetch_related_objects
from django.shortcuts import render
from django.views.decorators.http import require_safe

from incidents.response.buttons import at, verb
from incidents.response.incident import Incident
from incidents.response.likeness import similar
from incidents.response.links import Link
from incidents.response.permissions import get_incident
from incidents.web.request import Answer, Request, page


@verb("link it")
def unlink(request: Request, incident: Incident, *, pk: int) -> Answer:
    Link.objects.unlink(pk, incident, by=request.user)
    return at(incident, "links")


@page
@require_safe
def like_this(request: Request, number: int) -> Answer:
    """Earlier incidents like this one, with what contained them and whether what was to follow is done."""
    incident = get_incident(request.user, number)
    linked = [other.pk for _, other, _ in Link.objects.of(incident, user=request.user)]
    alike = similar(
        user=request.user,
        title=incident.title,
        system=incident.system,
        category=incident.category,
        failure_mode=incident.failure_mode,
        but=[incident.pk, *linked],
        most=3 if request.htmx else 20,
    )
    prefetch_related_objects([likeness.incident for likeness in alike], "containments")
    context = {"similar": alike, "incident": incident, "may_respond": incident.is_changeable_by(request.user)}
    return render(request, "response/_similar.html" if request.htmx else "response/similar.html", context)
