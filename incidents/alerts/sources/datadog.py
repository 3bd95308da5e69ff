"""Datadog's webhook, whose body people write themselves: ours is in docs/sources/datadog.md, others’ names are understood."""

from collections.abc import Callable, Mapping

from incidents.alerts.bodies import Json, Unreadable, first_text, mapping, payload, text_of
from incidents.alerts.claims import Statement, claim_from
from incidents.alerts.cleaning import tags_of
from incidents.alerts.statuses import FIRING, NO_DATA, RESOLVED, MonitorStatus

_TRANSITIONS = {
    "triggered": FIRING,
    "re-triggered": FIRING,
    "warn": FIRING,
    "re-warn": FIRING,
    "renotify": FIRING,
    "recovered": RESOLVED,
    "no data": NO_DATA,
    "re-no data": NO_DATA,
}


def read(body: bytes, headers: Mapping[str, str]) -> list[Statement]:
    sent = {name.lower().lstrip("$"): value for name, value in mapping(payload(body, headers)).items()}
    if not sent:
        raise Unreadable("This is no Datadog notification: it is not an object.")

    def field(*names: str) -> Json:
        """Give the first that Datadog has filled in: `$NAME` where it knows no such variable stays as it is."""
        texts = (text_of(sent.get(name)) for name in names)
        return next((text for text in texts if text and not text.startswith("$")), None)

    flags: list[str] = []
    title = field("title", "event_title", "alert_title")
    monitor = field("alert_id", "monitor_id")
    if any(text_of(sent.get(name)).startswith("$") for name in ("alert_id", "event_title", "alert_transition")):
        flags.append("unexpanded_template")
    if title is None and monitor is None and field("alert_transition") is None:
        raise Unreadable("It has neither a title, a monitor’s id nor a transition that Datadog filled in.")
    scope = first_text(field("alert_scope"), field("scope", "aggreg_key"))
    tags = tags_of(field("tags"))
    return [
        claim_from(
            status=_status(text_of(field("alert_transition")), text_of(field("alert_type", "type")), flags=flags),
            title=(title, f"Datadog monitor {monitor}" if monitor else None),
            description=(field("body", "event_msg", "text_only_msg", "message", "description"),),
            identity=("datadog/1", text_of(monitor), scope) if monitor else (),
            severity=_priority(sent, field),
            names=(field("alert_metric"), title),
            labels=tags,
            service=tags.get("service"),
            environment=tags.get("env"),
            metric=field("alert_metric"),
            value=field("alert_value", "value"),
            threshold=field("alert_threshold", "threshold"),
            starts_at=field("last_updated", "date"),
            links=(("source", field("link", "url")), ("image", field("snapshot"))),
            group=field("alert_cycle_key"),
            upstream_id=monitor,
            delivery_key=field("id"),
            flags=flags,
        )
    ]


def _status(transition: str, kind: str, *, flags: list[str]) -> MonitorStatus:
    if transition.lower() in _TRANSITIONS:
        return _TRANSITIONS[transition.lower()]
    if kind.lower() == "success":
        return RESOLVED
    if transition:
        flags.append("status_unknown")
    return FIRING


def _priority(sent: Mapping[str, Json], field: Callable[..., Json]) -> Json:
    priority = text_of(field("alert_priority", "priority"))
    if priority.isdigit():
        return f"p{priority}"
    kind = text_of(sent.get("alert_type")).lower()
    usable = priority if priority.lower() not in {"normal", "low", ""} else ""
    return usable or (kind if kind in {"error", "warning", "success", "info"} else None)
