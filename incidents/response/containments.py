"""What limits the harm of an incident: acts from the taxonomy's list, planned, done, checked and rolled back."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Self

from django.db import models, transaction
from django.utils import timezone
from django.utils.text import Truncator

from incidents import taxonomy
from incidents.errors import WrongStatus
from incidents.people.models import User
from incidents.response.events import Event
from incidents.texts import one_line


class ContainmentQuerySet(models.QuerySet["Containment"]):
    def overdue(self) -> Self:
        """Keep what is in force and should have been taken back by now."""
        in_force = self.filter(state__in=[Containment.State.DONE, Containment.State.VERIFIED])
        return in_force.filter(remove_by__lt=timezone.now()).filter(models.Q(worked=None) | models.Q(worked=True))


class Containment(models.Model):
    """An act that limits harm, from the catalogue in the taxonomy: planned, done, checked, and taken back one day."""

    class State(models.TextChoices):
        PLANNED = "planned", "Planned"
        DONE = "done", "Done"
        VERIFIED = "verified", "Checked"
        REMOVED = "removed", "Rolled back"
        DROPPED = "dropped", "Not done"

    incident = models.ForeignKey("incidents.Incident", on_delete=models.CASCADE, related_name="containments")
    action = models.CharField(max_length=40)
    state = models.CharField(max_length=12, choices=State, default=State.PLANNED)
    note = models.TextField(blank=True, max_length=2000)
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    planned_at = models.DateTimeField(default=timezone.now)
    done_at = models.DateTimeField(null=True, blank=True)
    verified_at = models.DateTimeField(null=True, blank=True)
    worked = models.BooleanField(null=True, blank=True)  # None: nobody has checked yet
    result = models.TextField(blank=True, max_length=2000)
    remove_by = models.DateTimeField(null=True, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True)

    objects = ContainmentQuerySet.as_manager()

    class Meta:
        ordering = ["planned_at", "pk"]
        indexes = [
            models.Index(fields=["done_at"], name="containments_by_time"),
            models.Index(
                fields=["remove_by"], condition=models.Q(state__in=["done", "verified"]), name="containments_in_force"
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=["planned", "dropped"]) | models.Q(done_at__isnull=False),
                name="done_containments_say_when",
            ),
            models.CheckConstraint(
                condition=models.Q(worked__isnull=True, verified_at__isnull=True)
                | models.Q(worked__isnull=False, verified_at__isnull=False),
                name="checked_containments_say_whether_they_worked",
            ),
            models.CheckConstraint(
                condition=models.Q(state="removed", removed_at__isnull=False)
                | (~models.Q(state="removed") & models.Q(removed_at__isnull=True)),
                name="removed_containments_say_when",
            ),
        ]

    def __str__(self) -> str:
        """What was done; where the catalogue has no name for it, what its note says, which is never empty then."""
        if self.action == taxonomy.OTHER and self.note:
            return Truncator(one_line(self.note)).chars(80)
        return taxonomy.containment(self.action).name

    @property
    def is_in_force(self) -> bool:
        return self.state in (self.State.DONE, self.State.VERIFIED) and self.worked is not False

    @property
    def is_overdue(self) -> bool:
        """Whether it should have been taken back by now."""
        return self.is_in_force and self.remove_by is not None and self.remove_by < timezone.now()

    @staticmethod
    def doubt(containments: Iterable["Containment"]) -> str:
        """What speaks against calling the harm limited by these containments of one incident; "" where one was checked.

        For an incident that is contained: that something was done does not say that it worked.
        """
        in_force = [containment for containment in containments if containment.is_in_force]
        if not in_force:
            return "nothing in force"
        return "" if any(containment.worked for containment in in_force) else "not checked yet"

    def event_detail(self, **more: Any) -> dict[str, Any]:
        """Give what its Events say of it."""
        return {
            "containment": self.pk,
            "action": self.action,
            "name": str(self),
            "state": self.state,
            "note": self.note,
        } | more

    def do(self, *, by: User, at: datetime | None = None) -> None:
        """Say that what was planned is done."""
        with transaction.atomic():
            self._move([self.State.PLANNED], to=self.State.DONE, done_at=at or timezone.now())
            self.incident.mark_contained(self, by=by)

    def verify(self, *, by: User, worked: bool, result: str = "") -> None:
        """Say whether it limited the harm, and how that shows. May be said again: what was believed can be wrong."""
        with transaction.atomic():
            self._move(
                [self.State.DONE, self.State.VERIFIED],
                to=self.State.VERIFIED,
                worked=worked,
                result=result.strip(),
                verified_at=timezone.now(),
            )
            self.incident.record(Event.Kind.CONTAINMENT, by=by, **self.event_detail(worked=worked, note=self.result))
            self.incident.follow_containments(by=by)

    def remove(self, *, by: User, note: str = "") -> None:
        """Say that it was taken back: the system runs as before."""
        self._close([self.State.DONE, self.State.VERIFIED], to=self.State.REMOVED, by=by, note=note)

    def drop(self, *, by: User, note: str = "") -> None:
        """Say that what was planned is not done."""
        self._close([self.State.PLANNED], to=self.State.DROPPED, by=by, note=note)

    def _close(self, start: list[State], *, to: State, by: User, note: str) -> None:
        with transaction.atomic():
            self._move(start, to=to, **({"removed_at": timezone.now()} if to == self.State.REMOVED else {}))
            self.incident.record(Event.Kind.CONTAINMENT, by=by, **self.event_detail(note=note.strip()))

    def _move(self, start: list[State], *, to: State, **changes: Any) -> None:
        self.incident.locked()  # first, as everywhere, so that no two verbs wait for each other
        if not Containment.objects.filter(pk=self.pk, state__in=start).update(state=to, **changes):
            self.refresh_from_db(fields=["state"])
            raise WrongStatus(f"“{self}” is {self.get_state_display().lower()} already.")
        self.refresh_from_db()
