"""LiteLLM: budget events as JSON; those, and everything else, as a Slack message of its own making."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from incidents.alerts.bodies import Json, Unreadable, first_of, first_text, mapping, payload, text_of
from incidents.alerts.claims import ChangeAnnounced, Claim, Identity, Statement, claim_from
from incidents.alerts.cleaning import clip, number_of
from incidents.alerts.sources import slack
from incidents.alerts.statuses import CHECK_FAILED, FIRING, NOTICE, MonitorStatus

# Only a budget that is used up, or its soft limit, is a bad value; what may come of it, and what was spent, is news.
_BUDGETS: dict[str, tuple[MonitorStatus, str]] = {
    "budget_crossed": (FIRING, "error"),
    "soft_budget_crossed": (FIRING, "warning"),
}
_BUDGET_EVENTS = {*_BUDGETS, "threshold_crossed", "max_budget_alert", "projected_limit_exceeded"}

# The kinds of Slack message that say that something failed; of any other kind, there is only something to know.
_BAD = {
    "llm_exceptions": "llm_error_rate",
    "llm_too_slow": "latency",
    "llm_requests_hanging": "latency",
    "outage_alerts": "outage_alerts",
    "region_outage_alerts": "outage_alerts",
    "cooldown_deployment": "outage_alerts",
    "db_exceptions": "db_exceptions",
    "user_spend_thresholds": "llm_budget_exceeded",
    "user_spend_anomalies": "llm_cost_anomaly",
    "mcp_tool_description_blocked": "mcp_tool_description_blocked",
    "mcp_pinned_tools_changed": "mcp_pinned_tools_changed",
}
_TYPE = re.compile(r"^Alert type: `(\w+)`", re.M)
_TEST = re.compile(r"(test (slack )?alert( message)?|^default test message)$", re.I)
_ERROR = re.compile(r"\b(?:[a-z]+\.)*([A-Z]\w*(?:Error|Exception|Timeout))\b")
_SLOW = re.compile(r"- (?P<value>[\d.]+)s response time > Alerting threshold: (?P<limit>[\d.]+)s")
_CROSSED = re.compile(r"(?<!Soft )Budget Crossed")

# Nothing ever takes news back, so it ends by itself.
_NEWS = timedelta(days=1)


def read(body: bytes, headers: Mapping[str, str]) -> list[Statement]:
    sent = mapping(payload(body, headers))
    event = text_of(sent.get("event"))
    if event:
        return [_event(sent, event, text_of(sent.get("event_message")))]
    if "text" in sent:
        return [_message(claim, text_of(sent["text"])) for claim in slack.read(body, headers)]
    raise Unreadable("This is neither a budget event of LiteLLM nor a Slack message.")


# Budget events


def _event(
    sent: Mapping[str, Json], event: str, message: str, *, more: str = "", former: Identity | None = None
) -> Claim:
    status, severity = _BUDGETS.get(event, (NOTICE, "info"))
    group = text_of(sent.get("event_group"))
    # What is left, crossed, soft and projected is the same budget of the same holder.
    family = "budget" if event in _BUDGET_EVENTS else event
    name = first_of(sent, _SHOWN.get(group, _NAMES))
    return claim_from(
        status=status,
        title=(f"{event.replace('_', ' ').capitalize()}: {name or 'a key'}",),
        description=(more, message),
        identity=("litellm/2", group, _holder(sent, group), family),
        former=[former or _former(sent, group, family)],
        severity=severity,
        service=name,
        names=("llm_budget_exceeded" if family == "budget" else event, message),
        labels={field: sent.get(field) for field in ("event_group", *_NAMES) if sent.get(field)},
        metric="spend",
        value=sent.get("spend"),
        threshold=first_text(sent.get("max_budget"), sent.get("soft_budget")),
        unit="USD",
        lease=_NEWS if status is NOTICE else None,
        upstream_id=first_of(sent, ("token", "team_id", "user_id")),
        is_test=_is_test_of_a_budget(sent, message),
    )


_NAMES = ("key_alias", "team_alias", "user_email", "team_id", "user_id", "customer_id", "organization_id")
_SHOWN = {
    "team": ("team_alias", "team_id"),
    "end_user": ("customer_id", "user_id"),
    "customer": ("customer_id", "user_id"),
}
_HOLDERS: dict[str, tuple[str, ...]] = {
    "key": ("key_alias", "token", "user_id"),  # Slack is not told the token
    "team": ("team_id", "team_alias"),
    "user": ("user_id", "user_email"),
    "end_user": ("customer_id", "user_id"),
    "customer": ("customer_id", "user_id"),
    "organization": ("organization_id",),
    "proxy": (),
}


def _holder(sent: Mapping[str, Json], group: str) -> str:
    """Name whose budget it is: a key that belongs to a team spends the team's budget, not its own."""
    if group == "team_member":
        return f"{text_of(sent.get('user_id'))} in {text_of(sent.get('team_id'))}"
    return first_of(sent, _HOLDERS.get(group, ("token", "team_id", "user_id")))


