"""What an Event says to destinations, whole: the facts of the incident as they are when it is worked out."""

from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from incidents.notifications.channels.base import Announcement, IncidentFacts, ItemFacts
from incidents.notifications.happened import SEVERE, came_back, headline, moved_to, raised_from, took, why
from incidents.response.events import Event
from incidents.response.incident import Incident
from incidents.response.vocabulary import ENDED, IncidentKind, Status

CLOSING = (*ENDED, Status.MERGED)
KINDS = (
    Event.Kind.OPENED,
    Event.Kind.SEVERITY,
    Event.Kind.ACKNOWLEDGED,
    Event.Kind.STATUS,
    Event.Kind.CONTAINMENT,
    Event.Kind.UPDATE,
    Event.Kind.LEAD,
    Event.Kind.FOLLOW_UP,
)


def of(event: Event) -> Announcement | None:
    """What is announced of an Event; None where it is nothing for others. Tests, and what was entered afterwards, are not."""
    incident, detail = event.incident, event.detail
    if incident.kind != IncidentKind.REAL or "imported" in detail:
        return None
    match event.kind:
        case Event.Kind.OPENED:
            return about(incident, "incident.opened", event, f"Opened: {headline(incident)}", incident.summary)
        case Event.Kind.SEVERITY:
            return _raised(event, incident)
        case Event.Kind.ACKNOWLEDGED | Event.Kind.STATUS | Event.Kind.CONTAINMENT:
            return _moved(event, incident)
        case Event.Kind.UPDATE:
            text = "\n\n".join(filter(None, (detail.get("text", ""), detail.get("impact", ""))))
            return about(incident, "incident.update", event, f"Update: {headline(incident)}", text)
        case Event.Kind.FOLLOW_UP if detail.get("became") == "done":
            return _done(event, incident)
        case Event.Kind.LEAD if incident.lead:
            return about(incident, "incident.lead", event, f"{incident.lead} leads {headline(incident)}")
    return None


def escalated(incident: Incident, *, minutes: int, at: datetime) -> Announcement:
    """That nobody took an incident in time."""
    subject = f"Nobody has acknowledged {headline(incident)} for {minutes} minutes"
    return _announcement(incident, "incident.escalated", f"escalation-{incident.pk}-{int(at.timestamp())}", at, subject)


def standing(incident: Incident, text: str = "") -> Announcement:
    """How an incident stands now, for whoever asks; nothing happened."""
    closing = incident.status in CLOSING
    key = f"incident-{incident.pk}"
    return _announcement(incident, "incident.status", key, timezone.now(), headline(incident), text, closing=closing)


def example(topic: str, *, event_id: str, at: datetime, closing: bool = False) -> Announcement:
    """What a test says. It is about no incident."""
    text = "This is a test of the channel. Nothing happened, and nobody has to do anything."
    return Announcement(
        topic=topic,
        event_id=event_id,
        at=at,
        subject="Test from Faultline",
        text=text,
        source=settings.BASE_URL,
        closing=closing,
        acts=(("Open Faultline", settings.BASE_URL + "/"),),
    )


def of_item(incident: Incident, topic: str, item: ItemFacts, *, key: str, subject: str, text: str = "") -> Announcement:
    """Something about a postmortem or a follow-up of an incident; `key` is the same whenever the same is told."""
    made = _announcement(incident, topic, key, timezone.now(), subject, text)
    return replace(made, item=item)


def _done(event: Event, incident: Incident) -> Announcement:
    title = event.detail["title"]
    url = settings.BASE_URL + reverse("follow-up", args=[event.detail["id"]])
    item = ItemFacts(kind="follow_up", title=title, url=url, state="Done", owner=event.detail.get("owner", ""))
    by = f" by {event.by}" if event.by else ""
    return replace(about(incident, "follow_up.done", event, f"Done{by}: {title} ({incident})"), item=item)


def _raised(event: Event, incident: Incident) -> Announcement | None:
    was = raised_from(event)
    if was is None:
        return None
    return about(
        incident,
        "incident.raised",
        event,
        f"Raised to {headline(incident)}",
        f"It was {was.label}. {why(event)}".strip(),
    )


def _moved(event: Event, incident: Incident) -> Announcement | None:
    became = moved_to(event)
    if became is None:
        return None
    topic, verb = "incident.status", became.label
    if event.kind == Event.Kind.ACKNOWLEDGED:
        topic, verb = "incident.acknowledged", " ".join(filter(None, ("Acknowledged", took(event))))
    elif came_back(event):
        topic, verb = "incident.reopened", "Open again"
    closing = became in CLOSING
    return about(incident, topic, event, f"{verb}: {headline(incident)}", why(event), closing=closing)


def about(
    incident: Incident, topic: str, event: Event, subject: str, text: str = "", *, closing: bool = False
) -> Announcement:
    return _announcement(incident, topic, f"event-{event.pk}", event.at, subject, text, closing=closing)


def _announcement(
    incident: Incident,
    topic: str,
    event_id: str,
    at: datetime,
    subject: str,
    text: str = "",
    *,
    closing: bool = False,
) -> Announcement:
    severe = incident.severity in SEVERE
    return Announcement(
        topic=topic,
        event_id=event_id,
        at=at,
        subject=subject,
        text=text,
        source=settings.BASE_URL,
        incident=facts(incident),
        urgent=severe and topic in {"incident.opened", "incident.raised", "incident.escalated", "incident.reopened"},
        closing=closing,
    )


def facts(incident: Incident) -> IncidentFacts:
    return IncidentFacts(
        number=incident.number,
        title=incident.title,
        severity=incident.severity,
        status=incident.status,
        system=incident.system.name if incident.system else "",
        team=incident.team.name if incident.team else "",
        lead=str(incident.lead) if incident.lead else "",
        category=incident.category_name if incident.category else "",
        url=settings.BASE_URL + reverse("incident", args=[incident.number]),
    )


def to_json(announcement: Announcement) -> dict[str, Any]:
    return asdict(announcement) | {"at": announcement.at.isoformat()}


def from_json(value: dict[str, Any]) -> Announcement:
    known = IncidentFacts(**value["incident"]) if value["incident"] else None
    acts = tuple((label, url) for label, url in value["acts"])
    at = datetime.fromisoformat(value["at"])
    item = ItemFacts(**value["item"]) if value.get("item") else None
    return Announcement(**value | {"incident": known, "item": item, "acts": acts, "at": at})
