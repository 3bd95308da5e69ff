"""What stakeholders are told of an incident, and when they hear again."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import models, transaction
from django.utils import timezone

from incidents.errors import Refused
from incidents.people.models import User
from incidents.response.events import Event
from incidents.response.incident import Incident
from incidents.response.vocabulary import IncidentKind, Severity, Status


class Cadence(models.Model):
    """How often stakeholders hear of an incident of this severity, in minutes; empty for never."""

    severity = models.CharField(max_length=8, choices=Severity, primary_key=True)
    minutes = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["severity"]
        verbose_name_plural = "cadences"

    def __str__(self) -> str:
        return f"{self.get_severity_display()}: {f'every {self.minutes} min' if self.minutes else 'never'}"

    @classmethod
    def by_severity(cls) -> dict[str, int | None]:
        return dict(cls.objects.values_list("severity", "minutes"))


def next_update_due(incident: Incident, cadences: Mapping[str, int | None]) -> datetime | None:
    """When stakeholders are owed the next update: as the last one promised, else by the cadence of the severity.

    None for what is over, waits in triage, is a test, or has no cadence.
    """
    if incident.status not in (Status.INVESTIGATING, Status.CONTAINED) or incident.kind != IncidentKind.REAL:
        return None
    if incident.next_update_at:
        return incident.next_update_at
    minutes = cadences.get(incident.severity)
    began = incident.last_update_at or incident.acknowledged_at or incident.declared_at
    return began + timedelta(minutes=minutes) if minutes else None


def usual_interval(incident: Incident, cadences: Mapping[str, int | None]) -> str:
    """Say how often stakeholders of such an incident hear of it, such as “every 30 min (SEV1)”."""
    minutes = cadences.get(incident.severity)
    severity = incident.get_severity_display()
    return f"every {minutes} min ({severity})" if minutes else f"no fixed time ({severity})"


class UpdateQuerySet(models.QuerySet["Update"]):
    def post(
        self, incident: Incident, *, text: str, by: User, impact: str = "", next_at: datetime | None = None
    ) -> "Update":
        """Say how it stands to everybody who follows it; `next_at` promises when they hear again."""
        text = text.strip()
        if not text:
            raise Refused("Say what stakeholders should know.")
        now = timezone.now()
        if next_at and next_at <= now:
            raise Refused("The next update cannot be due in the past.")
        with transaction.atomic():
            current = incident.locked()
            update = self.create(
                incident=incident,
                text=text,
                impact=impact.strip(),
                by=by,
                next_at=next_at,
                at=now,
                status=current.status,
                severity=current.severity,
            )
            Incident.objects.filter(pk=incident.pk).update(last_update_at=now, next_update_at=next_at)
            incident.record(
                Event.Kind.UPDATE,
                by=by,
                id=update.pk,
                text=text,
                impact=update.impact,
                status=current.status,
                severity=current.severity,
            )
        incident.refresh_from_db()
        return update


class Update(models.Model):
    """What stakeholders were told at one moment, and how the incident stood then."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="updates")
    text = models.TextField(max_length=5000)
    impact = models.TextField(max_length=1000, blank=True)
    status = models.CharField(max_length=16, choices=Status)
    severity = models.CharField(max_length=8, choices=Severity)
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    next_at = models.DateTimeField(null=True, blank=True)

    objects = UpdateQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["incident", "-at"], name="updates_by_incident")]

    def __str__(self) -> str:
        return self.text[:80]


def remind_of_updates() -> int:
    """Put on record, once, that an update is overdue; returns of how many incidents."""
    cadences, now, reminded = Cadence.by_severity(), timezone.now(), 0
    running = Incident.objects.filter(status__in=[Status.INVESTIGATING, Status.CONTAINED], kind=IncidentKind.REAL)
    for incident in running.order_by("pk").iterator():
        due = next_update_due(incident, cadences)
        if due and due < now and incident.reminded_at != due:
            reminded += _remind(incident, due)
    return reminded


def _remind(incident: Incident, due: datetime) -> bool:
    with transaction.atomic():
        not_yet = Incident.objects.filter(pk=incident.pk).exclude(reminded_at=due)
        if not not_yet.update(reminded_at=due):
            return False
        incident.record(Event.Kind.OVERDUE, by=None, due=due.isoformat())
    return True
