"""That a failure came back although a follow-up was done: which incident showed it, and what the follow-up was until then."""

from typing import Self

from django.db import models
from django.utils import timezone

from incidents.followups.states import State
from incidents.people.models import User
from incidents.response.incident import Incident, of_visible


class RecurrenceQuerySet(models.QuerySet["Recurrence"]):
    def seen_by(self, user: User) -> Self:
        """Keep those whose incident the user may see, with it; the newest first."""
        return self.filter(of_visible(user)).select_related("incident").order_by("-at", "-pk")


class Recurrence(models.Model):
    """An incident that showed a follow-up not to hold. It stays when the follow-up is done again."""

    follow_up = models.ForeignKey("incidents.FollowUp", on_delete=models.CASCADE, related_name="recurrences")
    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="recurrences")
    at = models.DateTimeField(default=timezone.now)
    # What the follow-up was, for when the incident turns out to be none.
    state_was = models.CharField(max_length=12, choices=State)
    finished_was = models.DateTimeField()
    verified_was = models.DateTimeField(null=True, blank=True)
    because_was = models.CharField(max_length=500, blank=True)
    due_was = models.DateField(null=True, blank=True)

    objects = RecurrenceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["follow_up", "incident"], name="one_recurrence_per_incident"),
            models.CheckConstraint(condition=models.Q(state_was__in=["done", "verified"]), name="only_done_recurs"),
        ]
        indexes = [models.Index(fields=["-at"], name="recurrences_by_time")]

    def __str__(self) -> str:
        return f"{self.incident} came back after {self.follow_up}"
