"""The evidence drawer: lines of the record, as Markdown with their source, ready to be put into a text."""

from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse
from django.utils import timezone

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
class Line:
    """One thing that can be put in: what is shown, and what is written."""

    text: str
    url: str
    markdown: str


def lines(incidents: list[Incident], about: str, *, user: User) -> list[Line]:
    """The lines of one kind about these incidents that this person may see."""
    gather = {"timeline": _timeline, "alerts": _alerts, "changes": _changes, "files": _files}.get(about)
    if gather is None:
        return _similar(incidents, user)
    return [line for incident in incidents for line in gather(incident)][:MOST]


def _line(text: str, url: str, source: str) -> Line:
    text = " ".join(text.split())[:300]
    plain = text.replace("[", "(").replace("]", ")")
    return Line(text, url, f"- {plain} ([{source}]({url}))")


def _timeline(incident: Incident) -> list[Line]:
    url = incident.get_absolute_url()
    told = []
    for event in story.for_postmortem(incident, most=MOST):
        fact = event_fact(event, url)
        told.append(_line(f"{fact.label} {fact.text}", fact.url, f"{incident} timeline"))
    return told


def _alerts(incident: Incident) -> list[Line]:
    rows = incident.alerts.order_by("first_received_at").select_related("source")[:MOST]
    return [
        _line(f"{_utc(row.first_received_at)} {row.title} ({row.source}, {row.get_status_display().lower()})", row.get_absolute_url(), "alert")
        for row in rows
    ]  # fmt: skip


def _changes(incident: Incident) -> list[Line]:
    return [
        _line(f"{_utc(row.happened_at)} {row.get_kind_display()}: {row.title} ({row.system})", row.url or row.system.get_absolute_url(), "change")
        for row in incident.changes_before()
    ]  # fmt: skip


def _files(incident: Incident) -> list[Line]:
    attachments = incident.attachments.defer("content").order_by("pk")
    return [Line(attachment.name, _address(attachment), as_link(attachment)) for attachment in attachments]


def as_link(attachment: Attachment) -> str:
    """The Markdown that shows a picture, or links to another file."""
    name = attachment.name.replace("[", "(").replace("]", ")")
    return f"{'!' if attachment.is_picture else ''}[{name}]({_address(attachment)})"


def _address(attachment: Attachment) -> str:
    return reverse("attachment", args=[attachment.incident.number, attachment.pk])


def _similar(incidents: list[Incident], user: User) -> list[Line]:
    told, but = [], [incident.pk for incident in incidents]
    for incident in incidents:
        found = similar(
            user=user, title=incident.title, system=incident.system, category=incident.category,
            failure_mode=incident.failure_mode, but=but,
        )  # fmt: skip
        told += [
            Line(f"{one.incident} {one.incident.title} ({', '.join(one.because)})", one.incident.get_absolute_url(),
                 f"- {one.incident}: {', '.join(one.because)}")
            for one in found
        ]  # fmt: skip
    return told


def _utc(moment: datetime) -> str:
    return timezone.localtime(moment, timezone.get_default_timezone()).strftime("%Y-%m-%d %H:%M UTC")
