"""The pages of what a channel is told beside its first rule."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from incidents.errors import Refused
from incidents.notifications.destinations import ChannelRule, Destination, require_manager
from incidents.notifications.forms.destinations import MoreRuleForm
from incidents.notifications.rules import MOST
from incidents.web.request import Answer, Request, change, page, visible_or_404


def _channel(request: Request, pk: int) -> Destination:
    """Load a channel whose rules the person may change, or answer 404 or 403."""
    row = visible_or_404(Destination.objects.visible_to(request.user).select_related("team"), pk=pk)
    require_manager(request.user, row.team, to="change its rules")
    return row


@page
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: Request, pk: int) -> Answer:
    channel = _channel(request, pk)
    if channel.more_rules.count() >= MOST:
        raise Refused(f"There are {MOST} rules already. Remove one first.")
    return _form(request, ChannelRule(destination=channel, time_zone=channel.time_zone))


@page
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: Request, pk: int, rule_pk: int) -> Answer:
    return _form(request, visible_or_404(_channel(request, pk).more_rules.all(), pk=rule_pk))


def _form(request: Request, rule: ChannelRule) -> HttpResponse:
    form = MoreRuleForm(request.POST or None, rule=rule)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "Saved. “Last 7 days” shows what its rules would have sent.")
        return redirect(rule.destination)
    context = {"form": form, "channel": rule.destination}
    return render(request, "notifications/channel_rule.html", context, status=422 if form.is_bound else 200)


@change(Refused)
def remove(request: Request, pk: int, rule_pk: int) -> Answer:
    channel = _channel(request, pk)
    visible_or_404(channel.more_rules.all(), pk=rule_pk).delete()
    messages.success(request, "The rule is removed.")
    return redirect(channel)
