"""What is to be done now in an incident, and by whom."""

from typing import Any

from django.db import models, transaction
from django.utils import timezone

from incidents.errors import Refused
from incidents.people.models import User
from incidents.response.events import Event
from incidents.response.incident import Incident
from incidents.response.permissions import require_visible
from incidents.texts import one_line


class TaskQuerySet(models.QuerySet["Task"]):
    def add(self, incident: Incident, *, title: str, by: User, owner: User | None = None) -> "Task":
        title = one_line(title)
        if not title:
            raise Refused("Say what is to be done.")
        require_visible(incident, owner)
        with transaction.atomic():
            task = self.create(incident=incident, title=title[:200], owner=owner, made_by=by)
            incident.record(Event.Kind.TASK, by=by, **task.event_detail("added"))
        return task


class Task(models.Model):
    """Something to do now, to limit or understand an incident. What is to be done afterwards is a follow-up."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="tasks")
    title = models.CharField(max_length=200)
    owner = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="tasks")
    made_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)
    done_at = models.DateTimeField(null=True, blank=True)
    done_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    objects = TaskQuerySet.as_manager()

    class Meta:
        ordering = [models.F("done_at").asc(nulls_first=True), "made_at"]

    def __str__(self) -> str:
        return self.title

    def event_detail(self, became: str) -> dict[str, Any]:
        return {"id": self.pk, "title": self.title, "became": became, "owner": str(self.owner or "")}

    def finish(self, *, by: User) -> None:
        self._set("done", by=by, done_at=timezone.now(), done_by=by)

    def reopen(self, *, by: User) -> None:
        self._set("open again", by=by, done_at=None, done_by=None)

    def give(self, owner: User | None, *, by: User) -> None:
        require_visible(self.incident, owner)
        self._set("given" if owner else "nobody’s", by=by, owner=owner)

    def _set(self, became: str, *, by: User, **changes: Any) -> None:
        with transaction.atomic():
            self.incident.locked()
            current = Task.objects.get(pk=self.pk)
            if became == "done" and current.done_at:
                return  # somebody else was faster, to the same end
            Task.objects.filter(pk=self.pk).update(**changes)
            self.refresh_from_db()
            self.incident.record(Event.Kind.TASK, by=by, **self.event_detail(became))
