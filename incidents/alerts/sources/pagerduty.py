"""PagerDuty's Events API v2, as its many clients send it: alerts and changes. The version before it is understood too."""

import json
from collections.abc import Mapping

from incidents.alerts.bodies import Json, Unreadable, dig, first_text, items, mapping, payload, text_of
from incidents.alerts.claims import ChangeAnnounced, Claim, Statement, claim_from
from incidents.alerts.cleaning import clip, safe_link
from incidents.alerts.headers import DEDUP_KEY
from incidents.alerts.sources import headings
from incidents.alerts.statuses import ACKNOWLEDGED, FIRING, NO_DATA, RESOLVED, MonitorStatus
from incidents.alerts.times import time_of

_ACTIONS: dict[str, MonitorStatus] = {"trigger": FIRING, "acknowledge": ACKNOWLEDGED, "resolve": RESOLVED}


def read(body: bytes, headers: Mapping[str, str]) -> list[Statement]:
    event = mapping(payload(body, headers))
    action = first_text(event.get("event_action"), event.get("event_type"))
    if headers.get(":path", "").endswith("/change/enqueue") or (not action and isinstance(event.get("payload"), dict)):
        return [_change(event)]
    if action not in _ACTIONS:
        raise Unreadable("Its “event_action” is none of trigger, acknowledge and resolve.")
    return [_alert(event, _ACTIONS[action], made_up_key=headers.get(DEDUP_KEY, ""))]


def _alert(event: dict[str, Json], status: MonitorStatus, *, made_up_key: str) -> Claim:
    sent = mapping(event.get("payload"))
    key = first_text(event.get("dedup_key"), event.get("incident_key"), made_up_key)
    details = sent.get("custom_details") or event.get("details")
    facts = mapping(details)
    # Alertmanager, Grafana and Datadog begin the summary with what happened, which the action says already.
    heading = headings.in_brackets(first_text(sent.get("summary"), event.get("description"), event.get("title")))
    return claim_from(
        status=NO_DATA if status == FIRING and heading.status == NO_DATA else status,
        title=(heading.name, f"Alert {key}"),
        description=(_details(details),),
        identity=("dedup/1", key),
        severity=sent.get("severity"),
        system=first_text(facts.get("system"), event.get("system")),
        service=first_text(sent.get("component"), facts.get("service"), sent.get("source")),
        environment=facts.get("environment"),
        names=(facts.get("metric"), sent.get("class"), facts.get("alertname"), heading.name),
        labels={
            **{name: value for name, value in facts.items() if len(text_of(value)) <= 200},
            **{name: sent.get(name) for name in ("source", "component", "group", "class") if sent.get(name)},
        },
        metric=facts.get("metric"),
        value=facts.get("value"),
        threshold=facts.get("threshold"),
        starts_at=sent.get("timestamp") if status.says == "firing" else None,
        ends_at=sent.get("timestamp") if status.says == "resolved" else None,
        links=(
            ("source", event.get("client_url")),
            *(("source", mapping(link).get("href")) for link in items(event.get("links"))),
            *(("image", mapping(image).get("src")) for image in items(event.get("images"))),
        ),
        group=sent.get("group"),
        upstream_id=key,
    )


def _details(details: Json) -> str:
    if isinstance(details, str):
        return details
    if len(facts := mapping(details)) == 0:
        return ""
    return "\n".join(
        f"{name}: {text_of(value) or json.dumps(value, ensure_ascii=False)}" for name, value in facts.items()
    )


def _change(event: dict[str, Json]) -> ChangeAnnounced:
    sent = mapping(event.get("payload"))
    facts = mapping(sent.get("custom_details"))
    title = text_of(sent.get("summary"))
    if not title:
        raise Unreadable("The change has no “payload.summary”.")
    kind = text_of(facts.get("kind")).lower()
    return ChangeAnnounced(
        title=clip(title, 200),
        kind=kind or "configuration",
        system_name=clip(first_text(facts.get("system"), sent.get("source")), 200),
        version=clip(first_text(facts.get("version"), facts.get("build_version")), 100),
        url=next((link["href"] for link in safe_link("source", dig(event, "links", 0, "href"))), ""),
        happened_at=time_of(sent.get("timestamp")),
    )
