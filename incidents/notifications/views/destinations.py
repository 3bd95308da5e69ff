"""The pages of channels: which there are, connecting one, its rules, its log."""

from datetime import UTC, datetime, time, timedelta

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from incidents.errors import Refused, WrongStatus
from incidents.notifications import lanes, preview, trouble
from incidents.notifications.channels.catalogue import RECEIVERS, by_group
from incidents.notifications.destinations import Destination, check_room, may_manage, require_manager
from incidents.notifications.forms.destinations import DestinationForm, RangeForm
from incidents.notifications.transmissions import Transmission, owe_test
from incidents.oncall.permissions import require_edit
from incidents.oncall.pointer import OnCall, OnCallKind
from incidents.people.models import Role, Team
from incidents.people.permissions import has_role, require_role
from incidents.web.paging import newest_first
from incidents.web.request import Answer, Request, back, change, page, visible_or_404, whole_number


def _managed(request: Request, pk: int, *, to: str) -> Destination:
    """Load a channel that the person may manage, or answer 404 or 403."""
    row = visible_or_404(Destination.objects.visible_to(request.user).select_related("team"), pk=pk)
    require_manager(request.user, row.team, to=to)
    return row


@page
@require_safe
def channels(request: Request) -> Answer:
    rows = Destination.objects.visible_to(request.user).select_related("team").order_by("team__name", "name", "pk")
    context = {"channels": rows, "may_add": has_role(request.user, Role.LEAD, team=None)}
    return render(request, "notifications/channels.html", context)


@page
@require_safe
def choose(request: Request) -> Answer:
    require_role(request.user, Role.LEAD, team=None, to="add channels")
    return render(request, "notifications/channel_kinds.html", {"groups": by_group()})


@page
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: Request, kind: str) -> Answer:
    require_role(request.user, Role.LEAD, team=None, to="add channels")
    receiver = RECEIVERS.get(kind)
    if receiver is None:
        raise Http404
    form = DestinationForm(request.POST or None, user=request.user, receiver=receiver)
    if request.method == "POST" and form.is_valid():
        require_manager(request.user, form.cleaned_data.get("team"), to="add channels")
        check_room(form.cleaned_data.get("team"))
        row = form.save(by=request.user)
        return _show_secret(request, row) if receiver.signs else redirect(row)
    context = {"form": form, "receiver": receiver}
    return render(request, "notifications/channel_add.html", context, status=422 if form.is_bound else 200)


def _show_secret(request: Request, row: Destination) -> HttpResponse:
    """Show the secret that it signs with, in this one answer and never again."""
    secret = (row.config() or {}).get("secret", "")
    answer = render(request, "notifications/channel_secret.html", {"channel": row, "secret": secret})
    answer["Cache-Control"] = "no-store"
    return answer


@page
@require_safe
def channel(request: Request, pk: int) -> Answer:
    row = visible_or_404(Destination.objects.visible_to(request.user).select_related("team", "created_by"), pk=pk)
    log = Transmission.objects.visible_to(request.user).filter(destination=row)
    shown = log.failed() if request.GET.get("show") == "failed" else log
    rows, older_than = newest_first(shown.defer("payload", "request", "answer"), before=request.GET.get("before", ""))
    context = {
        "channel": row,
        "rules": row.rules,
        "log": rows,
        "older_than": older_than,
        "show": request.GET.get("show", ""),
        "waiting": log.waiting().count(),
        "failed": log.failed().count(),
        "may_manage": may_manage(request.user, row.team),
        "range_form": RangeForm(),
    }
    return render(request, "notifications/channel.html", context)


@page
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: Request, pk: int) -> Answer:
    row = _managed(request, pk, to="change it")
    form = DestinationForm(request.POST or None, user=request.user, receiver=row.receiver, destination=row)
    if request.method == "POST" and form.is_valid():
        form.save(by=request.user)
        messages.success(request, "Saved.")
        return redirect(row)
    context = {"form": form, "channel": row, "receiver": row.receiver}
    return render(request, "notifications/channel_edit.html", context, status=422 if form.is_bound else 200)


