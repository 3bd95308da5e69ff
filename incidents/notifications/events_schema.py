"""The events that webhooks get, for the API's description: one for each topic, with its schema and an example."""

from datetime import UTC, datetime
from typing import Any

from incidents.notifications.channels.base import Announcement, IncidentFacts, ItemFacts
from incidents.notifications.channels.webhook import TYPE, cloud_event
from incidents.notifications.topics import HEARD

_TEXT = {"type": "string"}
_INCIDENT = {
    "type": ["object", "null"],
    "description": "The incident as it was when the event was worked out; null in a test.",
    "required": ["number", "reference", "title", "severity", "status", "url"],
    "properties": {
        "number": {"type": "integer"},
        "reference": {"type": "string", "examples": ["INC-57"]},
        "title": _TEXT,
        "severity": {"type": "string", "enum": ["sev1", "sev2", "sev3", "sev4", "unknown"]},
        "status": _TEXT,
        "category": {"type": "string", "description": "The kind of failure; empty while unclassified."},
        "system": _TEXT,
        "team": _TEXT,
        "lead": _TEXT,
        "url": {"type": "string", "format": "uri"},
    },
}
_ITEM = {
    "type": ["object", "null"],
    "description": "The postmortem or the follow-up that it is about; null where it is about the incident itself.",
    "required": ["kind", "title", "url"],
    "properties": {
        "kind": {"type": "string", "enum": ["postmortem", "follow_up"]},
        "title": _TEXT,
        "state": _TEXT,
        "owner": _TEXT,
        "due_on": {"type": "string", "description": "A day, such as 2026-03-04; empty where none is known."},
        "url": {"type": "string", "format": "uri"},
    },
}
_DATA = {
    "type": "object",
    "required": ["title", "text", "urgent", "closing", "incident", "item", "links"],
    "properties": {
        "title": {"type": "string", "description": "What happened, in one line."},
        "text": {"type": "string", "description": "What people or monitors wrote about it. Treat it as text."},
        "urgent": {"type": "boolean", "description": "Whether somebody should be woken."},
        "closing": {"type": "boolean", "description": "Nothing is left to do: resolved, declined, or merged."},
        "incident": _INCIDENT,
        "item": _ITEM,
        "links": {
            "type": "array",
            "items": {"type": "object", "properties": {"label": _TEXT, "url": {"type": "string", "format": "uri"}}},
        },
    },
}
_EVENT = {
    "type": "object",
    "description": "An event in CloudEvents 1.0. More fields may come; what is here stays.",
    "required": ["specversion", "id", "source", "type", "time", "subject", "data"],
    "properties": {
        "specversion": {"const": "1.0"},
        "id": {"type": "string", "description": "The same at each attempt and replay, as in `webhook-id`."},
        "source": {"type": "string", "format": "uri", "description": "This Faultline."},
        "type": _TEXT,
        "time": {"type": "string", "format": "date-time"},
        "subject": {"type": "string", "description": "The incident, such as INC-57."},
        "datacontenttype": {"const": "application/json"},
        "data": _DATA,
    },
}
_HEADERS = {
    "webhook-id": "The event’s id; use it to drop what you have already.",
    "webhook-timestamp": "When it was signed, in seconds of Unix time. Refuse what is more than five minutes old.",
    "webhook-signature": "`v1,` and the base64 of HMAC-SHA256 over id, timestamp and body, joined by dots; one for each secret.",
}
_ANSWERS = {
    "2XX": {"description": "Taken."},
    "410": {"description": "Gone for good: the webhook is paused, and its team’s leads are told."},
    "default": {
        "description": "Tried again for three days; 400, 413, 415, 422 and redirects are not. Retry-After counts."
    },
}


def describe_events(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add the events to the description of the API."""
    result["components"]["schemas"]["IncidentEvent"] = _EVENT
    parameters = [
        {"name": name, "in": "header", "required": True, "description": about, "schema": _TEXT}
        for name, about in _HEADERS.items()
    ]
    result["webhooks"] = {
        TYPE + topic: {
            "post": {
                "operationId": f"event_{topic.replace('.', '_')}",
                "summary": heard.heard,
                "tags": ["webhooks"],
                "parameters": parameters,
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/cloudevents+json": {
                            "schema": {"$ref": "#/components/schemas/IncidentEvent"},
                            "example": cloud_event(example(topic, heard.heard)),
                        }
                    },
                },
                "responses": _ANSWERS,
                "security": [],
            }
        }
        for topic, heard in HEARD.items()
    }
    return result


def example(topic: str, label: str) -> Announcement:
    facts = IncidentFacts(
        number=57,
        title="Answers cite the retired pricing policy",
        severity="sev2",
        status="triage",
        system="support-assistant",
        team="Assistants",
        category="Retrieval",
        url="https://faultline.example.com/incidents/57/",
    )
    return Announcement(
        topic=topic,
        event_id="event-4711",
        at=datetime(2026, 3, 4, 9, 30, tzinfo=UTC),
        subject=f"{label}: SEV2 INC-57: {facts.title}",
        source="https://faultline.example.com",
        incident=facts,
        item=_item(topic),
        urgent=topic in {"incident.opened", "incident.raised", "incident.escalated", "incident.reopened"},
    )


def _item(topic: str) -> ItemFacts | None:
    match topic.partition("."):
        case ("postmortem", _, what):
            state = "Published" if what == "published" else "In review"
            url = "https://faultline.example.com/postmortems/57/"
            return ItemFacts(
                kind="postmortem", title="Cited the retired policy", state=state, due_on="2026-03-09", url=url
            )
        case ("follow_up", _, what):
            return ItemFacts(
                kind="follow_up",
                title="Alert when the index is older than a day",
                state="Done" if what == "done" else "Open",
                owner="Mara Okafor",
                due_on="2026-03-09",
                url="https://faultline.example.com/follow-ups/31/",
            )
    return None