def _former(sent: Mapping[str, Json], group: str, family: str) -> Identity:
    return ("litellm/1", group, first_of(sent, ("token", "team_id", "user_id", "organization_id")), family)


def _is_test_of_a_budget(sent: Mapping[str, Json], message: str) -> bool:
    """Recognise `/health/services?service=webhook`: a user's budget of nothing, told of a key."""
    if not message.startswith("User Budget:") or sent.get("event_group") != "key":
        return False
    return (number_of(sent.get("spend")), number_of(sent.get("max_budget"))) == (1, 0)


# Slack messages


def _message(claim: Statement, text: str) -> Statement:
    known = _TYPE.search(text)
    if known is None or not isinstance(claim, Claim):
        return claim
    kind = known[1]
    heading = _heading(text)
    facts = {name: fact for name, fact in claim.labels.items() if name != "messages" and fact != "None"}
    facts |= {"alert_type": kind}
    if _TEST.search(heading):
        return replace(claim, condition="test", title=heading)
    if kind == "budget_alerts":
        return _event(facts, _budget_event(text), heading, more=claim.description, former=claim.identity)
    if kind == "new_model_added":
        name = first_text(facts.get("model_name"), heading)
        return ChangeAnnounced(title=clip(f"Model added: {name}", 200), kind="model", system_name=clip(name, 200))
    return _failure(claim, kind, heading, facts, text)


_WHERE = ("model_group", "model_name", "request_model", "model", "region_name")


def _failure(claim: Claim, kind: str, heading: str, facts: dict[str, str], text: str) -> Claim:
    status = _status(kind, facts)
    error = _ERROR.search(heading) if kind == "llm_exceptions" else None
    where = first_of(facts, _WHERE)
    stem = heading.partition(":")[0].partition(" - ")[0]
    slow = _SLOW.search(text)
    news = status is NOTICE
    # One alert a kind of failure, of one model or region at one provider; reports of a kind are one.
    parts = ("" if where or news else stem, where, facts.get("provider", ""), facts.get("api_base", ""))
    return claim_from(
        status=status,
        title=(": ".join(filter(None, (heading if news or not where else stem, error and error[1], where))),),
        description=(text,),
        identity=("litellm-message/1", kind, error[1] if error else "", *parts, facts.get("user", "")),
        former=[claim.identity],
        severity="info" if news else facts.get("level"),
        service=where,
        names=(_BAD.get(kind, kind), heading),
        labels={"model": "" if facts.get("region_name") else where, **facts},
        value=slow["value"] if slow else None,
        threshold=slow["limit"] if slow else None,
        unit="s" if slow else None,
        lease=_NEWS if news else None,
        links=((link["rel"], link["href"]) for link in claim.links),
        flags=(flag for flag in claim.flags if flag != "no_identity"),
    )


def _status(kind: str, facts: Mapping[str, str]) -> MonitorStatus:
    if kind == "failed_tracking_spend":
        return CHECK_FAILED
    # Of a model that is gone already calls fail; of one that will be, none does.
    gone = kind == "model_deprecation_warnings" and facts.get("level", "").lower() == "high"
    return FIRING if gone or kind in _BAD else NOTICE


def _budget_event(text: str) -> str:
    if _CROSSED.search(text):
        return "budget_crossed"
    if "Soft Budget Crossed" in text:
        return "soft_budget_crossed"
    return "projected_limit_exceeded" if "Projected Limit" in text else "threshold_crossed"


def _heading(text: str) -> str:
    """Give the first line of the message itself, which often begins lines below its name, without its decoration."""
    _, named, message = text.partition("Message:")
    lines = (
        re.sub(r"[*`]", "", line).strip() for line in (message if named else text.partition("`\n")[2]).splitlines()
    )
    first = next((line for line in lines if line and not line.startswith("Time:")), text)
    return clip(re.sub(r"^\W+|[\s:]+$", "", first), 200)
