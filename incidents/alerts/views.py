"""The pages of alerts and deliveries."""

from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET

from incidents.alerts import by_hand, inbox, retention
from incidents.alerts.forms import ManyForm, RememberForm, SettleForm
from incidents.alerts.forms_routing import WipeForm
from incidents.alerts.matchers import LONGEST as LONGEST_MATCHER
from incidents.alerts.matchers import Matcher
from incidents.alerts.models import Alert, Delivery
from incidents.alerts.nudge import nudge
from incidents.alerts.routing import facts_of
from incidents.errors import Refused
from incidents.people.models import Role, Team
from incidents.people.permissions import has_role, require_role
from incidents.response.forms import MergeForm
from incidents.response.incident import Incident
from incidents.web.request import Answer, Request, back, change, page, visible_or_404

A_PAGE = 50


@page
@require_GET
def alerts(request: Request) -> Answer:
    """The inbox of alerts: what fires first, or what wants somebody's attention."""
    rows = Alert.objects.visible_to(request.user)
    view = request.GET.get("show", "firing")
    view = view if view in inbox.SHOWN else "all"
    chosen = inbox.shown(rows, view)
    if source := request.GET.get("source"):
        chosen = chosen.filter(source__slug=source)
    if (number := request.GET.get("incident", "")) and number.isascii() and number.isdigit() and len(number) < 10:
        view, chosen = "all", rows.filter(incident__number=int(number))
    if words := request.GET.get("q", "").strip()[:200]:
        chosen = inbox.search(chosen, words)
    before = request.GET.get("before", "")
    if before.isascii() and before.isdigit() and len(before) < 18:
        chosen = chosen.filter(pk__lt=int(before))
    listed = list(chosen.for_list().order_by("-pk")[: A_PAGE + 1])
    counts = inbox.counts(rows)
    may_choose = has_role(request.user, Role.RESPONDER, team=None)
    context = {
        "alerts": listed[:A_PAGE],
        "older_than": listed[A_PAGE - 1].pk if len(listed) > A_PAGE else None,
        "show": view,
        "views": [(name, label, counts.get(name, "")) for name, label in inbox.SHOWN.items()],
        "explained": inbox.EXPLAINED.get(view, ""),
        "may_choose": may_choose,
        "many_form": ManyForm() if may_choose else None,
    }
    return render(request, "alerts/list.html", context)


@change(Refused)
def many(request: Request) -> Answer:
    """Do one thing to the chosen alerts: link them, open one incident of them, silence or classify them."""
    form = ManyForm(request.POST)
    numbers = [int(pk) for pk in request.POST.getlist("alert")[:500] if pk.isascii() and pk.isdigit() and len(pk) < 18]
    rows = Alert.objects.visible_to(request.user).select_related("source__team", "system__team")
    chosen = list(rows.filter(pk__in=numbers).order_by("pk"))
    if not chosen:
        raise Refused("Choose the alerts first.")
    if request.POST.get("do") == "silence":  # whoever may silence says so on the next page
        return redirect(f"{reverse('silence-new')}?{urlencode({'matchers': _in_common(chosen)})}")
    for team in {(alert.system or alert.source).team for alert in chosen}:
        require_role(request.user, Role.RESPONDER, team=team, to="change these alerts")
    if not form.is_valid():
        raise ValidationError([error for errors in form.errors.values() for error in errors])
    match request.POST.get("do"):
        case "open":
            return redirect(by_hand.open_incident(*chosen, by=request.user))
        case "link":
            into = visible_or_404(Incident.objects.visible_to(request.user), number=form.required_into())
            by_hand.link(chosen, into, by=request.user)
            messages.success(request, f"{len(chosen)} alerts are part of {into}.")
        case "classify":
            category, mode = form.chosen
            remember = form.cleaned_data["remember"]
            names = by_hand.classify(chosen, category=category, failure_mode=mode, remember=remember, by=request.user)
            said = f", and so will be later ones of {names} name{'' if names == 1 else 's'}" if names else ""
            messages.success(request, f"{len(chosen)} alerts are classified{said}.")
    return back(request, reverse("alerts"))


def _in_common(alerts: list[Alert]) -> str:
    """Write the matchers that hold for all of these alerts and say most of what they share."""
    facts = [facts_of(alert) for alert in alerts]
    wanted = ("source", "system", "alertname", "metric", "service", "title")
    shared = {name: facts[0].get(name, "") for name in wanted if len({one.get(name, "") for one in facts}) == 1}
    told = {name: value for name, value in shared.items() if value and len(value) <= LONGEST_MATCHER}
    if len(told) > 2:
        told.pop("title", None)
    return "\n".join(str(Matcher(name, "=", value)) for name, value in told.items())


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
        "classify_form": RememberForm(initial={"failure": shown.failure_mode or shown.category}),
        "matchers_query": urlencode({"matchers": _in_common([shown])}),
        "upstream": _open_upstream(request, shown),
        "correction": shown.source.corrections.standing().filter(name=shown.telling_name).first(),
    }
    return render(request, "alerts/alert.html", context)


