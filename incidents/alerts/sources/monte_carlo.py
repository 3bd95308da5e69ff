"""Monte Carlo's alerts. Its documents show few bodies, so several names are understood for each fact."""

from collections.abc import Mapping

from incidents.alerts.bodies import Unreadable, dig, first_text, items, mapping, payload
from incidents.alerts.claims import Statement, claim_from
from incidents.alerts.statuses import ACKNOWLEDGED, FIRING, RESOLVED, MonitorStatus

# The words for its alerts' status, and the feedback by which it said the same before.
_STATUSES: dict[str, MonitorStatus] = {
    **dict.fromkeys(("fixed", "resolved", "no action needed", "false positive", "expected", "closed"), RESOLVED),
    **dict.fromkeys(("acknowledged", "work in progress", "investigating"), ACKNOWLEDGED),
}


def read(body: bytes, headers: Mapping[str, str]) -> list[Statement]:
    sent = mapping(payload(body, headers))
    inner = mapping(sent.get("payload")) or mapping(sent.get("data")) or sent
    key = first_text(
        *(inner.get(name) for name in ("incident_id", "alert_id", "uuid", "group_id", "id")), sent.get("id")
    )
    kind = first_text(inner.get("incident_type"), inner.get("alert_type"), sent.get("type"), inner.get("type"))
    title = first_text(inner.get("title"), inner.get("name"), sent.get("title"), inner.get("text"), kind)
    if not key and not title:
        raise Unreadable("This is no Monte Carlo alert: it has neither an id nor a title.")
    table = first_text(
        dig(inner, "table", "full_table_id"),
        inner.get("full_table_id"),
        inner.get("table"),
        *items(inner.get("tables")),
    )
    status = first_text(inner.get("status"), inner.get("feedback"), sent.get("status"))
    return [
        claim_from(
            status=_STATUSES.get(status.lower().replace("_", " "), FIRING),
            title=(title,),
            description=(inner.get("description"), inner.get("message")),
            identity=("monte_carlo/1", key),
            severity=first_text(inner.get("severity"), inner.get("priority"), sent.get("severity")),
            service=table,
            names=(kind, title),
            labels={"table": table, "type": kind, "account": sent.get("account_name")},
            starts_at=first_text(inner.get("created_at"), inner.get("event_time"), inner.get("timestamp")),
            links=(("source", inner.get("url")), ("source", sent.get("url"))),
            upstream_id=key,
        )
    ]
