"""One announcement on its way to one destination: the queue, and the log of what came of it."""

import json
import uuid
from collections.abc import Iterable
from datetime import timedelta
from typing import ClassVar, Self

from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.urls import reverse
from django.utils import timezone

from incidents.notifications import announced
from incidents.notifications.channels.base import Act, Announcement, ItemFacts
from incidents.notifications.destinations import Destination
from incidents.notifications.paging import pager_for
from incidents.notifications.topics import HEARD
from incidents.people.models import User
from incidents.response import story
from incidents.response.events import Event
from incidents.response.incident import Incident, of_visible
from incidents.response.vocabulary import IncidentKind

GIVEN_UP_AFTER = timedelta(days=3)
KEPT = timedelta(days=90)
MOST_BODY, MOST_ANSWER = 8_000, 2_000


class TransmissionQuerySet(models.QuerySet["Transmission"]):
    def visible_to(self, user: User) -> Self:
        """Those of destinations one may see, without what tells of an incident that is hidden from one now."""
        named = Event.objects.filter(pk=models.OuterRef("event"))
        told = story.without(named, Incident.objects.hidden_from(user))
        return self.filter(
            of_visible(user),
            models.Q(event=None) | models.Exists(told),
            destination__in=Destination.objects.visible_to(user),
        ).exclude(about__overlap=ArraySubquery(Incident.objects.hidden_from(user).values("pk")))

    def waiting(self) -> Self:
        return self.filter(sent_at=None, failed_at=None)

    def failed(self) -> Self:
        return self.filter(failed_at__isnull=False)

    def owe(
        self,
        announcement: Announcement,
        incident: Incident,
        *,
        event: Event | None = None,
        also: Iterable[Incident] = (),
    ) -> int:
        """Owe an announcement to each destination that it concerns; the same is owed to each once. Returns to how many.

        Nothing of a private incident leaves: a channel is read by more people than the incident names. `also` are others that
        it tells of.
        """
        about = [each.pk for each in also]
        if incident.private or any(each.private for each in also) or (event and not is_open(event)):
            return 0
        rows = [
            Transmission(
                destination=destination,
                incident=incident,
                event=event,
                topic=announcement.topic,
                subject=announcement.headline[:300],
                payload=announced.to_json(announcement),
                key=announcement.event_id,
                about=about,
            )
            for destination in self._concerned(announcement, incident, event)
        ]
        return len(self.bulk_create(rows, ignore_conflicts=True))

    def owe_item(
        self, incident: Incident, topic: str, item: ItemFacts, *, key: str, subject: str, also: Iterable[Incident] = ()
    ) -> int:
        """Owe something about a postmortem or a follow-up of real incidents; once for each `key`. Returns to how many."""
        if incident.kind != IncidentKind.REAL:
            return 0
        announcement = announced.of_item(incident, topic, item, key=key, subject=subject)
        return self.owe(announcement, incident, also=also)

    def _concerned(self, announcement: Announcement, incident: Incident, event: Event | None) -> Iterable[Destination]:
        """By the rules; and a pager that was told of an incident is told how it goes on, whatever the rules say now.

        What was done in a pager is not told to that pager: it knows, and would do it anew where it was undone there since.
        """
        concerned = {
            row.pk: row
            for row in Destination.objects.concerned_by(announcement, team=incident.team, category=incident.category)
        }
        if announcement.act in {Act.ACKNOWLEDGE, Act.CLOSE}:
            open_there = Destination.objects.filter(
                pk__in=self.filter(incident=incident).values("destination"), paused_at=None
            )
            pagers = {row.pk: row for row in open_there if row.is_pager and row.receiver.takes(announcement)}
            concerned = {pk: row for pk, row in concerned.items() if not row.is_pager} | pagers
        if announcement.act is Act.OPEN and (pager := pager_for(incident)) and pager.receiver.takes(announcement):
            concerned[pager.pk] = pager  # whoever is on call hears of it, whatever its rules are
        if event and announcement.act is Act.ACKNOWLEDGE:
            concerned.pop(event.detail.get("channel", 0), None)
        return concerned.values()

    def replay(self) -> int:
        """Send these again, as what they said then. Returns how many; those still waiting are left as they are."""
        again = self.exclude(sent_at=None, failed_at=None).filter(destination__paused_at=None)
        return again.update(
            owed_at=timezone.now(), sent_at=None, failed_at=None, error="", attempts=0, replays=models.F("replays") + 1
        )

    def prune(self) -> int:
        """Delete what is older than 90 days and no longer waits."""
        old = self.filter(made_at__lt=timezone.now() - KEPT).exclude(sent_at=None, failed_at=None)
        return old.delete()[0]


