"""The catalogue's pages."""

from django.contrib import messages
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from incidents.people.models import Role
from incidents.people.permissions import has_role, require_role
from incidents.systems.forms import ChangeForm
from incidents.systems.models import Change, System
from incidents.web.request import Answer, Request, back, own_address, page, visible_or_404


@page
@require_safe
def systems(request: Request) -> Answer:
    rows = System.objects.visible_to(request.user).for_list()
    return render(request, "systems/list.html", {"systems": rows})


@page
@require_safe
def system(request: Request, slug: str) -> Answer:
    """One system, and what fills its slots: incidents, alerts, what can be done."""
    system = visible_or_404(System.objects.visible_to(request.user).select_related("team"), slug=slug)
    context = {
        "system": system,
        "upstreams": system.upstreams.order_by("name"),
        "downstreams": system.downstreams.order_by("name"),
        "changes": system.changes.all()[:10],
        "may_add": has_role(request.user, Role.RESPONDER, team=system.team),
    }
    return render(request, "systems/system.html", context)


@page
@require_http_methods(["GET", "HEAD", "POST"])
def add_change(request: Request, slug: str) -> Answer:
    """Record a change by hand; back to where somebody missed it."""
    system = visible_or_404(System.objects.visible_to(request.user).select_related("team"), slug=slug)
    require_role(request.user, Role.RESPONDER, team=system.team, to="record its changes")
    form = ChangeForm(request.POST or None, instance=Change(system=system, recorded_by=request.user))
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, f"“{form.instance}” is recorded as a change of {system}.")
        return back(request, system.get_absolute_url())
    came_from = own_address(request, request.POST.get("next") or request.GET.get("next", ""))
    context = {"form": form, "system": system, "next": came_from}
    return render(request, "systems/change.html", context, status=422 if form.is_bound else 200)
