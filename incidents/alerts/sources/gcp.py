"""Google Cloud Monitoring (Vertex AI’s monitors notify through it) by webhook or in Pub/Sub’s envelope; and, by Pub/Sub
alone, the budgets of Cloud Billing.
"""

import base64
from collections.abc import Mapping

from incidents.alerts.bodies import Json, Unreadable, dig, first_text, load, mapping, payload, text_of
from incidents.alerts.claims import Claim, Identity, Statement, claim_from
from incidents.alerts.cleaning import number_of
from incidents.alerts.statuses import FIRING, NO_DATA, NOTICE, RESOLVED, MonitorStatus


def read(body: bytes, headers: Mapping[str, str]) -> list[Statement]:
    sent = mapping(payload(body, headers))
    envelope = mapping(sent.get("message"))
    if envelope and "incident" not in sent:
        sent = _pushed(envelope)
    if "budgetDisplayName" in sent:
        return [_budget(sent, text_of(dig(envelope, "attributes", "budgetId")))]
    incident = mapping(sent.get("incident"))
    if not incident:
        raise Unreadable("This is no Google Cloud Monitoring notification: it has no “incident”.")
    flags: list[str] = []
    condition = mapping(incident.get("condition"))
    resource, series = mapping(dig(incident, "resource", "labels")), mapping(dig(incident, "metric", "labels"))
    labels = {**series, **resource, **mapping(incident.get("policy_user_labels"))}
    identity, former = _identity(incident, condition, resource, series)
    return [
        claim_from(
            status=_status(incident, condition, flags=flags),
            title=(
                ": ".join(filter(None, map(text_of, (incident.get("policy_name"), incident.get("condition_name"))))),
            ),
            description=(incident.get("summary"), dig(incident, "documentation", "content")),
            identity=identity,
            former=former,
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


def _status(incident: dict[str, Json], condition: dict[str, Json], *, flags: list[str]) -> MonitorStatus:
    word = text_of(incident.get("state")).lower()
    if word == "closed":
        return RESOLVED
    if word != "open":
        flags.append("status_unknown")
    return NO_DATA if "conditionAbsent" in condition else FIRING


def _identity(
    incident: dict[str, Json], condition: dict[str, Json], resource: dict[str, Json], series: dict[str, Json]
) -> tuple[Identity, list[Identity]]:
    """The condition on one time series is the alert; the incident's id is only one episode of it."""
    name = text_of(condition.get("name"))
    if not name:
        return ("gcp-incident/1", text_of(incident.get("incident_id"))), []
    former: Identity = ("gcp/1", name, *_pairs(resource))
    return ("gcp/2", name, *_pairs(resource), *_pairs(series, "metric ")), [former]


def _pairs(labels: dict[str, Json], prefix: str = "") -> list[str]:
    return [f"{prefix}{key}\x1e{text_of(value)}" for key, value in sorted(labels.items())]


def _budget(sent: dict[str, Json], budget: str) -> Claim:
    """Read a budget of Cloud Billing, which tells its state several times a day, whether or not anything is reached."""
    name, currency = text_of(sent.get("budgetDisplayName")), text_of(sent.get("currencyCode"))
    reached = number_of(sent.get("alertThresholdExceeded"))
    foreseen = number_of(sent.get("forecastThresholdExceeded"))
    share = reached if reached is not None else foreseen
    if reached is not None and reached >= 1:
        status, title = FIRING, f"Budget {name} is exceeded"
    elif share is not None:
        will = "has reached" if reached is not None else "is going to reach"
        status, title = NOTICE, f"Budget {name} {will} {share:.0%}"
    else:
        status, title = RESOLVED, f"Budget {name}"
    return claim_from(
        status=status,
        title=(title,),
        identity=("gcp-budget/1", budget or name),
        names=("budget",),
        labels={"budget": name, "currency": currency},
        metric="budget",
        value=sent.get("costAmount"),
        threshold=sent.get("budgetAmount"),
        unit=currency,
        upstream_id=budget,
    )


def _pushed(message: dict[str, Json]) -> dict[str, Json]:
    try:
        return mapping(load(base64.b64decode(text_of(message.get("data")), validate=True)))
    except ValueError:
        raise Unreadable("The Pub/Sub message’s “data” is not base64.") from None
