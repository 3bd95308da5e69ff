"""What pages of lower slices show of notifications. Each begins with what the person may see; see shell/slots.py."""

from django.db.models import Q
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone

from incidents.notifications.channels.catalogue import RECEIVERS
from incidents.notifications.destinations import Destination
from incidents.notifications.escalation import Escalation
from incidents.notifications.messages import Notification
from incidents.notifications.paging import pager_of, trouble_of
from incidents.notifications.reach import who_would_be_told
from incidents.notifications.transmissions import Transmission
from incidents.oncall.permissions import may_edit
from incidents.oncall.pointer import OnCall
from incidents.people.models import Team, User
from incidents.response.events import Event
from incidents.response.incident import Incident
from incidents.response.vocabulary import Severity
from incidents.systems.models import System

A_PANEL = 30
PAGERS = [receiver.kind for receiver in RECEIVERS.values() if receiver.group == "pager"]


def incident_facts(request: HttpRequest, incident: Incident) -> str:
    """Who was told of an incident, how, and whether it went out; and who is called next."""
    user = request.user
    if not isinstance(user, User) or not Incident.objects.visible_to(user).filter(pk=incident.pk).exists():
        return ""
    rows = Notification.objects.filter(incident=incident).defer("picture", "text").select_related("person")
    notifications = list(rows.prefetch_related("dispatches")[: A_PANEL + 1])
    # Ended by a worker a moment after somebody acknowledged; the page is right at once.
    waiting = Escalation.objects.filter(pk=incident.pk, ended_at=None, incident__acknowledged_at=None)
    climbing = waiting.select_related("snoozed_by").first()
    to_pagers = Transmission.objects.visible_to(user).filter(incident=incident, destination__kind__in=PAGERS)
    first_of_each = to_pagers.order_by("destination_id", "pk").distinct("destination_id")
    taken = incident.events.filter(kind=Event.Kind.ACKNOWLEDGED).select_related("by").order_by("-pk")
    context = {
        "incident": incident,
        "pages": list(first_of_each.select_related("destination").defer("payload", "request", "answer")[:A_PANEL]),
        "taken": taken.first() if incident.acknowledged_at else None,
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
    rungs = who_would_be_told(system, Severity.SEV1, at=timezone.now())
    context = {"system": system, "rungs": rungs, "trouble": trouble_of(system.team)}
    return render_to_string("notifications/slots/system.html", context, request=request)


def on_call_pager(request: HttpRequest, team: Team) -> str:
    """How a team that points at a pager is paged: by which channel, or why by none."""
    if not isinstance(request.user, User):
        return ""
    context = {"team": team, "pager": pager_of(team), "trouble": trouble_of(team)}
    return render_to_string("notifications/slots/on_call_pager.html", context, request=request)


def on_call_choices(request: HttpRequest, team: Team) -> str:
    """The pagers through which a team can be paged, each with its button."""
    user = request.user
    if not isinstance(user, User):
        return ""
    channels = Destination.objects.visible_to(user).filter(Q(team=None) | Q(team=team), paused_at=None)
    context = {
        "team": team,
        "pagers": [row for row in channels.order_by("name", "pk") if row.is_pager],
        "used": pager_of(team),
        "version": OnCall.of(team).version,
        "may_edit": may_edit(user, team),
    }
    return render_to_string("notifications/slots/on_call_choices.html", context, request=request)


def account_notifications(request: HttpRequest, person: User) -> str:
    return render_to_string("notifications/slots/account.html", {"person": person}, request=request)
