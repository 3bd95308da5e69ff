"""What pages of lower slices show of who is on call. Everybody in the organisation may see it; see shell/slots.py."""

from datetime import datetime

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone

from incidents.oncall.cover import covers
from incidents.oncall.feeds import CalendarLink
from incidents.oncall.schedule import FOUR_WEEKS, standings
from incidents.oncall.shifts import Duty, joined
from incidents.people.models import Team, User
from incidents.systems.models import System


def system_facts(request: HttpRequest, system: System) -> str:
    """Who is on call now for the team of a system, and who comes next."""
    if not isinstance(request.user, User):
        return ""
    [standing] = standings([system.team])
    return render_to_string("oncall/slots/system_facts.html", {"standing": standing}, request=request)


def account(request: HttpRequest, person: User) -> str:
    """When somebody is on call themselves, and the link that brings it into their calendar."""
    now = timezone.now()
    context = {
        "shifts": _shifts(person, now),
        "now": now,
        "link": CalendarLink.objects.in_force().filter(owner=person, team=None).first(),
        "made": request.session.pop("calendar_link", None),
    }
    return render_to_string("oncall/slots/account.html", context, request=request)


def _shifts(person: User, now: datetime) -> list[tuple[Duty, Team]]:
    """The shifts of somebody in the next four weeks, each with its team."""
    found = covers(Team.objects.filter(on_call__isnull=False), now, now + FOUR_WEEKS)
    mine = [
        (duty, cover.team)
        for cover in found.values()
        for duty in joined(duty for duty in cover.duties if duty.person == person.pk)
    ]
    return sorted(mine, key=lambda pair: pair[0].start)