class Transmission(models.Model):
    """What one destination is told. Its `key` is the id under which receivers know it, the same at each attempt."""

    id = models.BigAutoField(primary_key=True)
    destination = models.ForeignKey(Destination, on_delete=models.CASCADE, related_name="transmissions")
    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    event = models.ForeignKey(Event, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    about = ArrayField(models.BigIntegerField(), default=list, blank=True)  # ids of other incidents of which it tells
    topic = models.CharField(max_length=40)
    subject = models.CharField(max_length=300)
    payload = models.JSONField()
    key = models.CharField(max_length=80)
    made_at = models.DateTimeField(default=timezone.now)
    owed_at = models.DateTimeField(default=timezone.now)  # since then it is tried
    attempts = models.PositiveIntegerField(default=0)
    replays = models.PositiveIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True)  # given up: it is not tried again by itself
    tried_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=300, blank=True)
    request = models.TextField(blank=True)  # the latest, without its secrets
    status = models.PositiveSmallIntegerField(null=True, blank=True)  # what was answered
    answer = models.TextField(blank=True)
    took_ms = models.PositiveIntegerField(null=True, blank=True)

    objects = TransmissionQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["destination", "key"], name="one_transmission_per_destination_and_event"),
            models.CheckConstraint(
                condition=models.Q(sent_at=None) | models.Q(failed_at=None), name="transmissions_sent_or_failed"
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["destination", "id"],
                condition=models.Q(sent_at=None, failed_at=None),
                name="transmissions_waiting",
            ),
            models.Index(fields=["destination", "-id"], name="transmissions_by_destination"),
        ]

    def __str__(self) -> str:
        return self.subject

    def get_absolute_url(self) -> str:
        return reverse("transmission", args=[self.destination_id, self.pk])

    @property
    def announcement(self) -> Announcement:
        return announced.from_json(self.payload)

    @property
    def is_hidden(self) -> bool:
        """Whether something that it tells of is private now, so that it must not leave."""
        if (self.incident and self.incident.private) or (self.event and not is_open(self.event)):
            return True
        return bool(self.about) and Incident.objects.filter(pk__in=self.about, private=True).exists()

    @property
    def label(self) -> str:
        return HEARD[self.topic].heard if self.topic in HEARD else "Test"

    @property
    def phase(self) -> str:
        """What came of it, as the tags of statuses know it."""
        return {"delivered": "done", "failed": "dead", "trying again": "in_progress"}.get(self.outcome, "open")

    @property
    def outcome(self) -> str:
        """What came of it, in a word or two."""
        if self.sent_at:
            return "delivered"
        if self.failed_at:
            return "failed"
        return "trying again" if self.attempts else "waiting"


def is_open(event: Event) -> bool:
    """Whether an entry of a log tells of no private incident, so that many may read it."""
    return not event.incident.private and story.open_entries(event.incident).filter(pk=event.pk).exists()


def owe_test(destination: Destination) -> list[Transmission]:
    """Owe a destination a test; to a pager also its end, so that nothing stays open there."""
    now, key = timezone.now(), f"test-{uuid.uuid4().hex}"
    tests = [announced.example("test", event_id=key, at=now)]
    if destination.is_pager:
        tests.append(announced.example("test", event_id=key, at=now, closing=True))
    rows = [
        Transmission(
            destination=destination,
            topic="test",
            subject=announcement.headline,
            payload=announced.to_json(announcement),
            key=f"{key}-over" if announcement.closing else key,
        )
        for announcement in tests
    ]
    return Transmission.objects.bulk_create(rows)


def without_secrets(text: str, secrets: Iterable[str]) -> str:
    """A text in which none of the secrets can be read, also as JSON writes them."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        for form in {secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}:
            text = text.replace(form, "•••")
    return text
