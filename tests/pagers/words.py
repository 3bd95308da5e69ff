"""What pagers post, written for these tests in the shapes that their makers document."""

import hashlib
import hmac
import itertools
from datetime import datetime
from typing import Any

from django.utils import timezone

_ids = itertools.count(1)
KINDS = ["pagerduty", "opsgenie", "grafana_oncall"]


def acknowledged(kind: str, alias: str, **facts: Any) -> dict[str, Any]:
    match kind:
        case "pagerduty":
            return pagerduty("incident.acknowledged", alias, **facts)
        case "opsgenie":
            return opsgenie("Acknowledge", alias, **facts)
    return oncall("acknowledge", alias, **facts)


def pagerduty(
    event_type: str,
    alias: str | None,
    *,
    who: str | None = "Jo Doe",
    event_id: str = "",
    at: datetime | None = None,
    data: dict[str, Any] | None = None,
    **_: Any,
) -> dict[str, Any]:
    """A webhook of version 3: of people it has their id and name, never their address."""
    person = {"id": "PJODOE1", "type": "user_reference", "summary": who, "html_url": "https://acme.example/users/1"}
    program = {"id": "PSERVIC", "type": "service_reference", "summary": "Assistants"}
    incident = {
        "id": "QALERT1",
        "type": "incident",
        "html_url": "https://acme.example/incidents/QALERT1",
        "number": 2,
        "status": "acknowledged",
        "incident_key": alias,
        "created_at": "2026-11-30T10:00:00Z",
        "title": "Opened: SEV1 INC-9 somebody wrote INC-8",
        "service": {"id": "PSERVIC", "type": "service_reference", "summary": "Assistants"},
        "assignees": [person],
        "urgency": "high",
        "resolve_reason": None,
    }
    return {
        "event": {
            "id": event_id or f"01EVENT{next(_ids):06}",
            "event_type": event_type,
            "resource_type": "incident",
            "occurred_at": (at or timezone.now()).isoformat().replace("+00:00", "Z"),
            "agent": person if who else program,
            "client": None,
            "data": data or incident,
        }
    }


def opsgenie(
    action: str, alias: str, *, who: str | None = "jo.doe@elsewhere.example", source: str = "", **alert: Any
) -> dict[str, Any]:
    """The Webhook integration: `username` is the address of whoever did it, or the name of a program."""
    return {
        "source": {"name": source, "type": "web"},
        "alert": {
            "updatedAt": 1_796_000_000_000_000_000 + next(_ids),
            "tags": ["faultline"],
            "message": "Opened: SEV1",
            "username": who or "Alert API",
            "alertId": "052652ac-5d1c-464a-812a-7dd18bbfba8c",
            "source": "Faultline",
            "alias": alias,
            "tinyId": "23",
            "createdAt": 1_796_000_000_000,
            "userId": "daed1180-0ce8-438b-8f8e-57e1a5920a2d" if who else "",
            "entity": "",
        }
        | {name: value for name, value in alert.items() if name in {"note", "updatedAt"}},
        "action": action,
        "integrationId": "37c8f316-17c6-49d7-899b-9c7e540c048d",
        "integrationName": "Faultline",
    }


def oncall(event_type: str, alias: str, *, who: str | None = "jo.doe@elsewhere.example", **_: Any) -> dict[str, Any]:
    """An outgoing webhook that forwards everything; `alert_payload` is what we sent."""
    person = {"id": "UVMX6YI9VY9PV", "username": "jo.doe", "email": who}
    return {
        "event": {"type": event_type, "time": f"2026-11-30T21:59:21.{next(_ids):06}+00:00"},
        "user": person if who else None,
        "alert_group": {
            "id": "I6HNZGUFG4K11",
            "integration_id": "CZ7URAT4V3QF2",
            "alerts_count": 1,
            "state": "acknowledged",
            "title": "Opened: SEV1",
            "permalinks": {"slack": None, "web": "https://grafana.example/a/oncall/I6HNZGUFG4K11"},
        },
        "alert_group_id": "I6HNZGUFG4K11",
        "alert_payload": {"alert_uid": alias, "title": "Opened: SEV1", "state": "alerting"},
        "integration": {"id": "CZ7URAT4V3QF2", "type": "formatted_webhook", "name": "Faultline", "team": None},
        "notified_users": [],
        "users_to_be_notified": [],
    }


def signed(secret: str, body: bytes) -> str:
    return f"v1={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"
