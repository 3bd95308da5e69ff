"""Elastic: Kibana's webhook connector, with the body of docs/sources/kibana.md."""

from collections.abc import Mapping

from incidents.alerts.bodies import Unreadable, first_text, mapping, payload, text_of
from incidents.alerts.claims import Statement, claim_from
from incidents.alerts.cleaning import tags_of
from incidents.alerts.statuses import status_of


def read(body: bytes, headers: Mapping[str, str]) -> list[Statement]:
    sent = mapping(payload(body, headers))
    rule, alert = text_of(sent.get("rule_id")), text_of(sent.get("alert_id"))
    name = first_text(sent.get("rule_name"), sent.get("title"), sent.get("message"))
    if not rule and not name:
        raise Unreadable("It names no rule; use the body of Faultline’s page on Elastic.")
    flags: list[str] = []
    # Mustache turns an absent value into nothing, and a list into text with commas.
    tags = tags_of(text_of(sent.get("tags")).strip("[]").replace('"', ""))
    return [
        claim_from(
            status=status_of(sent.get("status"), sent.get("action_group"), flags=flags),
            title=(name,),
            description=(sent.get("message"), sent.get("reason")),
            identity=("kibana/1", rule, alert) if rule else (),
            severity=first_text(sent.get("severity"), tags.get("severity")),
            system=first_text(sent.get("system"), tags.get("system")),
            service=sent.get("service"),
            names=(name, sent.get("reason")),
            labels={**tags, "space": sent.get("space_id"), "rule_type": sent.get("rule_type")},
            value=sent.get("value"),
            threshold=sent.get("threshold"),
            starts_at=sent.get("date") if text_of(sent.get("action_group")) != "recovered" else None,
            links=(("source", sent.get("url")),),
            upstream_id=rule,
            flags=[
                flag
                for flag in flags
                if text_of(sent.get("action_group")) not in {"default", "threshold met", "query matched"}
            ],
        )
    ]
