"""The pages of silences and maintenance windows."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.db.models import Count, Q
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from incidents.alerts.forms.silences import SilenceForm
from incidents.alerts.matchers import Unmatchable, all_hold, parse
from incidents.alerts.models import (
    Alert,
)
from incidents.alerts.policies import Silence
from incidents.alerts.routing import facts_of
from incidents.errors import Refused
from incidents.people.models import Role
from incidents.people.permissions import has_role, require_role
from incidents.web.request import Answer, Request, change, page, visible_or_404

PREVIEWED = 200
LISTED = 50


@page
@require_GET
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
@require_http_methods(["GET", "POST"])
def silence_new(request: Request) -> Answer:
    """Make a silence; which alerts it would hold is silence before."""
    require_role(request.user, Role.RESPONDER, team=None, to="silence alerts")
    form = SilenceForm(request.POST or None, initial={"matchers": request.GET.get("matchers", ""), "length": "60"})
    if "preview" in request.POST:
        context = {"form": form, **_held(request, request.POST.get("matchers", ""))}
        return render(request, "alerts/_silence_preview.html" if request.htmx else "alerts/silence_new.html", context)
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
    typed = request.POST.get("matchers", "") if form.is_bound else request.GET.get("matchers", "")
    context = {"form": form, **_held(request, typed)}
    return render(request, "alerts/silence_new.html", context, status=422 if form.is_bound else 200)


def _held(request: Request, text: str) -> dict[str, Any]:
    """Which firing alerts the matchers hold for, and how many of the last day's."""
    try:
        matchers = parse(text)
    except Unmatchable as error:
        return {"fault": str(error)}
    if not matchers:
        return {}
    since = timezone.now() - timedelta(days=1)
    rows = Alert.objects.visible_to(request.user).filter(Q(status="firing") | Q(last_received_at__gte=since))
    rows = rows.select_related("source", "system", "incident").order_by("-last_received_at")[:5000]
    matched = [alert for alert in rows if all_hold(matchers, facts_of(alert))]
    firing = [alert for alert in matched if alert.is_firing]
    return {"asked": True, "firing": firing[:20], "firing_count": len(firing), "day_count": len(matched)}


@page
@require_GET
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
