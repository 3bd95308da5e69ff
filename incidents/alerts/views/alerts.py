"""The pages of alerts."""

from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from incidents.alerts import by_hand, inbox
from incidents.alerts.forms.alerts import ManyForm, ReclassifyForm, RememberForm, SettleForm
from incidents.alerts.matchers import LONGEST as LONGEST_MATCHER
from incidents.alerts.matchers import Matcher
from incidents.alerts.models import Alert, AlertSeverity
from incidents.alerts.routing import facts_of
from incidents.errors import Refused
from incidents.people.models import Role
from incidents.people.permissions import has_role, require_role
from incidents.response.buttons import tell_of_copies
from incidents.response.forms.incident import MergeForm
from incidents.response.incident import Incident
from incidents.web.paging import newest_first
from incidents.web.request import Answer, Request, back, change, page, visible_or_404


@page
@require_safe
def alerts(request: Request) -> Answer:
    """The inbox of alerts: what fires first, or what wants somebody's attention."""
    rows = Alert.objects.visible_to(request.user)
    view = request.GET.get("show", "firing")
    view = view if view in inbox.VIEWS else "all"
    chosen = inbox.of_view(rows, view)
    severity = request.GET.get("severity", "")
    if severity in AlertSeverity.values:
        chosen = chosen.filter(severity=severity)
    if source := request.GET.get("source"):
        chosen = chosen.filter(source__slug=source)
    if (number := request.GET.get("incident", "")) and number.isascii() and number.isdigit() and len(number) < 10:
        view, chosen = "all", rows.filter(incident__number=int(number))
    if words := request.GET.get("q", "").strip()[:200]:
        chosen = inbox.search(chosen, words)
    page_of_alerts, older_than = newest_first(chosen.for_list(), before=request.GET.get("before", ""))
    counts = inbox.counts(rows)
    may_choose = has_role(request.user, Role.RESPONDER, team=None)
    context = {
        "alerts": page_of_alerts,
        "older_than": older_than,
        "show": view,
        "views": [(name, label, counts.get(name, "")) for name, label in inbox.VIEWS.items()],
        "severities": AlertSeverity.choices,
        "severity": severity,
        "chosen": int(bool(severity)),
        "explained": inbox.HINTS.get(view, ""),
        "unknown_names": inbox.unknown_names(rows) if view == "unsettled" else [],
        "settle_form": SettleForm(),
        "may_choose": may_choose,
        "many_form": ManyForm(user=request.user) if may_choose else None,
    }
    return render(request, "alerts/list.html", context)


@change(Refused)
def many(request: Request) -> Answer:
    """Do one thing to the chosen alerts: link them, open one incident of them, silence or classify them."""
    form = ManyForm(request.POST, user=request.user)
    numbers = [int(pk) for pk in request.POST.getlist("alert")[:500] if pk.isascii() and pk.isdigit() and len(pk) < 18]
    rows = Alert.objects.visible_to(request.user).select_related("source__team", "system__team")
    chosen = list(rows.filter(pk__in=numbers).order_by("pk"))
    if not chosen:
        raise Refused("Select some alerts first.")
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
            into = form.required_into()
            tell_of_copies(request, by_hand.link(chosen, into, by=request.user))
            messages.success(request, f"{len(chosen)} alerts linked to {into}.")
        case "classify":
            category, mode = form.chosen
            remember = form.cleaned_data["remember"]
            names = by_hand.classify(chosen, category=category, failure_mode=mode, remember=remember, by=request.user)
            later = f" Remembered for {names} name{'' if names == 1 else 's'}." if names else ""
            messages.success(request, f"{len(chosen)} alerts classified.{later}")
    return back(request, reverse("alerts"))


def _in_common(alerts: list[Alert]) -> str:
    """Write the matchers that hold for all of these alerts and say most of what they share."""
    facts = [facts_of(alert) for alert in alerts]
    wanted = ("source", "system", "alertname", "metric", "service", "title")
    shared = {name: facts[0].get(name, "") for name in wanted if len({known.get(name, "") for known in facts}) == 1}
    matchable = {name: value for name, value in shared.items() if value and len(value) <= LONGEST_MATCHER}
    if len(matchable) > 2:
        matchable.pop("title", None)
    return "\n".join(str(Matcher(name, "=", value)) for name, value in matchable.items())


