"""Soda Cloud: evaluated checks and Soda's own incidents. Its set-up handshake is answered and opens nothing."""

from collections.abc import Mapping

from incidents.alerts.bodies import Json, Unreadable, dig, first_text, items, mapping, payload, text_of
from incidents.alerts.claims import Claim, Handshake, Statement, claim_from
from incidents.alerts.cleaning import tags_of
from incidents.alerts.statuses import CHECK_FAILED, FIRING, RESOLVED, MonitorStatus

_OUTCOMES: dict[str, tuple[MonitorStatus, str]] = {
    "pass": (RESOLVED, "info"),
    "warn": (FIRING, "medium"),
    "fail": (FIRING, "high"),
    "error": (CHECK_FAILED, "medium"),
    "notevaluated": (CHECK_FAILED, "medium"),
}


def read(body: bytes, headers: Mapping[str, str]) -> list[Statement]:
    sent = mapping(payload(body, headers))
    match text_of(sent.get("event")):
        case "checkEvaluation":
            return [_check(mapping(check)) for check in items(sent.get("checkResults"))]
        case "incidentCreated" | "incidentUpdated":
            return [_incident(mapping(sent.get("incident")))]
        case "":
            raise Unreadable("This is no Soda Cloud webhook: it has no “event”.")
        case "validate":
            return [Handshake(reason="Soda tried the webhook.")]
        case event:
            return [Handshake(reason=f"Soda tells of “{event}”, which is no alert.")]


def _check(check: dict[str, Json]) -> Claim:
    word = text_of(check.get("outcome")).lower().replace("_", "")
    status, severity = _OUTCOMES.get(word, (FIRING, "medium"))
    dataset = first_text(dig(check, "datasets", 0, "name"), dig(check, "dataset", "name"))
    definition = text_of(check.get("definition"))
    title = first_text(check.get("name"), definition.partition("\n")[2].strip(), definition)
    return claim_from(
        status=status,
        title=(f"{dataset}: {title}" if dataset else title,),
        description=(definition,),
        identity=("soda/1", text_of(check.get("id")))
        if check.get("id")
        else ("soda-definition/1", dataset, definition),
        severity=severity,
        service=dataset,
        names=(title, definition),
        labels={"dataset": dataset, "column": check.get("column"), **tags_of(dig(check, "datasets", 0, "attributes"))},
        metric=title,
        value=dig(check, "diagnostics", "value"),
        starts_at=check.get("dataTimestamp") if status.says != "resolved" else None,
        ends_at=check.get("dataTimestamp") if status.says == "resolved" else None,
        links=(("source", check.get("sodaCloudUrl")),),
        upstream_id=check.get("id"),
        flags=() if word in _OUTCOMES else ("status_unknown",),
    )


def _incident(incident: dict[str, Json]) -> Claim:
    status = text_of(incident.get("status")).lower()
    return claim_from(
        status=RESOLVED if status in {"resolved", "closed"} else FIRING,
        title=(incident.get("title"), f"Soda incident {text_of(incident.get('number'))}"),
        description=(incident.get("description"), incident.get("resolutionNotes")),
        identity=("soda-incident/1", text_of(incident.get("id"))),
        severity=incident.get("severity"),
        names=(incident.get("title"),),
        starts_at=incident.get("createdTimestamp"),
        links=(("ticket", incident.get("sodaCloudUrl")),),
        upstream_id=incident.get("number"),
    )
