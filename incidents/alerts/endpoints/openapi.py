"""The endpoints for monitors, as the API’s description shows them. They are no views of REST framework."""

from typing import Any

_TOKEN = {
    "name": "token",
    "in": "path",
    "required": True,
    "schema": {"type": "string"},
    "description": "The source’s token.",
}
_PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
_TEXT = {"type": "string"}
_MEANINGS = {
    "400": "Empty or not JSON. What is not JSON is kept, and shown with the source.",
    "401": "No source’s token, or not signed as its source wants.",
    "404": "No source has this address.",
    "410": "The source was retired; its monitor should stop sending.",
    "413": "More bytes or alerts than the source takes at once.",
    "503": "It cannot be taken now; send it again after `Retry-After` seconds.",
}


def _body(schema: dict[str, Any], *, required: bool = True, media: str = "application/json") -> dict[str, Any]:
    return {"required": required, "content": {media: {"schema": schema}}}


def _endpoint(
    name: str,
    summary: str,
    *,
    body: dict[str, Any],
    answers: dict[str, str],
    parameters: list[dict[str, Any]] | None = None,
    security: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    responses = {status: {"description": text} for status, text in answers.items()}
    problems = {
        status: {"description": text, "content": _PROBLEM}
        for status, text in _MEANINGS.items()
        if status not in answers
    }
    return {
        "post": {
            "operationId": name,
            "summary": summary,
            "tags": ["doors"],
            "parameters": parameters or [],
            "requestBody": body,
            "responses": responses | problems,
            "security": security or [],
        }
    }


_ANY = {"oneOf": [{"type": "object"}, {"type": "array", "items": {}}]}
_LABELS = {"type": "object", "additionalProperties": _TEXT}
_ALERTS = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["labels"],
        "properties": {
            "labels": _LABELS,
            "annotations": _LABELS,
            "generatorURL": _TEXT,
            "startsAt": {"type": "string", "format": "date-time"},
            "endsAt": {"type": "string", "format": "date-time"},
        },
    },
}
_EVENT = {
    "type": "object",
    "required": ["routing_key", "event_action"],
    "properties": {
        "routing_key": {"type": "string", "description": "The source’s token, 32 characters."},
        "event_action": {"enum": ["trigger", "acknowledge", "resolve"]},
        "dedup_key": {"type": "string", "maxLength": 255},
        "payload": {
            "type": "object",
            "required": ["summary", "source", "severity"],
            "properties": {
                "summary": _TEXT,
                "source": _TEXT,
                "severity": {"enum": ["critical", "error", "warning", "info"]},
                "timestamp": {"type": "string", "format": "date-time"},
                "component": _TEXT,
                "class": _TEXT,
                "custom_details": {},
            },
        },
    },
}
_CHANGE = {
    "type": "object",
    "required": ["routing_key", "payload"],
    "properties": {
        "routing_key": _TEXT,
        "payload": {"type": "object", "required": ["summary"], "properties": {"summary": _TEXT, "source": _TEXT}},
    },
}
_ALIAS = {"name": "alias", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
_GENIE: list[dict[str, Any]] = [{"GenieKey": []}]
_OPSGENIE = {
    "type": "object",
    "required": ["message"],
    "properties": {"message": _TEXT, "alias": _TEXT, "priority": _TEXT, "details": {}},
}
_ACCEPTED = {"202": "Stored, and processed soon after."}
_PAGERDUTY = {
    **_ACCEPTED,
    "400": "Not a valid event; `errors` says why.",
    "429": "Too many; again after `Retry-After` seconds.",
}

PATHS: dict[str, Any] = {
    "/ingest/{token}": _endpoint(
        "ingest",
        "Deliver what a monitor sends, in its own format",
        body=_body(_ANY),
        parameters=[_TOKEN],
        answers={
            "200": "Stored; the answer says where its outcome is.",
            "405": "This kind of source does not take that method.",
            "415": "CloudEvents only: not one of its modes.",
        },
    ),
    "/ingest/{token}/api/v2/alerts": _endpoint(
        "alertmanager_alerts",
        "Alertmanager’s API v2",
        body=_body(_ALERTS),
        parameters=[_TOKEN],
        answers={"200": "Stored.", "415": "Not application/json."},
    ),
    "/v2/enqueue": _endpoint("pagerduty_enqueue", "PagerDuty’s Events API v2", body=_body(_EVENT), answers=_PAGERDUTY),
    "/v2/change/enqueue": _endpoint(
        "pagerduty_change", "PagerDuty’s change events", body=_body(_CHANGE), answers=_PAGERDUTY
    ),
    "/v2/alerts": _endpoint(
        "opsgenie_create",
        "Opsgenie’s Alert API: create",
        body=_body(_OPSGENIE),
        security=_GENIE,
        answers={**_ACCEPTED, "422": "Without a message."},
    ),
    "/v2/alerts/{alias}/close": _endpoint(
        "opsgenie_close",
        "Opsgenie’s Alert API: close",
        body=_body({"type": "object"}, required=False),
        parameters=[_ALIAS],
        security=_GENIE,
        answers=_ACCEPTED,
    ),
    "/v2/alerts/{alias}/acknowledge": _endpoint(
        "opsgenie_acknowledge",
        "Opsgenie’s Alert API: acknowledge",
        body=_body({"type": "object"}, required=False),
        parameters=[_ALIAS],
        security=_GENIE,
        answers=_ACCEPTED,
    ),
}


def describe_endpoints(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    result["paths"] |= PATHS
    scheme = {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "GenieKey and the source’s token",
    }
    result["components"].setdefault("securitySchemes", {})["GenieKey"] = scheme
    return result
