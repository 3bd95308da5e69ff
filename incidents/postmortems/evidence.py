"""The evidence drawer: lines of the record, as Markdown with their source, ready to be inserted into a text."""

from dataclasses import dataclass
from datetime import UTC, datetime

from django.urls import reverse

from incidents.people.models import User
from incidents.postmortems.facts import event_fact
from incidents.response import story
from incidents.response.attachments import Attachment
from incidents.response.incident import Incident
from incidents.response.likeness import similar

MOST = 60
KINDS = {
    "timeline": "Timeline",
    "alerts": "Alerts",
    "changes": "Changes",
    "files": "Files",
    "similar": "Similar",
}


@dataclass(frozen=True, slots=True)
class EvidenceLine:
    """One thing that can be inserted: what is shown, and what is written."""

    text: str
    url: str
    markdown: str


def lines(incidents: list[Incident], about: str, *, user: User) -> list[EvidenceLine]:
    """The lines of one kind about these incidents that this person may see."""
    gather = {"timeline": _timeline, "alerts": _alerts, "changes": _changes, "files": _files}.get(about)
    if gather is None:
        return _similar(incidents, user)
    return [line for incident in incidents for line in gather(incident)][:MOST]


def _line(text: str, url: str, source: str) -> EvidenceLine:
    text = " ".join(text.split())[:300]
    plain = text.replace("[", "(").replace("]", ")")
    return EvidenceLine(text, url, f"- {plain} ([{source}]({url}))")


def _timeline(incident: Incident) -> list[EvidenceLine]:
    facts = [event_fact(event, incident) for event in story.for_postmortem(incident, most=MOST)]
    return [_line(f"{fact.label} {fact.text}", fact.url, f"{incident} timeline") for fact in facts]


def _alerts(incident: Incident) -> list[EvidenceLine]:
    lines = []
    for alert in incident.alerts.order_by("first_received_at").select_related("source")[:MOST]:
        about = f"{alert.source}, {alert.get_status_display().lower()}"
        text = f"{_utc(alert.first_received_at)} {alert.title} ({about})"
        lines.append(_line(text, alert.get_absolute_url(), "alert"))
    return lines


def _changes(incident: Incident) -> list[EvidenceLine]:
    lines = []
    for change in incident.changes_before():
        text = f"{_utc(change.happened_at)} {change.get_kind_display()}: {change.title} ({change.system})"
        lines.append(_line(text, change.url or change.system.get_absolute_url(), "change"))
    return lines


def _files(incident: Incident) -> list[EvidenceLine]:
    attachments = incident.attachments.defer("content").order_by("pk")
    return [EvidenceLine(attachment.name, _address(attachment), as_link(attachment)) for attachment in attachments]


def as_link(attachment: Attachment) -> str:
    """The Markdown that shows a picture, or links to another file."""
    name = attachment.name.replace("[", "(").replace("]", ")")
    return f"{'!' if attachment.is_picture else ''}[{name}]({_address(attachment)})"


def _address(attachment: Attachment) -> str:
    return reverse("attachment", args=[attachment.incident.number, attachment.pk])


def _similar(incidents: list[Incident], user: User) -> list[EvidenceLine]:
    lines, but = [], [incident.pk for incident in incidents]
    for incident in incidents:
        likenesses = similar(
            user=user,
            title=incident.title,
            system=incident.system,
            category=incident.category,
            failure_mode=incident.failure_mode,
            but=but,
        )
        for likeness in likenesses:
            other, because = likeness.incident, ", ".join(likeness.because)
            text = f"{other} {other.title} ({because})"
            lines.append(EvidenceLine(text, other.get_absolute_url(), f"- {other}: {because}"))
    return lines


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
