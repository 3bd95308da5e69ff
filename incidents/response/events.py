"""The log of an incident, which nobody changes, and the notes that people write in it."""

import json
from typing import ClassVar

import pgtrigger
from django.db import models
from django.utils import timezone

from incidents.errors import Refused
from incidents.people.models import User
from incidents.response.vocabulary import required


class Note(models.Model):
    """A person's own words on an incident; the text can be corrected, the Event that it was written cannot."""

    incident = models.ForeignKey("incidents.Incident", on_delete=models.CASCADE, related_name="notes")
    author = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    text = models.TextField(max_length=20_000)
    created_at = models.DateTimeField(default=timezone.now)
    edited_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.text[:80]

    def rewrite(self, text: str, *, by: User) -> None:
        """Correct one's own note."""
        if self.author_id != by.pk:
            raise Refused("Only the author of a note can edit it.")
        text = required(text, "A note cannot be empty; its old text was kept.")
        Note.objects.filter(pk=self.pk).update(text=text, edited_at=timezone.now())
        self.refresh_from_db()


class Event(models.Model):
    """One thing that happened to an incident. The database itself refuses to change or delete it."""

    class Kind(models.TextChoices):
        OPENED = "opened", "opened the incident"
        ACKNOWLEDGED = "acknowledged", "acknowledged"
        STATUS = "status", "changed the status"
        SEVERITY = "severity", "changed the severity"
        LEAD = "lead", "changed the lead"
        CLASSIFIED = "classified", "classified it"
        SYSTEM = "system", "set the system"
        DESCRIBED = "described", "edited the description"
        NOTICED = "noticed", "set who noticed first"
        CLOCK = "clock", "corrected a clock"
        VISIBILITY = "visibility", "changed who may see it"
        PLACE = "place", "said where it is worked on"
        NOTE = "note", "wrote a note"
        CONTAINMENT = "containment", "contained it"
        MERGED = "merged", "merged another incident into this one"
        ALERT_LINKED = "alert_linked", "linked an alert"
        WORSE_ALERT = "worse_alert", "a worse alert came"
        ALERTS_CLEARED = "alerts_cleared", "all alerts cleared"
        POSTMORTEM = "postmortem", "moved the postmortem"
        FOLLOW_UP = "follow_up", "changed a follow-up"
        UPDATE = "update", "posted a status update"
        OVERDUE = "overdue", "the next update is overdue"
        ROLE = "role", "changed who does what"
        HANDOVER = "handover", "handed over"
        TASK = "task", "changed a task"
        IMPACT = "impact", "assessed the impact"
        CURATED = "curated", "edited the story"
        ATTACHMENT = "attachment", "attached a file"
        LINK = "link", "linked another incident"
        KIND = "kind", "changed its kind"
        PUBLIC = "public", "wrote for the public page"
        SNOOZED = "snoozed", "snoozed the calls"
        EVIDENCE = "evidence", "kept what the AI did"
        PAGER = "pager", "did something in a pager"

    incident = models.ForeignKey("incidents.Incident", on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(max_length=16, choices=Kind)
    at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    note = models.OneToOneField(Note, on_delete=models.PROTECT, null=True, blank=True, related_name="event")
    detail = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["at", "pk"]
        indexes = [models.Index(fields=["incident", "at", "id"], name="events_by_incident")]
        triggers: ClassVar = [
            pgtrigger.Protect(name="events_are_append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            pgtrigger.Trigger(
                name="events_are_announced",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                func="INSERT INTO incidents_pendingevent (event_id, attempts, error) VALUES (NEW.id, 0, ''); RETURN NULL;",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.incident} {self.kind}"

    def tells_of_alert(self, pk: int, title: str) -> bool:
        """Whether it names an alert, or holds a copy of its title."""
        named = self.detail.get("alerts") or [self.detail.get("alert") or {}]
        copied = json.dumps(title[:190], ensure_ascii=False)[1:-1]  # incidents cut titles at 200
        return any(alert.get("id") == pk for alert in named) or copied in json.dumps(self.detail, ensure_ascii=False)

    def gave_title(self, title: str) -> bool:
        """Whether an incident of this title has it from an alert that this names: when it opened, or when that was renamed."""
        titles = [alert["title"] for alert in self.detail.get("alerts", [])]
        became = None if self.by_id else self.detail.get("became")  # what a person calls it is not the alert's
        titles += [became["title"]] if isinstance(became, dict) and "title" in became else []
        return any(" ".join(given.split())[:190] == title[:190] for given in titles)


class PendingEvent(models.Model):
    """An Event that nobody was told of yet. The database adds the row together with the Event, so none is ever forgotten;
    whoever works out what it means for whom takes it away again, in the same transaction."""

    event = models.OneToOneField(Event, on_delete=models.CASCADE, primary_key=True, related_name="pending")
    due_at = models.DateTimeField(null=True, blank=True)  # empty: at once
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=300, blank=True)

    def __str__(self) -> str:
        return f"{self.event_id} to be announced"
