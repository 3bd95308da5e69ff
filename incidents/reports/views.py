"""The page for leaders."""

from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from incidents.people.models import Team
from incidents.reports.trends import PERIODS, Period
from incidents.reports.trends import trends as work_out
from incidents.response.models import Kind
from incidents.web.request import Answer, Request, page


@page
@require_GET
def trends(request: Request) -> Answer:
    """The trends of a period and a team, both in the address."""
    asked = request.GET.get("months", "12")
    months = asked if asked in PERIODS else "12"
    team = Team.objects.filter(slug=request.GET.get("team", "").replace("\x00", "")[:50]).first()
    kind = request.GET.get("kind", "")
    kind = kind if kind in Kind.values else Kind.REAL
    period = Period.last(int(months), today=timezone.now().date())
    context = {
        "trends": work_out(request.user, period=period, team=team, kind=kind),
        "months": months,
        "periods": PERIODS.items(),
        "teams": Team.objects.all(),
        "kinds": Kind.choices,
        "now": timezone.now(),
    }
    return render(request, "reports/trends.html", context)
