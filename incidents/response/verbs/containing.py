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
from incidents.response.vocabulary import ENDED, OPEN, Status, required


def _what(action: str, note: str) -> dict[str, str]:
    """An act and its note. Raises taxonomy.Unknown, and Refused where it is something else and nobody says what."""
    code = taxonomy.containment(action).code
    if code == taxonomy.OTHER:
        required(note, "Say in the note what was done.")
    return {"action": code, "note": note.strip()}


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
                **_what(action, note),
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
            containment = self.containments.create(**_what(action, note), by=by, remove_by=remove_by)
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
        """Let status and contained clock follow the first containment that worked, or else the first that may have.

        Where none is left, the harm is not limited: a contained incident is being investigated again; one that is being
        investigated is contained once a containment is found to work. What was done and checked before the incident was
        last reopened limits nothing: it failed again in spite of it. A clock that a person corrected stays as they said.
        """
        status, since = self.locked().status, self._last_reopened_at()
        corrections = self.events.filter(
            kind=Event.Kind.CLOCK, by__isnull=False, detail__became__has_key="contained_at"
        )
        tried = self.containments.exclude(done_at=None)
        if since:
            corrections = corrections.filter(at__gte=since)
            lately = models.Q(done_at__gte=since) | models.Q(planned_at__gte=since) | models.Q(verified_at__gte=since)
            tried = tried.filter(lately)
        worked = tried.filter(worked=True).aggregate(at=models.Min("done_at"))["at"]
        first = worked or tried.filter(worked=None).aggregate(at=models.Min("done_at"))["at"]
        corrected = corrections.exists()
        if first is None and status == Status.CONTAINED:
            reason = "No containment has worked so far."
            self._move([Status.CONTAINED], to=Status.INVESTIGATING, by=by, reason=reason, contained_at=None)
        elif worked and status == Status.INVESTIGATING:
            clock = {} if corrected else {"contained_at": worked}
            reason = "A containment was found to work."
            self._move([Status.INVESTIGATING], to=Status.CONTAINED, by=by, reason=reason, **clock)
        elif not corrected:
            reason = "No containment has worked so far."
            if first:
                reason = "The first containment that worked." if worked else "The first that nobody found not to work."
            self._set(Event.Kind.CLOCK, by=None, reason=reason, contained_at=first)

    def _last_reopened_at(self) -> datetime | None:
        """When it was last taken up again after it was over; None where it never was."""
        reopened = self.events.filter(
            kind=Event.Kind.STATUS, detail__was__in=list(ENDED), detail__became=Status.INVESTIGATING
        ).exclude(detail__has_key="undone")
        at: datetime | None = reopened.aggregate(at=models.Max("at"))["at"]
        return at
