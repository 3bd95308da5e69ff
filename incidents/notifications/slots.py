"""What pages of lower slices show of notifications. Each begins with what the person may see; see shell/slots.py."""

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone

from incidents.notifications.escalation import Escalation
from incidents.notifications.messages import Notification
from incidents.notifications.reach import who_would_be_told
from incidents.people.models import User
from incidents.response.incident import Incident
from incidents.response.vocabulary import Severity
from incidents.systems.models import System

A_PANEL = 30


def incident_facts(request: HttpRequest, incident: Incident) -> str:
    """Who was told of an incident, how, and whether it went out; and who is called next."""
    user = request.user
    if not isinstance(user, User) or not Incident.objects.visible_to(user).filter(pk=incident.pk).exists():
        return ""
    rows = Notification.objects.filter(incident=incident).defer("picture", "text").select_related("person")
    notifications = list(rows.prefetch_related("dispatches")[: A_PANEL + 1])
    climbing = Escalation.objects.filter(pk=incident.pk, ended_at=None).select_related("snoozed_by").first()
    context = {
        "incident": incident,
        "notifications": notifications[:A_PANEL],
        "more": len(notifications) > A_PANEL,
        "people": len({row.person_id for row in notifications}),
        "escalation": climbing,
        "may_snooze": climbing and incident.is_changeable_by(user),
    }
    return render_to_string("notifications/slots/incident.html", context, request=request)


def system_facts(request: HttpRequest, system: System) -> str:
    """Who would be told now of a SEV1 on a system, and how."""
    user = request.user
    if not isinstance(user, User) or not System.objects.visible_to(user).filter(pk=system.pk).exists():
        return ""
    context = {"system": system, "rungs": who_would_be_told(system, Severity.SEV1, at=timezone.now())}
    return render_to_string("notifications/slots/system.html", context, request=request)


def account_notifications(request: HttpRequest, person: User) -> str:
    return render_to_string("notifications/slots/account.html", {"person": person}, request=request)
