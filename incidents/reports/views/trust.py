"""The pages of trust: all systems side by side, and one."""

from dataclasses import dataclass
from itertools import groupby

from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from incidents.errors import Refused
from incidents.people.models import Role
from incidents.people.permissions import has_role, require_role
from incidents.reports.cache import cached
from incidents.reports.drills import DRILL_EVERY
from incidents.reports.forms import ObjectiveForm
from incidents.reports.scope import Asked, Period, ReportScope
from incidents.reports.trust import DAYS, Scorecard, judged_days, scorecards
from incidents.systems.models import System
from incidents.web.request import Answer, Request, change, page, visible_or_404

PERIODS = {"1": "30 days", "3": "90 days", "12": "12 months"}
_DAYS = {"1": 30, "3": DAYS, "12": 365}


def _asked(request: Request) -> tuple[str, Asked]:
    months = request.GET.get("months", "3")
    months = months if months in _DAYS else "3"
    return months, Asked(judged_days(_DAYS[months]), ReportScope())


@page
@require_safe
def trust(request: Request) -> Answer:
    """All systems, those of a kind together: only these are comparable."""
    months, asked = _asked(request)
    systems = list(System.objects.visible_to(request.user).select_related("team").order_by("kind", "tier", "name"))
    cards: list[Scorecard] = cached("trust", request.user, asked, lambda: scorecards(request.user, asked, systems))
    narrowed = [card for card in cards if _is_asked_for(card, request)]
    groups = [
        (System.Kind(kind).label, list(group)) for kind, group in groupby(narrowed, key=lambda card: card.system.kind)
    ]
    context = {
        "groups": groups,
        "is_narrowed": len(narrowed) < len(cards),
        "months": months,
        "periods": PERIODS.items(),
        "period": asked.period,
        "every": DRILL_EVERY,
    }
    return render(request, "reports/trust.html", context)


def _is_asked_for(card: Scorecard, request: Request) -> bool:
    """Whether the address asks for this system: by its team, itself, its budget, or a drill that is due or overdue."""
    system, query = card.system, request.GET
    if query.get("system", system.slug) != system.slug:
        return False
    if query.get("team", system.team.slug) != system.team.slug:
        return False
    if query.get("budget") == "exceeded" and not card.is_exceeded:
        return False
    match query.get("drill"):
        case "due":
            return system.tier in DRILL_EVERY
        case "overdue":
            return card.drill_overdue
    return True


@page
@require_safe
def trust_system(request: Request, slug: str) -> Answer:
    """The scorecard of one system, beside others of its kind."""
    months, asked = _asked(request)
    system = visible_or_404(System.objects.visible_to(request.user).select_related("team"), slug=slug)
    card = scorecards(request.user, asked, [system])[0]
    alike = System.objects.visible_to(request.user).filter(kind=system.kind).exclude(pk=system.pk)
    context = {
        "card": card,
        "marks": _marks(card, asked.period),
        "alike": [("", scorecards(request.user, asked, list(alike.order_by("tier", "name")[:12])))],
        "months": months,
        "periods": PERIODS.items(),
        "period": asked.period,
        "form": ObjectiveForm(initial={"objective": system.objective}),
        "may_manage": has_role(request.user, Role.LEAD, team=system.team),
    }
    return render(request, "reports/trust_system.html", context)


@dataclass(frozen=True, slots=True)
class TrustMark:
    """A stretch of wrong output on the line of the period."""

    x: float
    width: float
    label: str
    url: str


def _marks(card: Scorecard, period: Period) -> list[TrustMark]:
    """Where in the period output was wrong, on a line 720 points long."""
    since, until = period.bounds()
    scale = 720 / (until - since).total_seconds()
    return [
        TrustMark(
            x=round((stretch.since - since).total_seconds() * scale, 1),
            width=round(max(2.0, stretch.seconds * scale), 1),
            label=f"INC-{stretch.number} {stretch.title}",
            url=reverse("incident", args=[stretch.number]),
        )
        for stretch in card.stretches
    ]


@change(Refused)
def objective(request: Request, slug: str) -> Answer:
    system = visible_or_404(System.objects.visible_to(request.user).select_related("team"), slug=slug)
    require_role(request.user, Role.LEAD, team=system.team, to="set the objective")
    form = ObjectiveForm(request.POST)
    if not form.is_valid():
        raise Refused("Enter an objective from 50 to 99.99 %, or leave it empty for none.")
    System.objects.filter(pk=system.pk).update(objective=form.cleaned_data["objective"])
    return redirect("trust-system", slug)
