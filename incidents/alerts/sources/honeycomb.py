"""Honeycomb's triggers and burn alerts."""

from collections.abc import Mapping

from incidents.alerts.bodies import Unreadable, dig, first_text, items, mapping, payload, text_of
from incidents.alerts.claims import Statement, claim_from
from incidents.alerts.statuses import status_of


def read(body: bytes, headers: Mapping[str, str]) -> list[Statement]:
    sent = mapping(payload(body, headers))
    key, name = (
        first_text(sent.get("id"), sent.get("trigger_id")),
        first_text(sent.get("name"), sent.get("trigger_name")),
    )
    if not key and not name:
        raise Unreadable("This is no Honeycomb notification: it has neither an id nor a name.")
    flags: list[str] = []
    status = status_of(sent.get("status"), flags=flags)
    worst = mapping(next(iter(items(sent.get("result_groups"))), None))
    at = first_text(sent.get("triggered_at"), sent.get("timestamp"))
    return [
        claim_from(
            status=status,
            title=(name, sent.get("summary")),
            description=(sent.get("summary"), sent.get("description"), sent.get("trigger_description")),
            identity=("honeycomb/1", key),
            severity=first_text(sent.get("alert_severity"), sent.get("severity")),
            environment=first_text(sent.get("environment"), dig(sent, "environment", "name")),
            service=first_text(sent.get("dataset"), dig(sent, "dataset", "name")),
            names=(name, sent.get("summary")),
            labels={"dataset": sent.get("dataset"), **mapping(worst.get("Group") or worst.get("group"))},
            value=first_text(worst.get("Result"), worst.get("result"), sent.get("value")),
            threshold=sent.get("threshold"),
            operator=sent.get("operator"),
            starts_at=at if status.says == "firing" else None,
            links=(
                ("source", sent.get("result_url")),
                ("source", sent.get("trigger_url")),
                ("query", sent.get("query_url")),
            ),
            upstream_id=key,
            is_test=sent.get("is_test") is True or text_of(sent.get("isTest")) == "true",
            flags=flags,
        )
    ]
