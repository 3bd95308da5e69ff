"""The pages of silences and maintenance windows."""

from typing import Any

from django.contrib import messages
from django.db.models import Count, Q
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from incidents.alerts.forms.silences import SilenceForm
from incidents.alerts.inbox import matching
from incidents.alerts.models import Alert
from incidents.alerts.policies import Silence
from incidents.errors import Refused
from incidents.people.models import Role
from incidents.people.permissions import has_role, require_role
from incidents.web.request import Answer, Request, change, page, visible_or_404

PREVIEWED = 200
LISTED = 50


@page
@require_safe
def silences(request: Request) -> Answer:
    now = timezone.now()
    holding = Count("alerts", filter=Q(alerts__status=Alert.Status.FIRING, alerts__held=Alert.Held.SILENCED))
    rows = Silence.objects.select_related("author").annotate(holding=holding)
    context = {
        "now": rows.in_force(now).order_by("ends_at"),
        "ahead": rows.filter(starts_at__gt=now).order_by("starts_at"),
        "over": rows.filter(ends_at__lte=now).order_by("-ends_at")[:LISTED],
        "may_silence": has_role(request.user, Role.RESPONDER, team=None),
    }
    return render(request, "alerts/silences.html", context)


@page
@require_http_methods(["GET", "HEAD", "POST"])
def silence_new(request: Request) -> Answer:
    """Make a silence; which alerts it would hold is shown before."""
    require_role(request.user, Role.RESPONDER, team=None, to="silence alerts")
    form = SilenceForm(request.POST or None, initial={"matchers": request.GET.get("matchers", ""), "length": "60"})
    if "preview" in request.POST:
        return render(request, f"alerts/silence_new.html{'#preview' if request.htmx else ''}", _context(request, form))
    if request.method == "POST" and form.is_valid():
        fields = form.cleaned_data
        try:
            silence = Silence.make(
                text=fields["matchers"],
                starts_at=fields["starts_at"],
                ends_at=form.end,
                reason=fields["reason"],
                maintenance=fields["is_maintenance"],
                by=request.user,
            )
            return redirect(silence)
        except Refused as refusal:
            form.add_error(None, str(refusal))
    return render(request, "alerts/silence_new.html", _context(request, form), status=422 if form.is_bound else 200)


def _context(request: Request, form: SilenceForm) -> dict[str, Any]:
    """The form, and what its matchers would silence."""
    mine = Alert.objects.visible_to(request.user)
    return {"form": form, "matching": matching(mine, str(form["matchers"].value() or ""))}


@page
@require_safe
def silence(request: Request, pk: int) -> Answer:
    silence = visible_or_404(Silence.objects.select_related("author"), pk=pk)
    alerts = Alert.objects.visible_to(request.user).filter(silence=silence)
    context = {
        "silence": silence,
        "matchers": silence.read(),
        "alerts": alerts.for_list()[:PREVIEWED],
        "may_end": has_role(request.user, Role.RESPONDER, team=None) and not silence.is_over,
    }
    return render(request, "alerts/silence.html", context)


@change()
def end_silence(request: Request, pk: int) -> Answer:
    require_role(request.user, Role.RESPONDER, team=None, to="end silences")
    silence = visible_or_404(Silence.objects.all(), pk=pk)
    was_ahead = silence.is_ahead
    silence.end()
    ended = "The silence has ended. Alerts still firing are routed within seconds."
    messages.success(request, "The silence was called off." if was_ahead else ended)
    return redirect("silences")
