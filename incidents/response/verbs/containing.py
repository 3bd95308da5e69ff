"""What limits the harm, and what follows from it for the status and the contained clock."""

from datetime import datetime

from django.db import models, transaction
from django.utils import timezone

from incidents import taxonomy
from incidents.errors import WrongStatus
from incidents.people.models import User
from incidents.response.containments import Containment
from incidents.response.events import Event
from incidents.response.verbs.triage import Triage
from incidents.response.vocabulary import OPEN, Status


class Containing(Triage):
    class Meta:
        abstract = True

    def contain(
        self, *, by: User, action: str, note: str = "", at: datetime | None = None, remove_by: datetime | None = None
    ) -> "Containment":
        """Record an act that limits the harm and is done. The first one moves the incident to contained.

        Whoever limits the harm of an incident in triage has taken it: it is acknowledged by them.
        """
        with transaction.atomic():
            self.locked()
            containment = self.containments.create(
                action=taxonomy.containment(action).code,
                note=note.strip(),
                by=by,
                remove_by=remove_by,
                state=Containment.State.DONE,
                done_at=at or timezone.now(),
            )
            self.mark_contained(containment, by=by)
        return containment

    def plan_containment(
        self, *, by: User, action: str, note: str = "", remove_by: datetime | None = None
    ) -> "Containment":
        """Say what is going to be done."""
        with transaction.atomic():
            if self.locked().status not in OPEN:
                raise WrongStatus(f"{self} is over; nothing is left to contain.")
            code = taxonomy.containment(action).code
            containment = self.containments.create(action=code, note=note.strip(), by=by, remove_by=remove_by)
            self.record(Event.Kind.CONTAINMENT, by=by, **containment.event_detail())
        return containment

    def mark_contained(self, containment: "Containment", *, by: User) -> None:
        """Take over that a containment was done. Called in the transaction of whatever did it."""
        if self.locked().status == Status.TRIAGE:
            self.acknowledge(by=by)
        if self.locked().status == Status.CONTAINED:
            self.record(Event.Kind.CONTAINMENT, by=by, **containment.event_detail())
        else:
            at = models.Value(containment.done_at)
            self._move(
                [Status.INVESTIGATING],
                to=Status.CONTAINED,
                by=by,
                kind=Event.Kind.CONTAINMENT,
                contained_at=models.functions.Coalesce("contained_at", at, output_field=models.DateTimeField()),
                **containment.event_detail(),
            )

    def follow_containments(self, *, by: User) -> None:
        """Let the contained clock follow the first containment that worked, or else the first that may have.

        Where none is left, the harm is not limited: a contained incident is being investigated again. A clock that a
        person corrected stays as they said.
        """
        corrected = self.events.filter(
            kind=Event.Kind.CLOCK, by__isnull=False, detail__became__has_key="contained_at"
        ).exists()
        tried = self.containments.exclude(done_at=None)
        first = (
            tried.filter(worked=True).aggregate(at=models.Min("done_at"))["at"]
            or tried.filter(worked=None).aggregate(at=models.Min("done_at"))["at"]
        )
        if first is None and self.locked().status == Status.CONTAINED:
            reason = "No containment has worked so far."
            self._move([Status.CONTAINED], to=Status.INVESTIGATING, by=by, reason=reason, contained_at=None)
        elif not corrected:
            self._set(Event.Kind.CLOCK, by=None, reason="The first containment that worked.", contained_at=first)
