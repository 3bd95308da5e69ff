"""Honeycomb's triggers and burn alerts."""

from collections.abc import Mapping

from incidents.alerts.bodies import Json, Unreadable, dig, first_text, items, mapping, payload, text_of
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
    # Custom templates put what happened into an object of its own, as Honeycomb's variables are called.
    alert, result, limit = (mapping(sent.get(part)) for part in ("alert", "result", "threshold"))
    status = status_of(sent.get("status"), alert.get("status"), flags=flags)
    groups = _first_list(sent.get("result_groups"), sent.get("result_groups_triggered"), result.get("groupsTriggered"))
    worst = mapping(next(iter(groups), None))
    at = first_text(sent.get("triggered_at"), sent.get("timestamp"), alert.get("timestamp"))
    summary = first_text(sent.get("summary"), alert.get("summary"))
    return [
        claim_from(
            status=status,
            title=(name, summary),
            description=(summary, sent.get("description"), sent.get("trigger_description"), alert.get("description")),
            identity=("honeycomb/1", key),
            severity=first_text(sent.get("alert_severity"), sent.get("severity")),
            environment=first_text(sent.get("environment"), dig(sent, "environment", "name")),
            service=first_text(sent.get("dataset"), dig(sent, "dataset", "name")),
            names=(name, summary),
            labels={"dataset": sent.get("dataset"), **mapping(worst.get("Group") or worst.get("group"))},
            value=first_text(worst.get("Result"), worst.get("result"), worst.get("count"), sent.get("value")),
            threshold=first_text(sent.get("threshold"), limit.get("value")),
            operator=first_text(sent.get("operator"), limit.get("op")),
            starts_at=at if status.says == "firing" else None,
            links=(
                ("source", sent.get("result_url")),
                ("source", sent.get("trigger_url")),
                ("source", dig(result, "links", "url")),
                ("query", sent.get("query_url")),
            ),
            upstream_id=key,
            is_test="true"
            in {text_of(test_flag) for test_flag in (sent.get("is_test"), sent.get("isTest"), alert.get("isTest"))},
            flags=flags,
        )
    ]


def _first_list(*values: Json) -> list[Json]:
    return next((listed for listed in map(items, values) if listed), [])
