"""Elastic: Kibana's webhook connector, with the body of docs/sources/kibana.md."""

from collections.abc import Mapping

from incidents.alerts.bodies import Unreadable, first_text, mapping, payload, text_of
from incidents.alerts.claims import Statement, claim_from, says_of
from incidents.alerts.cleaning import tags_of


def read(body: bytes, headers: Mapping[str, str]) -> list[Statement]:
    said = mapping(payload(body, headers))
    rule, alert = text_of(said.get("rule_id")), text_of(said.get("alert_id"))
    name = first_text(said.get("rule_name"), said.get("title"), said.get("message"))
    if not rule and not name:
        raise Unreadable("It names no rule; use the body of Faultline’s page on Elastic.")
    flags: list[str] = []
    # Mustache turns an absent value into nothing, and a list into text with commas.
    tags = tags_of(text_of(said.get("tags")).strip("[]").replace('"', ""))
    return [
        claim_from(
            says=says_of(said.get("status"), said.get("action_group"), flags=flags),
            title=(name,),
            description=(said.get("message"), said.get("reason")),
            identity=("kibana/1", rule, alert) if rule else (),
            severity=first_text(said.get("severity"), tags.get("severity")),
            system=first_text(said.get("system"), tags.get("system")),
            service=said.get("service"),
            names=(name, said.get("reason")),
            labels={**tags, "space": said.get("space_id"), "rule_type": said.get("rule_type")},
            value=said.get("value"),
            threshold=said.get("threshold"),
            starts_at=said.get("date") if text_of(said.get("action_group")) != "recovered" else None,
            links=(("source", said.get("url")),),
            upstream_id=rule,
            flags=[flag for flag in flags if text_of(said.get("action_group")) not in {"default", "threshold met", "query matched"}],
        )
    ]  # fmt: skip
