"""What pages of lower slices show of incidents. Each begins with what the person may see; see shell/slots.py."""

from django.db.models import Count, Exists, OuterRef, Q, Window
from django.http import HttpRequest
from django.template.loader import render_to_string

from incidents.people.models import Team, User
from incidents.response.followers import Follower
from incidents.response.incident import Incident
from incidents.response.vocabulary import OPEN
from incidents.systems.models import System

LATEST = 10


def system_actions(request: HttpRequest, system: System) -> str:
    """The buttons that follow a system, lead to its public page and open an incident of it."""
    user = request.user
    if not isinstance(user, User):
        return ""
    follows = Exists(Follower.objects.filter(person=user, system=OuterRef("pk")))
    visible = System.objects.visible_to(user).filter(pk=system.pk).annotate(is_followed=follows).first()
    if visible is None:
        return ""
    return render_to_string("response/slots/system_actions.html", {"system": visible}, request=request)


def system_incidents(request: HttpRequest, system: System) -> str:
    """The latest incidents of a system, and how many are open."""
    if not isinstance(request.user, User):
        return ""
    incidents = Incident.objects.visible_to(request.user).filter(system=system)
    counted = incidents.annotate(  # over all of them, although only the latest are fetched
        count_all=Window(Count("pk")), count_open=Window(Count("pk", filter=Q(status__in=OPEN)))
    )
    context = {"system": system, "incidents": list(counted.order_by("-number")[:LATEST])}
    return render_to_string("response/slots/system_incidents.html", context, request=request)


def account_follows(request: HttpRequest, person: User) -> str:
    """What a person follows, and the teams that they can follow."""
    incidents = Incident.objects.visible_to(person)
    follows = Follower.objects.filter(Q(incident=None) | Q(incident__in=incidents), person=person)
    context = {
        "follows": follows.select_related("incident", "system", "team").order_by("pk"),
        "teams": Team.objects.order_by("name"),
        "followed": {follow.team_id for follow in follows},
    }
    return render_to_string("response/slots/account_follows.html", context, request=request)
