"""Opsgenie's Alert API: create by body, close and acknowledge by address, where the alias stands."""

import re
from collections.abc import Mapping
from urllib.parse import unquote

from incidents.alerts.bodies import Json, Unreadable, first_text, items, mapping, payload, text_of
from incidents.alerts.claims import Statement, claim_from
from incidents.alerts.sources import headings
from incidents.alerts.statuses import ACKNOWLEDGED, FIRING, NO_DATA, RESOLVED, MonitorStatus

_ACT = re.compile(r"/v2/alerts/(?P<alias>.+)/(?P<act>close|acknowledge)$")
_STATUSES: dict[str, MonitorStatus] = {"close": RESOLVED, "acknowledge": ACKNOWLEDGED}


def read(body: bytes, headers: Mapping[str, str]) -> list[Statement]:
    sent = mapping(payload(body, headers)) if body.strip() else {}
    act = _ACT.search(headers.get(":path", ""))
    alias = unquote(act["alias"]) if act else text_of(sent.get("alias"))
    message = text_of(sent.get("message"))
    if not act and not message:
        raise Unreadable("The alert has no “message”.")
    heading, details = headings.in_brackets(message), mapping(sent.get("details"))
    status = _STATUSES[act["act"]] if act else NO_DATA if heading.status == NO_DATA else FIRING
    tags: dict[str, Json] = {f"tag:{tag}": "true" for tag in map(text_of, items(sent.get("tags"))) if tag}
    return [
        claim_from(
            status=status,
            title=(heading.name, f"Alert {alias}"),
            description=(sent.get("description"), sent.get("note")),
            identity=("dedup/1", alias),
            severity=sent.get("priority"),
            system=details.get("system"),
            service=first_text(sent.get("entity"), details.get("service")),
            environment=details.get("environment"),
            names=(details.get("metric"), details.get("alertname"), heading.name),
            labels={**details, **tags, "entity": sent.get("entity")},
            metric=details.get("metric"),
            value=details.get("value"),
            links=(("source", sent.get("source")), ("runbook", details.get("runbook_url"))),
            upstream_id=alias,
        )
    ]
