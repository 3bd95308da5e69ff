"""Google Cloud Monitoring (Vertex AI’s monitors notify through it), by webhook or in Pub/Sub’s envelope."""

import base64
from collections.abc import Mapping

from incidents.alerts.bodies import Json, Unreadable, dig, first_text, load, mapping, payload, text_of
from incidents.alerts.claims import Identity, Statement, claim_from
from incidents.alerts.statuses import FIRING, RESOLVED


def read(body: bytes, headers: Mapping[str, str]) -> list[Statement]:
    sent = mapping(payload(body, headers))
    if isinstance(sent.get("message"), dict) and "incident" not in sent:
        sent = _pushed(mapping(sent["message"]))
    incident = mapping(sent.get("incident"))
    if not incident:
        raise Unreadable("This is no Google Cloud Monitoring notification: it has no “incident”.")
    flags: list[str] = []
    word = text_of(incident.get("state")).lower()
    if word not in {"open", "closed"}:
        flags.append("status_unknown")
    condition = mapping(incident.get("condition"))
    resource = mapping(dig(incident, "resource", "labels"))
    labels = {**mapping(dig(incident, "metric", "labels")), **resource, **mapping(incident.get("policy_user_labels"))}
    return [
        claim_from(
            status=RESOLVED if word == "closed" else FIRING,
            title=(
                ": ".join(filter(None, map(text_of, (incident.get("policy_name"), incident.get("condition_name"))))),
            ),
            description=(incident.get("summary"), dig(incident, "documentation", "content")),
            identity=_identity(incident, condition, resource),
            severity=incident.get("severity") if text_of(incident.get("severity")).lower() != "no severity" else None,
            system=labels.get("system"),
            service=first_text(
                *(labels.get(name) for name in ("service_name", "endpoint_id", "function_name", "model"))
            ),
            names=(
                dig(incident, "metric", "displayName"),
                dig(incident, "metric", "type"),
                incident.get("condition_name"),
            ),
            labels={**labels, "policy": incident.get("policy_name"), "metric_type": dig(incident, "metric", "type")},
            annotations={"documentation": dig(incident, "documentation", "content")},
            metric=first_text(dig(incident, "metric", "displayName"), dig(incident, "metric", "type")),
            value=incident.get("observed_value"),
            threshold=first_text(
                incident.get("threshold_value"), dig(condition, "conditionThreshold", "thresholdValue")
            ),
            operator=text_of(dig(condition, "conditionThreshold", "comparison")).removeprefix("COMPARISON_"),
            starts_at=incident.get("started_at"),
            ends_at=incident.get("ended_at") or None,
            links=(("source", incident.get("url")),),
            upstream_id=incident.get("incident_id"),
            is_test=text_of(sent.get("version")) == "test",
            flags=flags,
        )
    ]


def _identity(incident: dict[str, Json], condition: dict[str, Json], resource: dict[str, Json]) -> Identity:
    """The condition on a resource is the alert; the incident's id is only one episode of it."""
    name = text_of(condition.get("name"))
    if not name:
        return ("gcp-incident/1", text_of(incident.get("incident_id")))
    return ("gcp/1", name, *(f"{key}\x1e{text_of(value)}" for key, value in sorted(resource.items())))


def _pushed(message: dict[str, Json]) -> dict[str, Json]:
    try:
        return mapping(load(base64.b64decode(text_of(message.get("data")), validate=True)))
    except ValueError:
        raise Unreadable("The Pub/Sub message’s “data” is not base64.") from None
