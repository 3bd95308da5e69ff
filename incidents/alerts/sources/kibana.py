"""Elastic: Kibana's webhook connector, with the body of docs/sources/kibana.md."""

from collections.abc import Mapping

from incidents.alerts.bodies import Unreadable, first_text, mapping, payload, text_of
from incidents.alerts.claims import Statement, claim_from
from incidents.alerts.cleaning import tags_of
from incidents.alerts.severities import severity_of
from incidents.alerts.statuses import NO_DATA, RESOLVED, MonitorStatus, status_of

# How bad a burn rate is, or that the value only warns, is in the name of the action group alone.
_SEVERITIES = {
    "slo.burnrate.alert": "critical",
    "slo.burnrate.high": "high",
    "slo.burnrate.medium": "medium",
    "slo.burnrate.low": "low",
}


def read(body: bytes, headers: Mapping[str, str]) -> list[Statement]:
    sent = mapping(payload(body, headers))
    rule, alert = text_of(sent.get("rule_id")), text_of(sent.get("alert_id"))
    name = first_text(sent.get("rule_name"), sent.get("title"), sent.get("message"))
    if not rule and not name:
        raise Unreadable("It names no rule; use the body of Faultline’s page on Elastic.")
    flags: list[str] = []
    # Mustache turns an absent value into nothing, and a list into text with commas.
    tags = tags_of(text_of(sent.get("tags")).strip("[]").replace('"', ""))
    group = text_of(sent.get("action_group")).lower()
    status = _status(text_of(sent.get("status")), group, flags=flags)
    return [
        claim_from(
            status=status,
            title=(name,),
            description=(sent.get("message"), sent.get("reason")),
            identity=("kibana/1", rule, alert) if rule else (),
            severity=_severity(first_text(sent.get("severity"), tags.get("severity")), group),
            system=first_text(sent.get("system"), tags.get("system")),
            service=sent.get("service"),
            names=(name, sent.get("reason")),
            labels={**tags, "space": sent.get("space_id"), "rule_type": sent.get("rule_type")},
            value=sent.get("value"),
            threshold=sent.get("threshold"),
            starts_at=sent.get("date") if status.says == "firing" else None,
            ends_at=sent.get("date") if status.says == "resolved" else None,
            links=(("source", sent.get("url")),),
            upstream_id=rule,
            flags=flags,
        )
    ]


def _status(word: str, group: str, *, flags: list[str]) -> MonitorStatus:
    """Read the action group, by its id or its name: Kibana fills it in, while people write the status once for several."""
    if group == "recovered":
        return RESOLVED
    if group == "no data" or group.endswith(".nodata"):
        return NO_DATA
    return status_of(word, flags=flags)


def _severity(severity: str, group: str) -> str:
    if group in _SEVERITIES:
        return _SEVERITIES[group]
    warns = group == "warning" or group.endswith(".warning")
    return "warning" if warns and severity_of(severity or "warning", flags=[]) in {"critical", "high"} else severity
