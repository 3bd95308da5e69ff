"""The catalogue's pages."""

from django.db.models import Count, Q
from django.shortcuts import render
from django.views.decorators.http import require_GET

from incidents.systems.models import System
from incidents.web.request import Answer, Request, page, visible_or_404


@page
@require_GET
def systems(request: Request) -> Answer:
    rows = System.objects.visible_to(request.user).for_list()
    return render(request, "systems/list.html", {"systems": rows})


@page
@require_GET
def system(request: Request, slug: str) -> Answer:
    """One system. Its incidents come through their own scoped relation (see templates/systems)."""
    shown = visible_or_404(System.objects.visible_to(request.user).select_related("team"), slug=slug)
    may_see = Q(private=False) | Q(people=request.user)
    incidents = shown.incidents.filter(may_see).distinct()
    context = {
        "system": shown,
        "upstreams": shown.upstreams.order_by("name"),
        "downstreams": shown.downstreams.order_by("name"),
        "incidents": incidents.select_related("lead", "system").order_by("-number")[:10],
        "counts": incidents.aggregate(
            all=Count("pk", distinct=True),
            open=Count("pk", distinct=True, filter=Q(status__in=["triage", "investigating", "contained"])),
        ),
        "changes": shown.changes.all()[:10],
        "follows": shown.followers.filter(person=request.user).exists(),
    }  # fmt: skip
    return render(request, "systems/system.html", context)
