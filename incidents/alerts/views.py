"""The pages of alerts and deliveries."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count, Q
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from incidents.alerts import routing
from incidents.alerts.forms import SettleForm
from incidents.alerts.models import Alert, Delivery
from incidents.alerts.nudge import nudge
from incidents.people.access import has_role, require_role
from incidents.people.models import Role
from incidents.response.forms import MergeForm
from incidents.response.models import Incident
from incidents.web.request import Answer, Request, change, page, visible_or_404

A_PAGE = 50


@page
@require_GET
def alerts(request: Request) -> Answer:
    """The inbox of alerts: firing first choice, or what nobody has settled."""
    rows = Alert.objects.visible_to(request.user)
    shown = request.GET.get("show", "firing")
    match shown:
        case "firing":
            chosen = rows.firing()
        case "unlinked":
            chosen = rows.firing().filter(incident=None)
        case "unsettled":
            chosen = rows.unsettled()
        case "unclassified":
            chosen = rows.filter(category="")
        case _:
            shown, chosen = "all", rows
    if source := request.GET.get("source"):
        chosen = chosen.filter(source__slug=source)
    if (number := request.GET.get("incident", "")) and number.isascii() and number.isdigit() and len(number) < 10:
        shown, chosen = "all", rows.filter(incident__number=int(number))
    if words := request.GET.get("q", "").replace("\x00", "").strip()[:200]:
        chosen = chosen.filter(Q(title__icontains=words) | Q(system_name__icontains=words))
    before = request.GET.get("before", "")
    if before.isascii() and before.isdigit() and len(before) < 18:
        chosen = chosen.filter(pk__lt=int(before))
    listed = list(chosen.for_list().order_by("-pk")[: A_PAGE + 1])
    context = {
        "alerts": listed[:A_PAGE],
        "older_than": listed[A_PAGE - 1].pk if len(listed) > A_PAGE else None,
        "show": shown,
        "counts": rows.aggregate(
            firing=Count("pk", filter=Q(status="firing")),
            unlinked=Count("pk", filter=Q(status="firing", incident=None)),
            unsettled=Count("pk", filter=Q(system=None) & ~Q(system_name="")),
            unclassified=Count("pk", filter=Q(category="")),
        ),
    }
    return render(request, "alerts/list.html", context)


@page
@require_GET
def alert(request: Request, pk: int) -> Answer:
    """One alert, with everything that was said about it and why it went where it went."""
    shown = visible_or_404(Alert.objects.visible_to(request.user).select_related("source", "system", "incident"), pk=pk)
    context = {
        "alert": shown,
        "outcomes": shown.outcomes.select_related("delivery").order_by("-pk")[:20],
        "settle_form": SettleForm(),
        "merge_form": MergeForm(),
        "may_respond": _may_respond(request, shown),
    }
    return render(request, "alerts/alert.html", context)


def _may_respond(request: Request, shown: Alert) -> bool:
    team = shown.system.team if shown.system else shown.source.team
    return has_role(request.user, Role.RESPONDER, team=team)


def _require_responder(request: Request, shown: Alert, *, to: str) -> None:
    team = shown.system.team if shown.system else shown.source.team
    require_role(request.user, Role.RESPONDER, team=team, to=to)


@change()
def link(request: Request, pk: int) -> Answer:
    """Link the alert to an incident by its number, or open one from it."""
    shown = visible_or_404(Alert.objects.visible_to(request.user), pk=pk)
    _require_responder(request, shown, to="link it")
    if "open" in request.POST:
        return redirect(routing.open_incident(shown, by=request.user))
    form = MergeForm(request.POST)
    if not form.is_valid():
        raise ValidationError(list(form.errors["into"]))
    into = visible_or_404(Incident.objects.visible_to(request.user), number=form.cleaned_data["into"])
    routing.link(shown, into, by=request.user)
    return redirect(into)


@change()
def settle(request: Request, pk: int) -> Answer:
    """Say which system the monitor means; honoured for every later alert with that name."""
    shown = visible_or_404(Alert.objects.visible_to(request.user), pk=pk)
    _require_responder(request, shown, to="settle its system")
    form = SettleForm(request.POST)
    if not form.is_valid():
        raise ValidationError("Choose a system.")
    system = form.cleaned_data["system"]
    settled = routing.settle_system(shown.system_name, system, by=request.user)
    messages.success(request, f"“{shown.system_name}” means {system} from now on; {settled} alerts follow.")
    return redirect(shown)


@page
@require_GET
def deliveries(request: Request) -> Answer:
    """What monitors sent, newest first; dead letters on demand."""
    rows = Delivery.objects.visible_to(request.user)
    if request.GET.get("show") == "dead":
        rows = rows.filter(status__in=[Delivery.Status.DEAD, Delivery.Status.REFUSED])
    if source := request.GET.get("source"):
        rows = rows.filter(source__slug=source)
    before = request.GET.get("before", "")
    if before.isascii() and before.isdigit() and len(before) < 18:
        rows = rows.filter(pk__lt=int(before))
    listed = list(rows.for_list()[: A_PAGE + 1])
    context = {
        "deliveries": listed[:A_PAGE],
        "older_than": listed[A_PAGE - 1].pk if len(listed) > A_PAGE else None,
        "show": request.GET.get("show", "all"),
    }
    return render(request, "alerts/deliveries.html", context)


@page
@require_GET
def delivery(request: Request, pk: int) -> Answer:
    """The trace of one delivery: what came, what was understood, what came of it."""
    shown = visible_or_404(Delivery.objects.visible_to(request.user).select_related("source"), pk=pk)
    context = {
        "delivery": shown,
        "outcomes": shown.outcomes.select_related("alert", "alert__incident")[:200],
        # A body may hold what users typed, so only those who respond read it.
        "may_read_body": has_role(request.user, Role.RESPONDER, team=shown.source.team),
    }
    return render(request, "alerts/delivery.html", context)


@change()
def retry(request: Request, pk: int) -> Answer:
    shown = visible_or_404(Delivery.objects.visible_to(request.user).select_related("source"), pk=pk)
    require_role(request.user, Role.RESPONDER, team=shown.source.team, to="try it again")
    shown.retry()
    nudge()
    return redirect(shown)
