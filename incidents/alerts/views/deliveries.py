"""The pages of deliveries."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from incidents.alerts import inbox, retention
from incidents.alerts.forms.deliveries import WipeForm
from incidents.alerts.models import Delivery
from incidents.alerts.nudge import nudge
from incidents.alerts.views.sources import may_map
from incidents.errors import Refused
from incidents.people.models import Role, Team
from incidents.people.permissions import has_role, require_role
from incidents.web.paging import newest_first
from incidents.web.request import Answer, Request, back, change, page, visible_or_404


@page
@require_safe
def deliveries(request: Request) -> Answer:
    """What monitors sent, newest first; dead letters on demand."""
    rows = Delivery.objects.visible_to(request.user)
    if request.GET.get("show") == "dead":
        rows = rows.filter(status__in=[Delivery.Status.DEAD, Delivery.Status.REFUSED])
    if source := request.GET.get("source"):
        rows = rows.filter(source__slug=source)
    if words := request.GET.get("q", "").strip()[:200]:
        rows = inbox.search_deliveries(rows, words)
    page_of_deliveries, older_than = newest_first(rows.for_list(), before=request.GET.get("before", ""))
    unread = {delivery.source for delivery in page_of_deliveries if delivery.status == Delivery.Status.DEAD}
    context = {
        "deliveries": page_of_deliveries,
        "mappable": {source.pk for source in unread if may_map(request.user, source)},
        "older_than": older_than,
        "show": request.GET.get("show", "all"),
        "dead": rows.filter(status=Delivery.Status.DEAD)[: inbox.MOST_COUNTED].count(),
        "may_retry": has_role(request.user, Role.RESPONDER, team=None),
    }
    return render(request, "alerts/deliveries.html", context)


@change(Refused)
def retry_many(request: Request) -> Answer:
    """Try all dead letters again that the list shows, for after their cause was mended."""
    rows = Delivery.objects.visible_to(request.user).filter(status=Delivery.Status.DEAD)
    if source := request.POST.get("source"):
        rows = rows.filter(source__slug=source)
    if words := request.POST.get("q", "").strip()[:200]:
        rows = inbox.search_deliveries(rows, words)
    for team in Team.objects.filter(sources__deliveries__in=rows).distinct():
        require_role(request.user, Role.RESPONDER, team=team, to="try them again")
    count = Delivery.objects.filter(pk__in=rows.values("pk")).retry_all()
    nudge()
    messages.success(request, f"{count} {'delivery is' if count == 1 else 'deliveries are'} being retried.")
    return back(request, reverse("deliveries"))


@page
@require_safe
def delivery(request: Request, pk: int) -> Answer:
    """The trace of one delivery: what came, what was understood, what came of it."""
    delivery = visible_or_404(Delivery.objects.visible_to(request.user).with_poison().select_related("source"), pk=pk)
    context = {
        "delivery": delivery,
        "outcomes": delivery.outcomes.select_related("alert", "alert__incident")[:200],
        # A body may hold what users typed, so only those who respond read it.
        "may_read_body": has_role(request.user, Role.RESPONDER, team=delivery.source.team),
        "may_wipe": has_role(request.user, Role.LEAD, team=delivery.source.team),
        "may_map": may_map(request.user, delivery.source),
        "others_dead": _others_dead(request, delivery),
        "wipe_form": WipeForm(),
    }
    return render(request, "alerts/delivery.html", context)


def _others_dead(request: Request, delivery: Delivery) -> int:
    """Count what else of its source might be understood by now: once there is a map, and this one was read by it."""
    if delivery.status == Delivery.Status.DEAD or not delivery.source.field_map:
        return 0
    rows = Delivery.objects.visible_to(request.user).filter(source=delivery.source, status=Delivery.Status.DEAD)
    return rows[: inbox.MOST_COUNTED].count()


@change()
def retry(request: Request, pk: int) -> Answer:
    delivery = visible_or_404(Delivery.objects.visible_to(request.user).select_related("source"), pk=pk)
    require_role(request.user, Role.RESPONDER, team=delivery.source.team, to="try it again")
    delivery.retry()
    nudge()
    return redirect(delivery)


@change(Refused)
def wipe(request: Request, pk: int) -> Answer:
    """Take what a delivery said out of it, for somebody's personal data; that it was wiped stays."""
    delivery = visible_or_404(Delivery.objects.visible_to(request.user).select_related("source"), pk=pk)
    require_role(request.user, Role.LEAD, team=delivery.source.team, to="wipe it")
    form = WipeForm(request.POST)
    if not form.is_valid():
        raise ValidationError(list(form.errors["reason"]))
    retention.wipe(delivery, by=request.user, reason=form.cleaned_data["reason"])
    messages.success(request, "Wiped. Who wiped it, and why, stays on record.")
    return redirect(delivery)
