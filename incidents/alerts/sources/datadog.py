"""Datadog's webhook: its default body, and those that people write themselves (ours is in docs/sources/datadog.md)."""

import re
from collections.abc import Callable, Mapping
from typing import TypeAlias

from incidents.alerts.bodies import Json, Unreadable, first_text, mapping, payload, text_of
from incidents.alerts.claims import Identity, Statement, claim_from, title_identity
from incidents.alerts.cleaning import tags_of
from incidents.alerts.severities import severity_of
from incidents.alerts.sources import headings
from incidents.alerts.statuses import FIRING, NO_DATA, NOTICE, RESOLVED, MonitorStatus

Field: TypeAlias = Callable[..., Json]

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
_KINDS = {"error", "warning", "success", "info"}


def read(body: bytes, headers: Mapping[str, str]) -> list[Statement]:
    # People name the keys as they like: `$ALERT_ID`, `alert_id`, `alertId`.
    sent = {_key(name): value for name, value in mapping(payload(body, headers)).items()}
    if not sent:
        raise Unreadable("This is no Datadog notification: it is not an object.")

    def field(*names: str) -> Json:
        """Give the first that Datadog has filled in: `$NAME` where it knows no such variable stays as it is."""
        texts = (text_of(sent.get(_key(name))) for name in names)
        return next((text for text in texts if text and not text.startswith("$")), None)

    title = text_of(field("title", "event_title", "alert_title"))
    monitor = text_of(field("alert_id", "monitor_id"))
    transition = text_of(field("alert_transition", "transition")).lower()
    if not title and not monitor and not transition:
        raise Unreadable("It has neither a title, a monitor’s id nor a transition that Datadog filled in.")
    flags: list[str] = []
    if any(text_of(sent.get(name)).startswith("$") for name in ("alertid", "eventtitle", "alerttransition")):
        flags.append("unexpanded_template")
    heading = headings.in_brackets(title)
    tags = tags_of(field("tags"))
    kind = text_of(field("alert_type", "type")).lower()
    status = _status(transition, heading, kind, flags=flags)
    return [
        claim_from(
            status=status,
            title=(heading.name, f"Datadog monitor {monitor}" if monitor else None),
            description=(field("body", "event_msg", "text_only_msg", "message", "description"),),
            identity=_identity(monitor, heading, field),
            former=_former(title, heading, tags) if not monitor and heading.status else (),
            severity=_severity(field, transition, heading, kind),
            names=(field("alert_metric"), heading.name),
            labels=tags,
            service=first_text(tags.get("service"), _service_in(heading)),
            environment=tags.get("env"),
            metric=field("alert_metric"),
            value=field("alert_value", "value"),
            threshold=field("alert_threshold", "threshold"),
            starts_at=field("last_updated", "date") if status.says == "firing" else None,
            ends_at=field("last_updated", "date") if status.says == "resolved" else None,
            links=(("source", field("link", "url")), ("image", field("snapshot"))),
            group=field("alert_cycle_key"),
            upstream_id=monitor,
            delivery_key=field("id"),
            is_test=heading.status == headings.TEST,
            flags=flags,
        )
    ]


def _key(name: str) -> str:
    return name.lower().lstrip("$").replace("_", "")


def _status(transition: str, heading: headings.Heading, kind: str, *, flags: list[str]) -> MonitorStatus:
    """Read the transition; without one the title begins with it, and an event of type info is not a monitor's at all."""
    if transition in _TRANSITIONS:
        return _TRANSITIONS[transition]
    if heading.status and heading.status != headings.TEST:
        return heading.status
    if transition and transition != "null":
        flags.append("status_unknown")
    elif kind == "info":
        return NOTICE
    return RESOLVED if kind == "success" else FIRING


def _identity(monitor: str, heading: headings.Heading, field: Field) -> Identity:
    """Monitor and scope; Datadog's default body has no more than the title to tell them."""
    if monitor:
        return ("datadog/1", monitor, first_text(field("alert_scope"), field("scope", "aggreg_key")))
    return ("datadog-title/1", heading.name, heading.scope) if heading.status and heading.name else ()


def _former(title: str, heading: headings.Heading, tags: Mapping[str, Json]) -> list[Identity]:
    """The title named it with what it began with, so that its firing is known by the beginning of that time alone."""
    where, environment = text_of(tags.get("service")), text_of(tags.get("env"))
    on = f" on {{{heading.scope}}}" if heading.scope else ""
    titles = (title, f"[Triggered{on}] {heading.name}", f"[Warn{on}] {heading.name}")
    return [title_identity(" ".join(one.split()), where, environment) for one in titles]


def _severity(field: Field, transition: str, heading: headings.Heading, kind: str) -> Json:
    """The monitor's priority, else what the transition says; one that only warns is no worse than medium."""
    priority = first_text(field("alert_priority", "priority"), heading.severity if "p" in heading.severity[:1] else "")
    if priority.isdigit():
        priority = f"p{priority}"
    usable = priority if priority.lower() not in {"normal", "low", ""} else ""
    warns = transition in {"warn", "re-warn"} or (not transition and heading.severity == "warning")
    if warns and severity_of(usable or "warning", flags=[]) in {"critical", "high"}:
        return "warning"
    level = usable or ("warning" if warns else kind if kind in _KINDS else "")
    # The default body has no type; in the others, a monitor that triggers is of type error.
    return level or ("error" if heading.status == FIRING and not transition else None)


_SCOPE_AT_THE_END = re.compile(r" on \{([^{}]*)\}$")


def _service_in(heading: headings.Heading) -> Json:
    """Find the service in the scope, which some titles begin with and others end with."""
    at_the_end = _SCOPE_AT_THE_END.search(heading.name)
    return tags_of(heading.scope or (at_the_end[1] if at_the_end else "")).get("service")
