"""The timeline: a story that people curate, over a log that nobody can change."""

from datetime import datetime
from typing import Any

from django.db import models, transaction
from django.db.models.functions import Coalesce
from django.utils import timezone

from incidents.errors import Refused
from incidents.people.models import User
from incidents.response.events import Event
from incidents.response.incident import Incident

# What tells the story by itself; the rest is in the log, and in the story where somebody picked it.
_K = Event.Kind
TELLING = tuple(
    _K(code)
    for code in """
    opened acknowledged status severity classified note containment merged alert_linked worse_alert alerts_cleared update
    overdue handover lead role place attachment link postmortem impact
    """.split()
)
VIEWS: dict[str, tuple[str, tuple[Event.Kind, ...] | None]] = {
    "story": ("Story", TELLING),
    "updates": ("Updates", (_K.UPDATE, _K.OVERDUE, _K.PUBLIC)),
    "notes": ("Notes", (_K.NOTE, _K.ATTACHMENT)),
    "alerts": ("Alerts", (_K.ALERT_LINKED, _K.WORSE_ALERT, _K.ALERTS_CLEARED)),
    "pinned": ("Pinned", None),
    "log": ("Whole log", None),
}
A_SCREEN = 60


class Marker(models.TextChoices):
    """What an entry meant for the course of things."""

    NONE = "", "No marker"
    DETECTION = "detection", "Detection"
    DIAGNOSIS = "diagnosis", "Diagnosis"
    REPAIR = "repair", "Repair"
    KEY = "key", "Key moment"
    DEAD_END = "dead_end", "Dead end"


class Curation(models.Model):
    """What people made of one Event for the story: its words, its time, its weight. The Event itself stays as it was."""

    event = models.OneToOneField(Event, on_delete=models.CASCADE, related_name="curation")
    text = models.TextField(max_length=5000, blank=True)
    at = models.DateTimeField(null=True, blank=True)
    pinned = models.BooleanField(default=False)
    hidden = models.BooleanField(default=False)
    marker = models.CharField(max_length=12, choices=Marker, blank=True, default=Marker.NONE)
    evidence_url = models.URLField(max_length=2000, blank=True)
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    changed_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"curation of {self.event}"


_UNTOUCHED = Curation()


def curation_of(event: Event) -> Curation:
    """What people made of an Event; a blank one, for reading only, where nobody made anything of it.

    A template that asked for what is not there would pay for a failed lookup each time, in every row of the timeline.
    """
    curation: Curation = getattr(event, "curation", _UNTOUCHED)
    return curation


def curate(event: Event, *, by: User, **changes: Any) -> None:
    """Change how an Event is told. What is not given stays; the log says what was changed."""
    at: datetime | None = changes.get("at")
    if at and at > timezone.now():
        raise Refused("An entry cannot lie in the future.")
    incident = event.incident
    with transaction.atomic():
        incident.locked()
        curation, _ = Curation.objects.get_or_create(event=event, defaults={"by": by})
        was = {name: getattr(curation, name) for name in changes}
        changed = [name for name, value in changes.items() if was[name] != value]
        if changed:
            Curation.objects.filter(pk=curation.pk).update(**changes, by=by, changed_at=timezone.now())
            values = {
                name: value.isoformat() if isinstance(value, datetime) else value for name, value in changes.items()
            }
            incident.record(_K.CURATED, by=by, event=event.pk, became={name: values[name] for name in changed})


def entries(
    incident: Incident, *, show: str = "story", order: str = "newest", most: int = A_SCREEN
) -> tuple[list[Event], int]:
    """The newest `most` entries of one view, and how many there are in all: the newest first, or the oldest."""
    events = _in_view(incident.events.all(), show)
    with_people = events.select_related("by", "note", "note__author", "curation")
    if show == "log":
        ordered = with_people.order_by("-at", "-pk")
    else:
        ordered = with_people.annotate(told_at=Coalesce("curation__at", "at")).order_by("-told_at", "-pk")
    newest = list(ordered[:most])
    count = len(newest) if len(newest) < most else events.count()
    return (newest[::-1] if order == "oldest" else newest), count


def for_postmortem(incident: Incident, *, most: int) -> list[Event]:
    """What of the story a postmortem begins with, oldest first: what people picked, and what was done, written and told."""
    picked = models.Q(curation__pinned=True) | ~models.Q(curation__marker="") & models.Q(curation__isnull=False)
    kinds = models.Q(kind__in=[_K.CONTAINMENT, _K.NOTE, _K.UPDATE])
    events = incident.events.filter(picked | kinds).exclude(curation__hidden=True)
    ordered = events.select_related("by", "note", "curation").annotate(told_at=Coalesce("curation__at", "at"))
    return list(ordered.order_by("told_at", "pk")[:most])


def _in_view(events: models.QuerySet[Event], show: str) -> models.QuerySet[Event]:
    pinned = models.Q(curation__pinned=True)
    if show == "log":
        return events
    if show == "pinned":
        return events.filter(pinned)
    kinds = VIEWS[show][1] or ()
    picked = models.Q(kind__in=kinds) | (pinned if show == "story" else models.Q())
    # A lead who accepted a hand-over is told of by that, with what was handed over.
    accepted = models.Q(kind=_K.LEAD, detail__by_handover=True)
    return events.filter(picked).exclude(curation__hidden=True).exclude(accepted & ~pinned)