@page
@require_safe
def alert(request: Request, pk: int) -> Answer:
    """One alert, with everything that was said about it and why it went where it went."""
    return _render_alert(request, pk, link_form=MergeForm(user=request.user))


def _render_alert(request: Request, pk: int, *, link_form: MergeForm) -> Answer:
    alert = visible_or_404(Alert.objects.visible_to(request.user).select_related("source", "system", "incident"), pk=pk)
    context = {
        "alert": alert,
        "outcomes": alert.outcomes.select_related("delivery").order_by("-pk")[:20],
        "settle_form": SettleForm(),
        "link_form": link_form,
        "may_respond": _may_respond(request, alert),
        "classify_form": ReclassifyForm(initial={"failure": alert.failure_mode or alert.category}),
        "matchers": _in_common([alert]),
        "may_change_rules": has_role(request.user, Role.LEAD, team=None),
        "upstream": _open_upstream(request, alert),
        "correction": alert.source.corrections.standing().filter(name=alert.telling_name).first(),
    }
    return render(request, "alerts/alert.html", context, status=422 if link_form.is_bound else 200)


def _open_upstream(request: Request, alert: Alert) -> list[Incident]:
    """What is open on something that the alert's system depends on, while the alert fires."""
    mine = Incident.objects.visible_to(request.user).exclude(alerts=alert)
    return list(mine.open_upstream_of(alert.system)[:3]) if alert.is_firing else []


def _may_respond(request: Request, alert: Alert) -> bool:
    team = alert.system.team if alert.system else alert.source.team
    return has_role(request.user, Role.RESPONDER, team=team)


def _require_responder(request: Request, alert: Alert, *, to: str) -> None:
    team = alert.system.team if alert.system else alert.source.team
    require_role(request.user, Role.RESPONDER, team=team, to=to)


@change(Refused)
def link(request: Request, pk: int) -> Answer:
    """Link the alert to an incident by its number, or open one from it."""
    alert = visible_or_404(Alert.objects.visible_to(request.user), pk=pk)
    _require_responder(request, alert, to="link it")
    if "open" in request.POST:
        return redirect(by_hand.open_incident(alert, by=request.user))
    form = MergeForm(request.POST, user=request.user)
    if not form.is_valid():
        return _render_alert(request, pk, link_form=form)
    into = form.cleaned_data["into"]
    tell_of_copies(request, by_hand.link([alert], into, by=request.user))
    return redirect(into)


@change(Refused)
def classify(request: Request, pk: int) -> Answer:
    """Say what kind of failure it is; remembered for later alerts of that name from its source, if wanted."""
    alert = visible_or_404(Alert.objects.visible_to(request.user), pk=pk)
    _require_responder(request, alert, to="classify it")
    form = RememberForm(request.POST)
    if not form.is_valid():
        raise ValidationError("Choose a category or a failure mode.")
    category, mode = form.chosen
    remember = form.cleaned_data["remember"]
    names = by_hand.classify([alert], category=category, failure_mode=mode, remember=remember, by=request.user)
    later = f" Remembered for later alerts of “{alert.telling_name}” from {alert.source}." if names else ""
    messages.success(request, f"Classified.{later}")
    return redirect(alert)


@change(Refused)
def settle(request: Request, pk: int) -> Answer:
    """Say which system the monitor means; honoured for every later alert with that name."""
    alert = visible_or_404(Alert.objects.visible_to(request.user), pk=pk)
    _require_responder(request, alert, to="settle its system")
    form = SettleForm(request.POST)
    if not form.is_valid():
        raise ValidationError("Choose a system.")
    system = form.cleaned_data["system"]
    if not (name := alert.unknown_name):
        raise Refused("Its system is known already, or it names none.")
    settled = by_hand.settle_system(name, system, by=request.user)
    messages.success(request, f"“{name}” means {system} from now on; {settled} alerts updated.")
    return back(request, alert.get_absolute_url())
