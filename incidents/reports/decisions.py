"""Decisions that leaders are asked for in a saved report; they come up again until they are taken."""

from datetime import date
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

from incidents.errors import Refused, WrongStatus
from incidents.people.models import User

if TYPE_CHECKING:
    from incidents.reports.saved import SavedReport


class DecisionQuerySet(models.QuerySet["Decision"]):
    def ask(self, report: "SavedReport", text: str, *, by: User, owner: User | None, due_on: date | None) -> "Decision":
        if not text.strip():
            raise Refused("Say what should be decided.")
        return self.create(report=report, text=" ".join(text.split())[:500], asked_by=by, owner=owner, due_on=due_on)

    def open(self) -> Self:
        """Keep those not taken yet, the oldest first."""
        return self.filter(state=Decision.State.ASKED).select_related("owner", "report").order_by("asked_at", "pk")

    def waiting(self, team: str) -> Self:
        """Keep those not taken yet, of reports of the same team."""
        return self.open().filter(report__team=team)


class Decision(models.Model):
    """What leaders are asked for. It is carried over to each later report of the same team until it is taken."""

    class State(models.TextChoices):
        ASKED = "asked", "Asked"
        TAKEN = "taken", "Decided"
        DROPPED = "dropped", "No longer asked"

    report = models.ForeignKey("incidents.SavedReport", on_delete=models.CASCADE, related_name="decisions")
    text = models.CharField(max_length=500)
    owner = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    due_on = models.DateField(null=True, blank=True)
    state = models.CharField(max_length=8, choices=State, default=State.ASKED)
    outcome = models.CharField(max_length=500, blank=True)
    asked_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    asked_at = models.DateTimeField(default=timezone.now)
    decided_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)

    objects = DecisionQuerySet.as_manager()

    class Meta:
        ordering = ["asked_at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="asked", decided_at=None) | (~Q(state="asked") & Q(decided_at__isnull=False)),
                name="decisions_taken_say_when",
            )
        ]

    def __str__(self) -> str:
        return self.text

    def decide(self, outcome: str, *, by: User, dropped: bool = False) -> None:
        """Say what was decided, or why it is no longer asked. Of two who decide at once, one does."""
        if not outcome.strip():
            raise Refused("Say what was decided.")
        state = self.State.DROPPED if dropped else self.State.TAKEN
        moved = Decision.objects.filter(pk=self.pk, state=self.State.ASKED).update(
            state=state, outcome=" ".join(outcome.split())[:500], decided_by=by, decided_at=timezone.now()
        )
        self.refresh_from_db()
        if not moved:
            raise WrongStatus(f"“{self.text}” is already {self.get_state_display().lower()}.")
