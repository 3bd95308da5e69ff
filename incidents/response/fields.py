"""What is on record of an incident: its columns, and what follows from them alone."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import models
from django.urls import reverse
from django.utils import timezone

from incidents import taxonomy
from incidents.people.models import Role, Team, User
from incidents.people.permissions import has_role
from incidents.response.containments import Containment
from incidents.response.events import Event, Note
from incidents.response.vocabulary import (
    LONGEST_CHANNEL,
    LONGEST_URL,
    OPEN,
    ImpactMethod,
    IncidentKind,
    NoticedBy,
    Severity,
    Status,
)
from incidents.systems.models import Change, System

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager


class IncidentFields(models.Model):
    """The columns of an incident, below its verbs (`verbs/`); the model itself is `incident.Incident`."""

    # What Django adds to Incident itself, said here for the verbs.
    objects: Any
    events: "RelatedManager[Event]"
    notes: "RelatedManager[Note]"
    containments: "RelatedManager[Containment]"

    number = models.PositiveIntegerField(unique=True)
    title = models.CharField(max_length=200)
    summary = models.TextField(blank=True, max_length=20_000)
    status = models.CharField(max_length=16, choices=Status, default=Status.TRIAGE)
    severity = models.CharField(max_length=8, choices=Severity, default=Severity.UNKNOWN)
    kind = models.CharField(max_length=12, choices=IncidentKind, default=IncidentKind.REAL)
    system = models.ForeignKey(System, on_delete=models.PROTECT, null=True, blank=True, related_name="incidents")
    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, blank=True, related_name="incidents")
    category = models.CharField(max_length=32, blank=True)
    failure_mode = models.CharField(max_length=64, blank=True)
    classified_because = models.CharField(max_length=500, blank=True)
    lead = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="led_incidents")
    opened_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    # Where people work on it: a video call, and a channel of their chat, by its name, its address or both.
    call_url = models.URLField(max_length=LONGEST_URL, blank=True, default="", db_default="")
    channel_name = models.CharField(max_length=LONGEST_CHANNEL, blank=True, default="", db_default="")
    channel_url = models.URLField(max_length=LONGEST_URL, blank=True, default="", db_default="")
    noticed_by = models.CharField(max_length=12, choices=NoticedBy, blank=True, default=NoticedBy.UNKNOWN)
    private = models.BooleanField(default=False)
    people = models.ManyToManyField(User, blank=True, related_name="private_incidents")
    merged_into = models.ForeignKey(
        "incidents.Incident", on_delete=models.PROTECT, null=True, blank=True, related_name="merged"
    )
    correlation_key = models.CharField(max_length=300, null=True, blank=True)  # noqa: DJ001 - only NULLs may repeat

    # Where only a range is known, this is its earliest moment and `impact_started_until` its latest.
    impact_started_at = models.DateTimeField(null=True, blank=True)
    impact_started_until = models.DateTimeField(null=True, blank=True)
    impact_method = models.CharField(max_length=12, choices=ImpactMethod, blank=True, default=ImpactMethod.UNKNOWN)
    detected_at = models.DateTimeField(null=True, blank=True)
    declared_at = models.DateTimeField(default=timezone.now)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    contained_at = models.DateTimeField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    changed_at = models.DateTimeField(default=timezone.now)
    last_update_at = models.DateTimeField(null=True, blank=True)  # of the last status update
    next_update_at = models.DateTimeField(null=True, blank=True)  # as that one promised; else the cadence says it
    reminded_at = models.DateTimeField(null=True, blank=True)  # the due time that a reminder was sent for

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"INC-{self.number}"

    def get_absolute_url(self) -> str:
        return reverse("incident", args=[self.number])

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def unknown_clocks(self) -> list[str]:
        """The clocks that must have had a time and of which nobody knows it; those that are still to come are not among them."""
        passed = ["impact_started_at", "detected_at"]
        if self.status in (Status.INVESTIGATING, Status.CONTAINED, Status.RESOLVED, Status.CLOSED):
            passed.append("acknowledged_at")
        if self.status in (Status.CONTAINED, Status.RESOLVED, Status.CLOSED):
            passed.append("contained_at")
        return [name for name in passed if getattr(self, name) is None]

    @property
    def contained_doubt(self) -> str:
        """What speaks against believing that a contained incident is; "" where nothing does. Reads its containments."""
        return Containment.doubt(self.containments.all()) if self.status == Status.CONTAINED else ""

    @property
    def silence(self) -> timedelta | None:
        """How long the output was wrong before anybody noticed; None while either end is unknown.

        Where the start is a range, this is the longest that it can have been.
        """
        if self.impact_started_at is None or self.detected_at is None:
            return None
        return self.detected_at - self.impact_started_at

    @property
    def shortest_silence(self) -> timedelta | None:
        """The least that the silence can have been, where the start is a range; else None."""
        if self.impact_started_until is None or self.detected_at is None:
            return None
        return max(self.detected_at - self.impact_started_until, timedelta())

    def is_changeable_by(self, user: User) -> bool:
        """Whether somebody may change it: its lead, and responders of its team."""
        return self.lead_id == user.pk or has_role(user, Role.RESPONDER, team=self.team)

    @property
    def began_by(self) -> datetime:
        """The latest moment by which it had begun: the end of the range of its impact start, else that start, else when it
        was detected or declared. What was changed up to then may have caused it."""
        return self.impact_started_until or self.impact_started_at or self.detected_at or self.declared_at

    def changes_before(self) -> list[Change]:
        """What was altered in its system, and in what that depends on, in the two weeks before it began: the nearest ten."""
        return list(Change.objects.before(self.began_by, self.system)[:10]) if self.system else []

    @property
    def channel(self) -> str:
        """The name of its channel, or the word where only its address is known; empty where neither is."""
        return self.channel_name or ("channel" if self.channel_url else "")

    @property
    def category_name(self) -> str:
        return taxonomy.category(self.category).name
