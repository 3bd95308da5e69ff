"""What people are told, and each way it goes to them. The rows are the queue: written in the transaction of what they tell of."""

import uuid
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import ClassVar, Self

from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.fields import ArrayField
from django.db import models, transaction
from django.urls import reverse
from django.utils import timezone

from incidents.notifications.browsers import Browser
from incidents.notifications.preferences import Preference
from incidents.notifications.topics import TOPICS, Urgency, topic_of
from incidents.people.models import User
from incidents.response.events import Event
from incidents.response.incident import Incident

MOST_ATTEMPTS = 12


class NotificationQuerySet(models.QuerySet["Notification"]):
    def tell(
        self,
        people: Iterable[User],
        *,
        topic: str,
        about: Collection[Incident],
        subject: str,
        text: str,
        path: str,
        key: str,
        urgency: Urgency | None = None,
        event: Event | None = None,
        picture: bytes | None = None,
    ) -> list["Notification"]:
        """Tell each of them once for each `key`, on the channels they chose; returns what is new.

        Who may not see all of what it is `about` is told nothing, and is sent nothing where that becomes private meanwhile.
        `picture` is a PNG that a mail shows inside. Without an `urgency` it is as urgent as its topic.
        """
        incidents = [incident.pk for incident in about]
        once = {person.pk: person for person in people if person.is_active}
        if Incident.objects.filter(pk__in=incidents, private=True).exists():
            once = {pk: person for pk, person in once.items() if not hidden(incidents, person)}
        rows = [
            Notification(
                person=person,
                topic=TOPICS[topic].code,
                urgency=urgency or TOPICS[topic].urgency,
                incident_id=incidents[0] if len(incidents) == 1 else None,
                event=event,
                subject=" ".join(subject.split())[:200],
                text=text,
                path=path,
                key=f"{key}:{pk}",
                picture=picture,
                about=incidents,
            )
            for pk, person in once.items()
        ]
        with transaction.atomic():
            self.bulk_create(rows, ignore_conflicts=True)  # the key is owed already: somebody was faster
            new = set(self.filter(pk__in=[row.pk for row in rows]).values_list("pk", flat=True))
            fresh = [row for row in rows if row.pk in new]
            Dispatch.objects.plan(fresh)
        return fresh

    def of(self, person: User) -> Self:
        """What a person was told and may still see: what became private since is not shown."""
        hidden_now = Incident.objects.hidden_from(person).values("pk")
        return self.filter(person=person).exclude(about__overlap=ArraySubquery(hidden_now))

    def unread(self) -> Self:
        return self.filter(read_at=None)

    def read(self) -> int:
        """Mark what is unread of these as read."""
        return self.unread().update(read_at=timezone.now())


def hidden(incidents: Collection[int], person: User) -> bool:
    """Whether one of the incidents is private and does not name the person."""
    return bool(incidents) and Incident.objects.hidden_from(person).filter(pk__in=incidents).exists()


class Notification(models.Model):
    """One thing that one person is told. How it reaches them is a Dispatch for each channel; the bell shows it in any case."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notifications")
    topic = models.CharField(max_length=32)
    urgency = models.CharField(max_length=8, choices=Urgency, default=Urgency.NORMAL)
    incident = models.ForeignKey(
        Incident, on_delete=models.CASCADE, null=True, blank=True, related_name="notifications"
    )
    event = models.ForeignKey(Event, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    subject = models.CharField(max_length=200)
    text = models.TextField()
    path = models.CharField(max_length=300)
    picture = models.BinaryField(null=True, blank=True)
    about = ArrayField(models.BigIntegerField(), default=list, blank=True)  # ids of the incidents of which it tells
    key = models.CharField(max_length=160, unique=True)
    made_at = models.DateTimeField(default=timezone.now)
    read_at = models.DateTimeField(null=True, blank=True)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        ordering = ["-made_at", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(urgency__in=Urgency.values), name="notification_urgency_is_known"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["person", "-made_at"], name="notifications_by_person"),
            models.Index(fields=["person"], condition=models.Q(read_at=None), name="notifications_unread"),
        ]

    def __str__(self) -> str:
        return self.subject

    def get_absolute_url(self) -> str:
        return reverse("notification", args=[self.pk])

    @property
    def topic_label(self) -> str:
        return topic_of(self.topic).label


class Channel(models.TextChoices):
    """How a person is reached."""

    EMAIL = "email", "Email"
    BROWSER = "browser", "Browser"


class DispatchQuerySet(models.QuerySet["Dispatch"]):
    def plan(self, notifications: Collection[Notification]) -> None:
        """Owe each on the channels that its person chose for its topic and the hour: now, or when their quiet hours are over."""
        now = timezone.now()
        preferences = Preference.of_people([row.person for row in notifications])
        with_browsers = set(Browser.objects.filter(person__in=preferences).values_list("person", flat=True))
        rows = []
        for row in notifications:
            preference = preferences[row.person_id]
            due = preference.due(row.urgency, at=now)
            wanted = [
                channel
                for channel in Channel.values
                if preference.wants(row.topic, channel)
                and (channel != Channel.BROWSER or row.person_id in with_browsers)
            ]
            for channel in preference.by_hour(wanted, row.urgency, at=due):
                rows.append(Dispatch(notification=row, channel=channel, due_at=due))
        self.bulk_create(rows)

    def waiting(self) -> Self:
        return self.filter(sent_at=None, failed_at=None)

    def due(self, at: datetime | None = None) -> Self:
        return self.waiting().filter(due_at__lte=at or timezone.now())


class Dispatch(models.Model):
    """One notification on one channel: when it is due, how often it was tried, and what came of it."""

    notification = models.ForeignKey(Notification, on_delete=models.CASCADE, related_name="dispatches")
    channel = models.CharField(max_length=16, choices=Channel)
    due_at = models.DateTimeField(default=timezone.now)
    attempts = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True)  # given up: it will not be tried again
    error = models.CharField(max_length=300, blank=True)
    # With which other it went out, where several became one message.
    bundled_with = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    objects = DispatchQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["notification", "channel"], name="one_dispatch_per_channel"),
            models.CheckConstraint(
                condition=models.Q(sent_at=None) | models.Q(failed_at=None), name="sent_or_failed_never_both"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["due_at"], condition=models.Q(sent_at=None, failed_at=None), name="dispatches_due"),
            models.Index(fields=["-failed_at"], condition=models.Q(failed_at__isnull=False), name="dispatches_failed"),
        ]

    def __str__(self) -> str:
        return f"{self.notification} by {self.get_channel_display()}"

    @property
    def outcome(self) -> str:
        """What came of it, in a word or two."""
        if self.sent_at:
            return "sent"
        if self.failed_at:
            return "failed"
        return "trying again" if self.attempts else "waiting"
