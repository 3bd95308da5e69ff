"""LangSmith's alerts. They never resolve: a timer of the source, or a person, ends them."""

from collections.abc import Mapping

from incidents.alerts.bodies import Unreadable, mapping, payload, text_of
from incidents.alerts.claims import Statement, claim_from

# What the alert watches, in words that classification knows.
_ATTRIBUTES = {
    "error_count": "llm_error_rate",
    "feedback_score": "user_feedback_score",
    "latency": "latency",
    "cost": "llm_cost",
}


def read(body: bytes, headers: Mapping[str, str]) -> list[Statement]:
    sent = mapping(payload(body, headers))
    rule, attribute = text_of(sent.get("alert_rule_id")), text_of(sent.get("alert_rule_attribute"))
    if not rule and not sent.get("alert_rule_name"):
        raise Unreadable("This is no LangSmith alert: it has no “alert_rule_id”.")
    return [
        claim_from(
            title=(sent.get("alert_rule_name"), sent.get("alert_rule_description")),
            description=(sent.get("alert_rule_description"),),
            identity=("langsmith/1", rule),
            severity=sent.get("severity"),
            system=sent.get("system"),
            service=sent.get("project_name"),
            names=(_ATTRIBUTES.get(attribute, attribute), sent.get("alert_rule_name")),
            labels={
                "project": sent.get("project_name"),
                "workspace": sent.get("workspace_name"),
                "attribute": attribute,
            },
            metric=attribute,
            value=sent.get("triggered_metric_value"),
            threshold=sent.get("triggered_threshold"),
            starts_at=sent.get("timestamp"),
            links=(("source", sent.get("alert_rule_url")), ("trace", sent.get("runs_url"))),
            upstream_id=rule,
        )
    ]
