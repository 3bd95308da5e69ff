"""What happens while nobody acknowledges a severe incident: it climbs from rung to rung, and never ends in silence."""

from datetime import datetime, timedelta
from typing import ClassVar

from django.db import models, transaction
from django.utils import timezone

from incidents.errors import Refused
from incidents.notifications import announced, audience, meaning
from incidents.notifications.happened import SEVERE, headline
from incidents.notifications.messages import Notification
from incidents.notifications.transmissions import Transmission
from incidents.people.models import User
from incidents.response.events import Event
from incidents.response.incident import Incident
from incidents.response.vocabulary import Severity, Status
from incidents.systems.models import System

# Minutes until the next rung: the worse it is, and the more depends on the system, the sooner.
_PATIENCE: dict[tuple[str, int | None], int] = {
    (Severity.SEV1, System.Tier.CRITICAL): 5,
    (Severity.SEV1, None): 10,
    (Severity.SEV2, System.Tier.CRITICAL): 10,
}
_OTHERWISE = 20
LONGEST_SNOOZE = timedelta(hours=8)


class Escalation(models.Model):
    """The ladder of one incident that waits to be acknowledged. `next_at` is empty once it ended."""

    incident = models.OneToOneField(Incident, on_delete=models.CASCADE, primary_key=True, related_name="escalation")
    rung = models.PositiveSmallIntegerField(default=0)  # the highest that was told
    repeats = models.PositiveIntegerField(default=0)  # how often the last rung was told again
    started_at = models.DateTimeField(default=timezone.now)
    next_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    snoozed_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(next_at__isnull=False, ended_at=None)
                | models.Q(next_at=None, ended_at__isnull=False),
                name="escalations_run_or_ended",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["next_at"], condition=models.Q(next_at__isnull=False), name="escalations_due"),
        ]

    def __str__(self) -> str:
        return f"Escalation of {self.incident}"

    @property
    def next_rung(self) -> str:
        """Who is told next, in words."""
        return audience.RUNGS[min(self.rung + 1, len(audience.RUNGS) - 1)]


def patience(incident: Incident) -> timedelta:
    """How long a rung has before the next is told: 5, 10 or 20 minutes, by severity and tier."""
    severity, tier = incident.severity, incident.system.tier if incident.system else None
    minutes = _PATIENCE.get((severity, tier)) or _PATIENCE.get((severity, None), _OTHERWISE)
    return timedelta(minutes=minutes)


def waits(incident: Incident) -> bool:
    """Whether somebody has to acknowledge it: severe, real, and still in triage."""
    return incident.status == Status.TRIAGE and incident.severity in SEVERE and meaning.counts(incident)


def follow(event: Event) -> None:
    """Begin the ladder of what waits for somebody, and end it once nobody needs to be called any more."""
    incident = event.incident
    if not waits(incident):
        end(incident)
    elif event.kind in (Event.Kind.OPENED, Event.Kind.SEVERITY, Event.Kind.STATUS):
        _begin(incident, at=event.at)


def _begin(incident: Incident, *, at: datetime) -> None:
    number, _ = audience.first_told(incident, at=at)
    due = at + patience(incident)
    row, new = Escalation.objects.get_or_create(
        pk=incident.pk, defaults={"next_at": due, "started_at": at, "rung": number}
    )
    if new:
        return
    if row.ended_at:
        again = {"started_at": at, "next_at": due, "ended_at": None, "rung": number, "repeats": 0}
        Escalation.objects.filter(pk=incident.pk).update(**again)
    else:  # it became more severe: nobody is told later than they would have been
        Escalation.objects.filter(pk=incident.pk, next_at__gt=due).update(next_at=due)


def hurry(incident: Incident) -> None:
    """Call the next rung at once: the pager that stands on the first one could not be told."""
    first = Escalation.objects.filter(pk=incident.pk, ended_at=None, rung=0)
    first.filter(next_at__gt=timezone.now()).update(next_at=timezone.now())


def end(incident: Incident) -> None:
    Escalation.objects.filter(pk=incident.pk, ended_at=None).update(next_at=None, ended_at=timezone.now())


def snooze(incident: Incident, *, by: User, minutes: int) -> None:
    """Call nobody else for a while: somebody looks, and did not take it yet. Raises Refused where nothing climbs."""
    pause = timedelta(minutes=minutes)
    if not timedelta(0) < pause <= LONGEST_SNOOZE:
        raise Refused("Choose between a minute and eight hours.")
    running = Escalation.objects.filter(pk=incident.pk, ended_at=None)
    with transaction.atomic():
        if not running.update(next_at=timezone.now() + pause, snoozed_by=by):
            raise Refused(f"Nobody is being called for {incident} any more.")
        incident.record(Event.Kind.SNOOZED, by=by, minutes=minutes)


def climb(*, most: int = 100) -> int:
    """Tell the next rung of whatever nobody acknowledged in time; returns of how many. Safe to run anywhere, at any time."""
    climbed = 0
    for _ in range(most):
        with transaction.atomic():
            due = Escalation.objects.filter(next_at__lte=timezone.now()).order_by("next_at")
            row = due.select_for_update(skip_locked=True, of=("self",)).select_related("incident").first()
            if row is None:
                break
            climbed += _climb(row)
    return climbed


def _climb(row: Escalation) -> bool:
    incident, now = row.incident, timezone.now()
    if not waits(incident):
        end(incident)
        return False
    last = len(audience.RUNGS) - 1
    if row.rung >= last:
        number, people = audience.first_rung(incident, at=now, above=last - 1)
        repeats = row.repeats + 1
    else:
        number, people = audience.first_rung(incident, at=now, above=row.rung)
        repeats = 0
    minutes = int((now - row.started_at).total_seconds() // 60)
    Notification.objects.tell(
        people,
        topic="incident.escalated",
        about=[incident],
        subject=f"Not acknowledged for {minutes} min: {headline(incident)}",
        text=f"Nobody has taken it yet. You are told as one of the {audience.RUNGS[number]}.\n\n{meaning.facts(incident)}",
        path=incident.get_absolute_url(),
        key=f"escalated:{incident.pk}:{row.started_at.timestamp():.0f}:{number}:{repeats}",
    )
    Transmission.objects.owe(announced.escalated(incident, minutes=minutes, at=now), incident)
    Escalation.objects.filter(pk=incident.pk).update(rung=number, repeats=repeats, next_at=now + patience(incident))
    return True
