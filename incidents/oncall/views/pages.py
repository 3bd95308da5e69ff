"""Who is on call: of all teams, and of one."""

from datetime import timedelta

from django.db.models.functions import Lower
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from incidents.oncall.cover import covers
from incidents.oncall.feeds import CalendarLink
from incidents.oncall.overrides import Override
from incidents.oncall.permissions import may_edit, may_remove
from incidents.oncall.pointer import OnCall, RotaChange
from incidents.oncall.rota import Rota
from incidents.oncall.schedule import FOUR_WEEKS, HORIZON, lines, standing, standings
from incidents.oncall.swaps import ShiftSwap
from incidents.people.models import Role, Team, User
from incidents.people.permissions import has_role
from incidents.web.request import Answer, Request, page, visible_or_404

UNREAD_FOR_LONG = timedelta(days=1)
LATEST = 15


@page
@require_safe
def on_call(request: Request) -> Answer:
    """Every team: who is on call, until when, who comes next; and where nobody is in the next two weeks."""
    now = timezone.now()
    found = standings(Team.objects.order_by(Lower("name")), now)
    offers = ShiftSwap.objects.open().filter(taker=request.user).select_related("giver", "team")
    context = {
        "standings": found,
        "mine": [standing for standing in found if request.user in standing.people],
        "offers": offers.order_by("gives_from"),
    }
    return render(request, "oncall/list.html", context)


@page
@require_safe
def team(request: Request, slug: str) -> Answer:
    """The next four weeks of one team, with its overrides and swaps, and how to change them."""
    team: Team = visible_or_404(Team.objects.all(), slug=slug)
    now, user = timezone.now(), request.user
    cover = covers([team], now, now + HORIZON)[team.pk]
    leads = may_edit(user, team)
    pointer = cover.pointer or OnCall(team=team)
    context = {
        "team": team,
        "standing": standing(cover, now),
        "lines": [line for line in lines(cover, now) if line.start < now + FOUR_WEEKS],
        "pointer": pointer,
        "edit_url": pointer.edit_url,
        "rota": Rota.objects.filter(team=team).prefetch_related("turns__person").first(),
        "leads": leads,
        "may_cover": leads or has_role(user, Role.RESPONDER, team=team),
        "overrides": _overrides(team, user, leads=leads),
        "swaps": ShiftSwap.objects.open().filter(team=team).select_related("giver", "taker").order_by("gives_from"),
        "link": CalendarLink.objects.in_force().filter(owner=user, team=team).first(),
        "made": request.session.pop("calendar_link", None),
        "changes": RotaChange.objects.filter(team=team).select_related("by")[:LATEST],
        **_calendar(pointer),
    }
    return render(request, "oncall/team.html", context)


def _overrides(team: Team, user: User, *, leads: bool) -> list[tuple[Override, bool]]:
    """What is not over, each with whether the user may take it back."""
    rows = Override.objects.of(team).not_over().select_related("person", "by", "swap").order_by("starts_at", "pk")
    return [(override, may_remove(user, override, leads=leads)) for override in rows]


def _calendar(pointer: OnCall) -> dict[str, object]:
    """How well the calendar is read, where there is one: since when not, and which entries nobody here was found in."""
    if not pointer.reads_calendar:
        return {}
    now = timezone.now()
    unknown = pointer.calendar_shifts.filter(person=None, ends_at__gt=now, starts_at__lt=now + FOUR_WEEKS)
    return {
        "unknown": list(unknown[:LATEST]),
        "is_stale": pointer.read_at is not None and pointer.read_at < now - UNREAD_FOR_LONG,
    }
