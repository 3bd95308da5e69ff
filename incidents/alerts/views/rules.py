"""The pages of routing rules: the version in force, the draft, and what it would have done."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_http_methods, require_safe

from incidents.alerts.forms.rules import PublishForm, RuleForm
from incidents.alerts.inbox import matching
from incidents.alerts.models import Alert, Outcome
from incidents.alerts.policies import RulesVersion
from incidents.alerts.simulation import QUIET, SPAN, recent, simulate
from incidents.errors import Refused
from incidents.people.models import Role
from incidents.people.permissions import has_role, require_role
from incidents.web.request import Answer, Request, change, page, visible_or_404

LISTED = 50


@page
@require_safe
def rules(request: Request) -> Answer:
    """The rules in force, how often each dropped something, and every version there was."""
    current = RulesVersion.objects.select_related("published_by").current()
    versions = RulesVersion.objects.exclude(published_at=None).select_related("published_by").order_by("-number")
    context = {
        "current": current,
        "rules": current.read() if current else (),
        "dropped": _dropped_lately(),
        "draft": RulesVersion.objects.select_related("made_by").draft(),
        "versions": versions[:20],
        "may_change": has_role(request.user, Role.LEAD, team=None),
    }
    return render(request, "alerts/rules.html", context)


def _dropped_lately() -> dict[str, int]:
    since = timezone.now() - SPAN
    rows = Outcome.objects.filter(result=Outcome.Result.DROPPED, delivery__received_at__gte=since).order_by()
    return dict(rows.values_list("rule").annotate(Count("pk")))


@page
@require_safe
def version(request: Request, number: int) -> Answer:
    """One published version, as it was; 0 is the time before the first."""
    version = _version_or_404(number)
    current = RulesVersion.objects.current()
    context = {
        "dropped": None,
        "version": version,
        "rules": version.read(),
        "is_current": current == version,
        "may_change": has_role(request.user, Role.LEAD, team=None),
    }
    return render(request, "alerts/rules_version.html", context)


def _version_or_404(number: int) -> RulesVersion:
    if number == 0:
        return RulesVersion.before_the_first()
    return visible_or_404(RulesVersion.objects.select_related("published_by"), number=number)


@change(Refused)
def go_back(request: Request, number: int) -> Answer:
    """Put an older version in force again, under a new number."""
    require_role(request.user, Role.LEAD, team=None, to="change the rules")
    version = _version_or_404(number)
    again = version.publish_again(by=request.user)
    messages.success(request, f"The rules of {version} are in force again, as {again}.")
    return redirect("rules")


@change()
def begin_draft(request: Request) -> Answer:
    """Begin the draft, or go on with it; straight to a new rule where matchers for one were sent along."""
    require_role(request.user, Role.LEAD, team=None, to="change the rules")
    RulesVersion.objects.begin_draft(by=request.user)
    if "matchers" not in request.POST:
        return redirect("rules-draft")
    rule = {name: request.POST.get(name, "") for name in ("name", "matchers")}
    return redirect(f"{reverse('rule-new')}?{urlencode(rule)}")


@page
@require_safe
def draft(request: Request) -> Answer:
    """The draft, and on demand what it would have made of the last 30 days beside what the rules in force would."""
    draft = RulesVersion.objects.select_related("made_by").draft()
    if draft is None:
        return redirect("rules")
    context: dict[str, Any] = {
        "draft": draft,
        "rules": draft.read(),
        "publish_form": PublishForm(),
        "may_change": has_role(request.user, Role.LEAD, team=None),
        "days": SPAN.days,
        "quiet_hours": int(QUIET.total_seconds() // 3600),
    }
    if "simulate" in request.GET:
        context |= _simulated(request, draft)
    return render(request, "alerts/rules_draft.html", context)


def _simulated(request: Request, draft: RulesVersion) -> dict[str, Any]:
    wanted, current = draft.read(), RulesVersion.objects.current()
    in_force = current.read() if current else ()
    waits = any(rule.act == "wait" for rule in (*wanted, *in_force))
    past, was_cut = recent(request.user, each_repeat=waits)
    would, does = simulate(wanted, past), simulate(in_force, past)
    return {
        "would": would,
        "does": does,
        "difference": would.difference_from(does),
        "was_cut": was_cut,
        "would_open": sorted(would.incidents, key=lambda incident: incident.opened_at, reverse=True)[:LISTED],
        "not_opened": [
            ("Would have dropped", would.dropped[: -LISTED - 1 : -1]),
            ("Would have recorded only", would.recorded[: -LISTED - 1 : -1]),
            ("Would have kept waiting", would.waiting[: -LISTED - 1 : -1]),
        ],
        "gone": _dropped_lately(),
    }


@page
@require_http_methods(["GET", "HEAD", "POST"])
def rule(request: Request, position: int | None = None) -> Answer:
    """Write one rule of the draft: that at a position, or a new last one. What it would match is shown before."""
    require_role(request.user, Role.LEAD, team=None, to="change the rules")
    draft = RulesVersion.objects.draft()
    if draft is None or (position is not None and not 1 <= position <= len(draft.rules)):
        raise Http404
    form = RuleForm(request.POST or None, initial=RuleForm.initial_of(_stored(request, draft, position)))
    mine = Alert.objects.visible_to(request.user)
    context = {"form": form, "draft": draft, "position": position}
    context["matching"] = matching(mine, str(form["matchers"].value() or ""))
    if "preview" in request.POST:
        return render(request, f"alerts/rule.html{'#preview' if request.htmx else ''}", context)
    if request.method == "POST" and form.is_valid():
        rows = [*draft.rules, form.row] if position is None else [*draft.rules]
        rows[position - 1 if position else -1] = form.row
        try:
            _as_seen(request, draft).rewrite(rows, by=request.user)
            return redirect("rules-draft")
        except Refused as refusal:
            form.add_error(None, str(refusal))
            draft.refresh_from_db()
    return render(request, "alerts/rule.html", context, status=422 if form.is_bound else 200)


def _stored(request: Request, draft: RulesVersion, position: int | None) -> dict[str, Any]:
    """The rule at a position; a new one as the address begins it, such as after an alert."""
    return draft.rules[position - 1] if position else {name: request.GET.get(name, "") for name in ("name", "matchers")}


def _as_seen(request: Request, draft: RulesVersion) -> RulesVersion:
    """Take the draft for what the person looked at, so that what changed meanwhile is noticed."""
    seen = parse_datetime(request.POST.get("seen", ""))
    if seen is None or timezone.is_naive(seen):
        raise ValidationError("The form was incomplete. Open it again.")
    draft.changed_at = seen
    return draft


@change(Refused)
def arrange(request: Request, position: int) -> Answer:
    """Move a rule of the draft up or down, or take it out."""
    require_role(request.user, Role.LEAD, team=None, to="change the rules")
    draft = RulesVersion.objects.draft()
    if draft is None or not 1 <= position <= len(draft.rules):
        raise Refused("That rule is no longer in the draft.")
    rows = list(draft.rules)
    moved = rows.pop(position - 1)
    step = {"up": -1, "down": 1}.get(request.POST.get("to", ""))
    if step:
        rows.insert(max(0, position - 1 + step), moved)
    _as_seen(request, draft).rewrite(rows, by=request.user)
    return redirect("rules-draft")


@change(Refused)
def publish(request: Request) -> Answer:
    require_role(request.user, Role.LEAD, team=None, to="change the rules")
    draft = RulesVersion.objects.draft()
    form = PublishForm(request.POST)
    if draft is None or not form.is_valid():
        raise Refused("There is no draft to publish, or the note is too long.")
    _as_seen(request, draft).publish(by=request.user, note=form.cleaned_data["note"])
    messages.success(request, f"The rules of {draft} are in force.")
    return redirect("rules")


@change()
def discard(request: Request) -> Answer:
    require_role(request.user, Role.LEAD, team=None, to="change the rules")
    if draft := RulesVersion.objects.draft():
        draft.discard()
        messages.success(request, "The draft was discarded. The rules in force are unchanged.")
    return redirect("rules")
