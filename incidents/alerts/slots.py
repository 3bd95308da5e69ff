"""What pages of lower slices show of alerts. Each begins with what the person may see; see shell/slots.py."""

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse

from incidents.alerts.models import Alert
from incidents.alerts.policies import Watch
from incidents.people.models import Role, User
from incidents.people.permissions import has_role
from incidents.response.incident import Incident
from incidents.response.vocabulary import ImpactMethod
from incidents.systems.models import System

LATEST = 8


def incident_evidence(request: HttpRequest, incident: Incident) -> str:
    """The panel of the incident's alerts: how many, and the latest of them."""
    if not isinstance(request.user, User):
        return ""
    alerts = Alert.objects.visible_to(request.user).filter(incident=incident)
    latest = list(alerts.order_by("-last_received_at", "-pk")[:LATEST])
    context = {
        "incident": incident,
        "alerts": latest,
        "alert_count": alerts.count() if len(latest) == LATEST else len(latest),
    }
    return render_to_string("alerts/slots/incident.html", context, request=request)


def incident_starts(request: HttpRequest, incident: Incident) -> str:
    """The first alert, as a moment at which the impact may have started."""
    if not isinstance(request.user, User):
        return ""
    first = Alert.objects.visible_to(request.user).filter(incident=incident).order_by("starts_at").first()
    if first is None:
        return ""
    context = {"method": ImpactMethod.FIRST_ALERT, "reason": f"First alert: {first.title}", "moment": first.starts_at}
    return render_to_string("response/_start.html", context, request=request)


def system_records(request: HttpRequest, system: System) -> str:
    """The latest alerts of a system."""
    if not isinstance(request.user, User):
        return ""
    alerts = Alert.objects.visible_to(request.user).filter(system=system).order_by("-pk")[:LATEST]
    return render_to_string("alerts/slots/system.html", {"system": system, "alerts": alerts}, request=request)


def system_facts(request: HttpRequest, system: System) -> str:
    """Whether an alert is raised once nothing is heard of the system, and the form for whoever may change that."""
    if not isinstance(request.user, User) or not System.objects.visible_to(request.user).filter(pk=system.pk).exists():
        return ""
    context = {
        "url": reverse("system-watch", args=[system.slug]),
        "watch": Watch.objects.filter(system=system).first(),
        "may_manage": has_role(request.user, Role.LEAD, team=system.team),
    }
    return render_to_string("alerts/_watch.html", context, request=request)
