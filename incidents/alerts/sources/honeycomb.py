"""Honeycomb's triggers and burn alerts."""

from collections.abc import Mapping

from incidents.alerts.bodies import Unreadable, dig, first_text, items, mapping, payload, text_of
from incidents.alerts.claims import Statement, claim_from, says_of


def read(body: bytes, headers: Mapping[str, str]) -> list[Statement]:
    said = mapping(payload(body, headers))
    key, name = (
        first_text(said.get("id"), said.get("trigger_id")),
        first_text(said.get("name"), said.get("trigger_name")),
    )
    if not key and not name:
        raise Unreadable("This is no Honeycomb notification: it has neither an id nor a name.")
    flags: list[str] = []
    says = says_of(said.get("status"), flags=flags)
    worst = mapping(next(iter(items(said.get("result_groups"))), None))
    at = first_text(said.get("triggered_at"), said.get("timestamp"))
    return [
        claim_from(
            says=says,
            title=(name, said.get("summary")),
            description=(said.get("summary"), said.get("description"), said.get("trigger_description")),
            identity=("honeycomb/1", key),
            severity=first_text(said.get("alert_severity"), said.get("severity")),
            environment=first_text(said.get("environment"), dig(said, "environment", "name")),
            service=first_text(said.get("dataset"), dig(said, "dataset", "name")),
            names=(name, said.get("summary")),
            labels={"dataset": said.get("dataset"), **mapping(worst.get("Group") or worst.get("group"))},
            value=first_text(worst.get("Result"), worst.get("result"), said.get("value")),
            threshold=said.get("threshold"),
            operator=said.get("operator"),
            starts_at=at if says == "firing" else None,
            links=(("source", said.get("result_url")), ("source", said.get("trigger_url")), ("query", said.get("query_url"))),
            upstream_id=key,
            is_test=said.get("is_test") is True or text_of(said.get("isTest")) == "true",
            flags=flags,
        )
    ]  # fmt: skip