def _open_upstream(request: Request, shown: Alert) -> list[Incident]:
    """What is open on something that the alert's system depends on, while the alert fires."""
    mine = Incident.objects.visible_to(request.user).exclude(alerts=shown)
    return list(mine.open_upstream_of(shown.system)[:3]) if shown.is_firing else []


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
        return redirect(by_hand.open_incident(shown, by=request.user))
    form = MergeForm(request.POST)
    if not form.is_valid():
        raise ValidationError(list(form.errors["into"]))
    into = visible_or_404(Incident.objects.visible_to(request.user), number=form.cleaned_data["into"])
    by_hand.link([shown], into, by=request.user)
    return redirect(into)


@change(Refused)
def classify(request: Request, pk: int) -> Answer:
    """Say what kind of failure it is; remembered for later alerts of that name from its source, if wanted."""
    shown = visible_or_404(Alert.objects.visible_to(request.user), pk=pk)
    _require_responder(request, shown, to="classify it")
    form = RememberForm(request.POST)
    if not form.is_valid():
        raise ValidationError("Choose a category or a failure mode.")
    category, mode = form.chosen
    remember = form.cleaned_data["remember"]
    names = by_hand.classify([shown], category=category, failure_mode=mode, remember=remember, by=request.user)
    said = f"From now on “{shown.telling_name}” from {shown.source} means that." if names else "Classified."
    messages.success(request, said)
    return redirect(shown)


@change()
def settle(request: Request, pk: int) -> Answer:
    """Say which system the monitor means; honoured for every later alert with that name."""
    shown = visible_or_404(Alert.objects.visible_to(request.user), pk=pk)
    _require_responder(request, shown, to="settle its system")
    form = SettleForm(request.POST)
    if not form.is_valid():
        raise ValidationError("Choose a system.")
    system = form.cleaned_data["system"]
    settled = by_hand.settle_system(shown.system_name, system, by=request.user)
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
    if words := request.GET.get("q", "").strip()[:200]:
        rows = inbox.search_deliveries(rows, words)
    before = request.GET.get("before", "")
    if before.isascii() and before.isdigit() and len(before) < 18:
        rows = rows.filter(pk__lt=int(before))
    listed = list(rows.for_list()[: A_PAGE + 1])
    context = {
        "deliveries": listed[:A_PAGE],
        "older_than": listed[A_PAGE - 1].pk if len(listed) > A_PAGE else None,
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
    messages.success(request, f"{count} deliveries are tried again.")
    return back(request, reverse("deliveries"))


@page
@require_GET
def delivery(request: Request, pk: int) -> Answer:
    """The trace of one delivery: what came, what was understood, what came of it."""
    shown = visible_or_404(Delivery.objects.visible_to(request.user).with_poison().select_related("source"), pk=pk)
    context = {
        "delivery": shown,
        "outcomes": shown.outcomes.select_related("alert", "alert__incident")[:200],
        # A body may hold what users typed, so only those who respond read it.
        "may_read_body": has_role(request.user, Role.RESPONDER, team=shown.source.team),
        "may_wipe": has_role(request.user, Role.LEAD, team=shown.source.team),
        "wipe_form": WipeForm(),
    }
    return render(request, "alerts/delivery.html", context)


@change()
def retry(request: Request, pk: int) -> Answer:
    shown = visible_or_404(Delivery.objects.visible_to(request.user).select_related("source"), pk=pk)
    require_role(request.user, Role.RESPONDER, team=shown.source.team, to="try it again")
    shown.retry()
    nudge()
    return redirect(shown)


@change(Refused)
def wipe(request: Request, pk: int) -> Answer:
    """Take what a delivery said out of it, for somebody's personal data; that it was wiped stays."""
    shown = visible_or_404(Delivery.objects.visible_to(request.user).select_related("source"), pk=pk)
    require_role(request.user, Role.LEAD, team=shown.source.team, to="wipe it")
    form = WipeForm(request.POST)
    if not form.is_valid():
        raise ValidationError(list(form.errors["reason"]))
    retention.wipe(shown, by=request.user, reason=form.cleaned_data["reason"])
    messages.success(request, "What it said is gone; that it was wiped, by whom and why stays.")
    return redirect(shown)
