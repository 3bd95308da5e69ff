"""New Relic: workflows, and the notification channels before them."""

import re
from collections.abc import Mapping

from incidents.alerts.bodies import Json, Unreadable, first_text, items, mapping, payload, text_of
from incidents.alerts.claims import Statement, claim_from
from incidents.alerts.statuses import ACKNOWLEDGED, FIRING, NO_DATA, RESOLVED, MonitorStatus

_STATES: dict[str, MonitorStatus] = {
    "created": FIRING,
    "activated": FIRING,
    "open": FIRING,
    "acknowledged": ACKNOWLEDGED,
    "closed": RESOLVED,
    "deactivated": RESOLVED,
}
_SIGNAL_LOST = re.compile(r"signal lost|lost signal|loss of signal", re.I)


def read(body: bytes, headers: Mapping[str, str]) -> list[Statement]:
    issue = mapping(payload(body, headers))
    key = first_text(issue.get("id"), issue.get("issueId"), issue.get("incident_id"))
    state = first_text(issue.get("state"), issue.get("current_state"), issue.get("status")).lower()
    if not key and not state:
        raise Unreadable("This is no New Relic notification: it has neither an id nor a state.")
    title = first_text(issue.get("title"), *items(issue.get("title")), issue.get("condition_name"))
    details = first_text(issue.get("details"), issue.get("description"))
    is_test = state == "test" or "test notification" in first_text(title, details).lower() or _is_channels_test(issue)
    flags = [] if state in _STATES or is_test else ["status_unknown"]
    status = _STATES.get(state, FIRING)
    if status == FIRING and _SIGNAL_LOST.search(f"{title} {details}"):
        status = NO_DATA
    entities = [*map(text_of, items(issue.get("impactedEntities"))), text_of(issue.get("targets_name"))]
    conditions = list(map(text_of, items(issue.get("alertConditionNames"))))
    return [
        claim_from(
            status=status,
            title=(title, *conditions),
            description=(details,),
            identity=("newrelic/1", key),
            severity=first_text(issue.get("priority"), issue.get("severity")),
            service=first_text(*entities),
            names=(*conditions, issue.get("condition_name"), title),
            labels={
                "policy": first_text(issue.get("policy_name"), *items(issue.get("alertPolicyNames"))),
                "condition": first_text(issue.get("condition_name"), *conditions),
                "entity": first_text(*entities),
                "workflow": issue.get("workflowName"),
            },
            starts_at=issue.get("createdAt") or issue.get("timestamp"),
            ends_at=issue.get("closedAt"),
            links=(
                ("source", issue.get("issueUrl")),
                ("source", issue.get("incident_url")),
                ("image", issue.get("violation_chart_url")),
                ("runbook", issue.get("runbook_url")),
            ),
            upstream_id=key,
            is_test=is_test,
            flags=flags,
        )
    ]


def _is_channels_test(issue: Mapping[str, Json]) -> bool:
    """The test of a notification channel of old, which has the state of an alert."""
    return text_of(issue.get("policy_name")) == "New Relic Alert - Test Policy"
