"""Links by which calendars elsewhere subscribe to shifts, and what they give."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from incidents.oncall.feeds import CalendarLink
from incidents.oncall.ical import calendar_of
from incidents.people.models import Team
from incidents.web.request import Answer, Request, change, visible_or_404


@change()
def make_team_link(request: Request, slug: str) -> Answer:
    """Make one's own link to a team's shifts; it is shown once."""
    team: Team = visible_or_404(Team.objects.all(), slug=slug)
    _made(request, team)
    return redirect("on-call-team", team.slug)


@change()
def make_own_link(request: Request) -> Answer:
    """Make a link to one's own shifts; it is shown once."""
    _made(request, None)
    return redirect(reverse("account") + "#on-call")


def _made(request: Request, team: Team | None) -> None:
    _, secret = CalendarLink.objects.make(request.user, team)
    request.session["calendar_link"] = request.build_absolute_uri(reverse("on-call-calendar", args=[secret]))


@change()
def revoke_link(request: Request, pk: int) -> Answer:
    link: CalendarLink = visible_or_404(CalendarLink.objects.filter(owner=request.user).select_related("team"), pk=pk)
    link.revoke()
    messages.success(request, "The link is revoked.")
    return redirect("on-call-team", link.team.slug) if link.team else redirect(reverse("account") + "#on-call")


@never_cache
@require_safe
def feed(request: HttpRequest, token: str) -> HttpResponse:
    """The shifts, for whoever has the link."""
    link = CalendarLink.objects.find(token)
    if link is None:
        raise Http404
    answer = HttpResponse(calendar_of(link, timezone.now()), content_type="text/calendar; charset=utf-8")
    answer["Content-Disposition"] = 'inline; filename="on-call.ics"'
    answer["X-Robots-Tag"] = "noindex, nofollow"
    return answer
