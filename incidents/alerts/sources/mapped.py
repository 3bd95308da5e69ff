"""A declarative field map: JSON of any shape becomes claims by JMESPath expressions, one a field (https://jmespath.org).

The generic source's map is edited in the browser against what the source last sent; some monitors are no more than a map.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import cast

import jmespath
from jmespath.exceptions import JMESPathError

from incidents.alerts.bodies import Json, Unreadable, mapping, payload, text_of
from incidents.alerts.claims import Claim, Statement, claim_from
from incidents.alerts.cleaning import tags_of
from incidents.alerts.statuses import FIRING, RESOLVED, MonitorStatus, status_of, with_condition

# An expression is compiled by recursion and evaluated over the whole body: long ones are no map but a program.
LONGEST = 300

FIELDS: dict[str, str] = {
    "items": "The list of alerts, where one delivery holds several",
    "title": "What is wrong, in one line",
    "description": "More about it",
    "key": "What identifies the alert: the same in every repeat",
    "status": "The word that says firing or resolved",
    "condition": "What it is about: bad_value, no_data, check_failed, notice or test",
    "severity": "How bad it is",
    "system": "Which AI system it is about",
    "environment": "Such as production",
    "metric": "The name that says which failure it is",
    "value": "What was measured",
    "threshold": "What it should have been",
    "starts_at": "When it began",
    "ends_at": "When it ended",
    "url": "A link to the monitor",
    "runbook_url": "A link to the runbook",
    "labels": "An object or list of further facts",
    "test": "True where it is only a test",
}


@dataclass(frozen=True, slots=True)
class FieldMap:
    """Expressions by field; `resolved` and `firing` are the words of `status` that the common vocabulary lacks."""

    expressions: Mapping[str, str] = field(default_factory=dict)
    resolved: tuple[str, ...] = ()
    firing: tuple[str, ...] = ()

    @classmethod
    def of(cls, stored: Mapping[str, Json]) -> "FieldMap":
        words = {
            name: tuple(word.strip().lower() for word in text_of(stored.get(name)).split(",") if word.strip())
            for name in ("resolved", "firing")
        }
        expressions = {name: text_of(stored.get(name)) for name in FIELDS if text_of(stored.get(name))}
        return cls(expressions, words["resolved"], words["firing"])

    def errors(self) -> dict[str, str]:
        """Say which expressions cannot be compiled, and why."""
        faults = {name: error for name, text in self.expressions.items() if (error := fault(text))}
        if not self.expressions.get("title"):
            faults["title"] = "An alert needs a title; give an expression for it."
        return faults


def fault(expression: str) -> str:
    """Say what is wrong with an expression; empty if nothing is."""
    if len(expression) > LONGEST:
        return f"An expression may have {LONGEST} characters at most."
    try:
        jmespath.compile(expression)
    except (JMESPathError, RecursionError, ValueError) as error:
        return " ".join(str(error).split())[:300]
    return ""


def reader(stored: Mapping[str, Json]) -> Callable[[bytes, Mapping[str, str]], list[Statement]]:
    """Make an adapter of a stored map."""
    wanted = FieldMap.of(stored)

    def read(body: bytes, headers: Mapping[str, str]) -> list[Statement]:
        return list(apply(wanted, payload(body, headers)))

    return read


def apply(wanted: FieldMap, value: Json) -> list[Claim]:
    """Read claims by the map. Raises Unreadable where an expression finds no title, or no list where one is meant."""
    alerts = [value]
    if "items" in wanted.expressions:
        listed = _search(wanted, "items", value)
        if not isinstance(listed, list):
            raise Unreadable(f"“{wanted.expressions['items']}” finds no list of alerts.")
        alerts = listed
    return [_read_alert(wanted, item, position=position) for position, item in enumerate(alerts)]


def _read_alert(wanted: FieldMap, item: Json, *, position: int) -> Claim:
    def value_of(name: str) -> Json:
        return _search(wanted, name, item)

    title = text_of(value_of("title"))
    if not title:
        raise Unreadable(f"“{wanted.expressions.get('title', '')}” finds no title in alert {position}.")
    flags: list[str] = []
    labels = value_of("labels")
    return claim_from(
        status=with_condition(_status(wanted, text_of(value_of("status")), flags=flags), value_of("condition")),
        title=(title,),
        description=(value_of("description"),),
        identity=("key/1", text_of(value_of("key"))),
        severity=value_of("severity"),
        system=value_of("system"),
        environment=value_of("environment"),
        names=(value_of("metric"), title),
        labels=mapping(labels) or tags_of(labels),
        metric=value_of("metric"),
        value=value_of("value"),
        threshold=value_of("threshold"),
        starts_at=value_of("starts_at"),
        ends_at=value_of("ends_at"),
        links=(("source", value_of("url")), ("runbook", value_of("runbook_url"))),
        upstream_id=value_of("key"),
        is_test=value_of("test") is True,
        flags=flags,
    )


def _status(wanted: FieldMap, word: str, *, flags: list[str]) -> MonitorStatus:
    if word.lower() in wanted.resolved:
        return RESOLVED
    if word.lower() in wanted.firing:
        return FIRING
    return status_of(word, flags=flags)


def _search(wanted: FieldMap, name: str, value: Json) -> Json:
    expression = wanted.expressions.get(name)
    if not expression:
        return None
    try:
        return cast(Json, jmespath.search(expression, value))
    except (JMESPathError, RecursionError, ValueError, TypeError, OverflowError) as error:
        raise Unreadable(f"“{expression}” for {name}: {' '.join(str(error).split())[:300]}") from None


# Monitors that are no more than a map; each is also a start for one's own.
PRESETS: dict[str, dict[str, Json]] = {
    "braintrust": {
        "title": "automation.name",
        "description": "details.message",
        "key": "automation.id",
        # What it tells of environments is that a prompt or data set was assigned to one.
        "condition": "automation.event_type == 'environment_update' && 'notice' || ''",
        "system": "project.name",
        "metric": "automation.name",
        "value": "details.count",
        "starts_at": "details.time_start",
        "url": "details.related_logs_url || automation.url",
        "labels": "{organization: organization.name, filter: automation.btql_filter, environment: details.environment.slug}",
        "test": "details.is_test",
    },
    "statuspage": {
        "title": "incident.name || join(' ', [component.name, 'is', component_update.new_status])",
        "description": "incident.incident_updates[0].body",
        "key": "incident.id || component.id",
        "status": "incident.status || component_update.new_status",
        "firing": "investigating, identified, monitoring, in_progress, verifying, scheduled, under_maintenance, "
        "degraded_performance, partial_outage, major_outage",
        "resolved": "completed, postmortem, operational",
        "condition": "(incident.status == 'scheduled' || incident.impact == 'maintenance' "
        "|| component_update.new_status == 'under_maintenance') && 'notice' || ''",
        "severity": "incident.impact != 'maintenance' && incident.impact || ''",
        "metric": "'provider outage'",
        "starts_at": "incident.created_at || component_update.created_at",
        "ends_at": "incident.resolved_at",
        "url": "incident.shortlink",
        "labels": "{page: page.id, component: component.name, indicator: page.status_indicator}",
    },
    "superwise": {
        "title": "subject",
        "description": "description",
        "severity": "severity",
        "system": "attributes.model",
        "metric": "subject",
        "starts_at": "timestamp",
        "url": "link",
        "labels": "attributes",
    },
    "pingdom": {
        "title": "join(' ', [check_name, 'is', current_state])",
        "description": "long_description || description",
        "key": "to_string(check_id)",
        "status": "current_state",
        "firing": "failing, unconfirmed_down",
        "severity": "importance_level",
        "system": "tags[0]",
        "metric": "'probe failed'",
        "starts_at": "state_changed_timestamp",
        "url": "check_params.full_url",
    },
    "dynatrace": {
        "title": "ProblemTitle",
        "description": "ImpactedEntity",
        "key": "PID || ProblemID",
        "status": "State",
        "severity": (
            "ProblemSeverity == 'AVAILABILITY' && 'critical' || ProblemSeverity == 'ERROR' && 'high'"
            " || ProblemSeverity && 'medium'"
        ),
        "firing": "merged",
        "test": "ProblemTitle == 'Dynatrace problem notification test run'",
        "url": '"Problem URL" || ProblemURL',
        "labels": "{impact: ProblemImpact, tags: Tags}",
    },
    "kapacitor": {
        "title": "message",
        "description": "details",
        "key": "id",
        "status": "level != 'OK' && contains(to_string(message), ' is dead: ') && 'no_data' || level",
        "severity": "level",
        "starts_at": "time",
        "metric": "data.series[0].name",
        "firing": "warn, info, crit",
        "labels": "data.series[0].tags",
    },
    "elastalert": {
        "title": "Title || rule.name || alert_subject",
        "description": "Description || alert_text",
        "key": "Key && join(' ', [to_string(Id), to_string(Key)]) || Id || rule.name",
        "firing": "create",
        "status": "event_type",
        "severity": "Severity",
        "system": "System",
        "metric": "Metric",
    },
}


def preset(name: str) -> Callable[[bytes, Mapping[str, str]], list[Statement]]:
    return reader(PRESETS[name])