@page
@require_safe
def week(request: Request, pk: int) -> Answer:
    """What it would have been told in the last seven days."""
    row = visible_or_404(Destination.objects.visible_to(request.user).select_related("team"), pk=pk)
    return render(request, "notifications/channel_week.html", {"channel": row, "preview": preview.of(row)})


@page
@require_safe
def transmission(request: Request, pk: int, row_pk: int) -> Answer:
    rows = Transmission.objects.visible_to(request.user).filter(destination=pk)
    row = visible_or_404(rows.select_related("destination__team", "incident"), pk=row_pk)
    context = {"row": row, "channel": row.destination, "may_manage": may_manage(request.user, row.destination.team)}
    return render(request, "notifications/transmission.html", context)


@change(Refused)
def test(request: Request, pk: int) -> Answer:
    """Send a test at once, and say what came of it."""
    row = _managed(request, pk, to="test it")
    for message in owe_test(row):
        lanes.attempt(message, row)
        message.refresh_from_db()
        if message.failed_at:
            messages.error(request, f"The test was not delivered. {message.error}")
            return redirect(message)
    messages.success(request, f"Delivered. Look for “Test from Faultline” in {row}.")
    return redirect(row)


@change(Refused)
def pause(request: Request, pk: int) -> Answer:
    row = _managed(request, pk, to="pause it")
    trouble.pause(row, reason=f"Paused by {request.user}.", by=request.user)
    messages.success(request, "Paused. Nothing is sent there until somebody resumes it.")
    return redirect(row)


@change(Refused)
def resume(request: Request, pk: int) -> Answer:
    row = _managed(request, pk, to="resume it")
    row.resume()
    messages.success(request, "Resumed. What happened meanwhile is not sent.")
    return redirect(row)


@change(Refused)
def rotate(request: Request, pk: int) -> Answer:
    row = _managed(request, pk, to="change its secret")
    row.rotate()
    return _show_secret(request, row)


@change(Refused)
def remove(request: Request, pk: int) -> Answer:
    row = _managed(request, pk, to="remove it")
    row.delete()
    messages.success(request, f"{row} is removed, with its log.")
    return redirect("channels")


@change(Refused)
def replay(request: Request, pk: int) -> Answer:
    """Send again: one, all that failed, or all of some days."""
    row = _managed(request, pk, to="send again")
    if row.paused_at:
        raise Refused("The channel is paused. Resume it first.")
    rows = Transmission.objects.visible_to(request.user).filter(destination=row).exclude(topic="test")
    if one := request.POST.get("one", ""):
        rows = rows.filter(pk=int(one)) if one.isascii() and one.isdigit() and len(one) < 18 else rows.none()
    elif request.POST.get("which") == "failed":
        rows = rows.failed()
    else:
        rows = rows.filter(made_at__range=_days(request))
    count = rows.replay()
    messages.success(request, f"{count} {'message is' if count == 1 else 'messages are'} being sent again.")
    return back(request, reverse("channel", args=[row.pk]))


def _days(request: Request) -> tuple[datetime, datetime]:
    form = RangeForm(request.POST)
    if not form.is_valid():
        raise Refused("Give the first and the last day to send again.")
    since, until = (datetime.combine(form.cleaned_data[name], time.min, UTC) for name in ("since", "until"))
    return since, until + timedelta(days=1)


@change(Refused, WrongStatus)
def page_through(request: Request, pk: int) -> Answer:
    """Let a pager say who is on call for a team, so that its SEV1 and SEV2 go there first."""
    row = visible_or_404(Destination.objects.visible_to(request.user), pk=pk)
    team: Team = visible_or_404(Team.objects.all(), slug=request.POST.get("team", ""))
    require_edit(request.user, team)
    if not row.is_pager or row.team_id not in (None, team.pk):
        raise Refused(f"{row} cannot page whoever is on call for {team}.")
    base = whole_number(request.POST.get("version", ""))
    if base is None:
        raise Refused("Look at the page again before you save.")
    OnCall.point_at(team, OnCallKind.PAGER, base=base, by=request.user, pager_service=row.name, pager_channel=row.pk)
    messages.success(request, f"SEV1 and SEV2 of {team} go through {row} first.")
    return redirect("on-call-team", team.slug)
