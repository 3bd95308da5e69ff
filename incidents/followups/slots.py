"""What pages of lower slices show of follow-ups. Each begins with what the person may see; see shell/slots.py."""

from collections import defaultdict
from collections.abc import Sequence

from django.db.models import Q
from django.http import HttpRequest
from django.template.loader import render_to_string

from incidents.followups.models import FollowUp
from incidents.followups.recurrences import Recurrence
from incidents.people.models import User
from incidents.response.incident import Incident
from incidents.response.likeness import Likeness


def incident_facts(request: HttpRequest, incident: Incident) -> str:
    """The panel of what was promised, once there is something or the incident is over, and what it shows not to hold."""
    user = request.user
    if not isinstance(user, User):
        return ""
    concerned = Q(incident=incident) | Q(pk__in=Recurrence.objects.filter(incident=incident).values("follow_up"))
    rows = FollowUp.objects.visible_to(user).filter(concerned).select_related("incident")
    follow_ups = list(rows.order_by("pk"))
    if not follow_ups and incident.is_open:
        return ""
    context = {"incident": incident, "follow_ups": follow_ups, "may_add": incident.is_changeable_by(user)}
    return render_to_string("followups/slots/panel.html", context, request=request)


def similar_incidents(request: HttpRequest, alike: Sequence[Likeness]) -> list[str]:
    """For each similar incident what was promised and whether it is done; one query, however many there are."""
    user = request.user
    if not isinstance(user, User):
        return [""] * len(alike)
    by_incident: dict[int, list[FollowUp]] = defaultdict(list)
    incidents = [likeness.incident.pk for likeness in alike]
    for follow_up in FollowUp.objects.visible_to(user).filter(incident__in=incidents).order_by("pk"):
        by_incident[follow_up.incident_id].append(follow_up)
    return [
        render_to_string("followups/slots/outcome.html", {"follow_ups": by_incident[likeness.incident.pk]})
        for likeness in alike
    ]
