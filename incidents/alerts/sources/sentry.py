"""Sentry: issues, issue alerts and metric alerts of an internal integration, and the old WebHooks plugin."""

import re
from collections.abc import Mapping

from incidents.alerts.bodies import Json, Unreadable, dig, first_text, items, mapping, payload, text_of
from incidents.alerts.claims import Claim, Handshake, Statement, claim_from
from incidents.alerts.cleaning import tags_of
from incidents.alerts.sources import headings
from incidents.alerts.statuses import ACKNOWLEDGED, FIRING, RESOLVED, MonitorStatus

_LEVELS = {"fatal": "critical", "error": "high", "warning": "medium", "info": "info", "debug": "info"}
_ISSUE: dict[str, MonitorStatus] = {
    "created": FIRING,
    "unresolved": FIRING,
    "resolved": RESOLVED,
    "ignored": ACKNOWLEDGED,
    "archived": ACKNOWLEDGED,
}
_METRIC: dict[str, MonitorStatus] = {"critical": FIRING, "warning": FIRING, "resolved": RESOLVED}


def read(body: bytes, headers: Mapping[str, str]) -> list[Statement]:
    sent = mapping(payload(body, headers))
    data = mapping(sent.get("data"))
    action = text_of(sent.get("action"))
    # The header is the only tag of the schema; where a proxy dropped it, the shape tells.
    match headers.get("sentry-hook-resource") or _shape(sent, data):
        case "metric_alert":
            return [_metric_alert(data, action)]
        case "event_alert":
            return [_event_alert(data)]
        case "issue" if action in _ISSUE:
            return [_issue(mapping(data.get("issue")), _ISSUE[action])]
        case "activity_alert":
            issue = mapping(data.get("issue"))
            return [_issue(issue, _ISSUE.get(text_of(issue.get("status")), FIRING))]
        case "error":
            return [_event(mapping(data.get("error")))]
        case "plugin":
            return [_event(mapping(sent.get("event")), outer=sent)]
        case "":
            raise Unreadable("This is no Sentry notification: it has neither “data” nor “event”.")
        case other:
            return [Handshake(reason=f"Sentry tells of “{other}” {action or '(no action)'}, which is no alert.")]


def _shape(sent: dict[str, Json], data: dict[str, Json]) -> str:
    if "metric_alert" in data:
        return "metric_alert"
    if "issue" in data:
        return "issue"
    if "event" in data:
        return "event_alert"
    if "error" in data:
        return "error"
    return "plugin" if isinstance(sent.get("event"), dict) else "installation" if "installation" in sent else ""


def _issue(issue: dict[str, Json], status: MonitorStatus) -> Claim:
    return claim_from(
        status=status,
        title=(issue.get("title"), dig(issue, "metadata", "value")),
        description=(issue.get("culprit"),),
        identity=("sentry-issue/1", text_of(issue.get("id"))),
        severity=issue.get("level"),
        severities=_LEVELS,
        service=dig(issue, "project", "slug"),
        names=(dig(issue, "metadata", "type"), issue.get("title")),
        labels={
            "project": dig(issue, "project", "slug"),
            "platform": issue.get("platform"),
            "level": issue.get("level"),
        },
        value=issue.get("count"),
        starts_at=issue.get("firstSeen") if status.says == "firing" else None,
        links=(("source", issue.get("web_url")), ("source", issue.get("permalink"))),
        upstream_id=issue.get("shortId"),
    )


def _metric_alert(data: dict[str, Json], action: str) -> Claim:
    alert = mapping(data.get("metric_alert"))
    rule = mapping(alert.get("alert_rule"))
    projects = ", ".join(filter(None, map(text_of, items(alert.get("projects")) or items(rule.get("projects")))))
    # “Critical: Recall is low”: how bad it is changes while it fires, and is no part of its name.
    heading = headings.of_message(text_of(data.get("description_title")))
    return claim_from(
        status=_METRIC.get(action, FIRING),
        title=(heading.name, rule.get("name"), alert.get("title")),
        description=(text_of(data.get("description_text")).replace("\\n", "\n"),),
        identity=("sentry-metric/1", text_of(rule.get("id")), projects) if rule.get("id") else (),
        severity=action if action in {"critical", "warning"} else None,
        service=projects,
        environment=rule.get("environment"),
        names=(rule.get("name"), rule.get("aggregate")),
        labels={"project": projects, "query": rule.get("query"), "dataset": rule.get("dataset")},
        metric=rule.get("aggregate"),
        threshold=dig(rule, "triggers", 0, "alertThreshold") or dig(rule, "triggers", 0, "alert_threshold"),
        starts_at=alert.get("date_started"),
        ends_at=alert.get("date_closed"),
        links=(("source", data.get("web_url")),),
        upstream_id=alert.get("identifier"),
        flags=() if action in _METRIC else ("status_unknown",),
    )


def _event_alert(data: dict[str, Json]) -> Claim:
    return _event(mapping(data.get("event")), outer=data)


# What Sentry sends where somebody tries a rule or asks for a sample.
_EXAMPLE = re.compile(r"This is an example [\w#+. ]+ exception", re.I)


def _event(event: dict[str, Json], outer: dict[str, Json] | None = None) -> Claim:
    """Read one error event. It never resolves: only its issue does."""
    around = outer or {}
    tags = tags_of(event.get("tags"))
    exception = mapping(dig(event, "exception", "values", -1))
    sent = f"{text_of(exception.get('type'))}: {text_of(exception.get('value'))}" if exception else ""
    where = first_text(around.get("project_slug"), around.get("project"), event.get("project_slug"))
    return claim_from(
        title=(
            event.get("title"),
            around.get("message"),
            sent,
            dig(event, "logentry", "formatted"),
            event.get("message"),
        ),
        description=(event.get("culprit"), around.get("culprit"), dig(event, "metadata", "value")),
        identity=("sentry-issue/1", first_text(event.get("issue_id"), around.get("id"))),
        severity=first_text(event.get("level"), around.get("level")),
        severities=_LEVELS,
        service=where,
        environment=event.get("environment"),
        names=(exception.get("type"), dig(event, "metadata", "type"), event.get("title")),
        labels={**tags, "project": where, "rule": around.get("triggered_rule"), "release": event.get("release")},
        starts_at=event.get("datetime") or event.get("timestamp"),
        links=(("source", event.get("web_url")), ("source", around.get("url"))),
        delivery_key=event.get("event_id"),
        is_test=_EXAMPLE.match(first_text(event.get("title"), around.get("message"), event.get("message"))) is not None,
    )
