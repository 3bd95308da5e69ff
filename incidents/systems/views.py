"""The catalogue's pages."""

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
    """One system, and what fills its slots: incidents, alerts, what can be done."""
    system = visible_or_404(System.objects.visible_to(request.user).select_related("team"), slug=slug)
    context = {
        "system": system,
        "upstreams": system.upstreams.order_by("name"),
        "downstreams": system.downstreams.order_by("name"),
        "changes": system.changes.all()[:10],
    }
    return render(request, "systems/system.html", context)
