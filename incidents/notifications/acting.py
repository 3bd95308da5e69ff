"""Acting from where it is read: a link in a message leads one person to one incident, and works once."""

import hashlib
import secrets
from datetime import timedelta
from typing import ClassVar, Self

from django.db import models, transaction
from django.utils import timezone

from incidents.errors import Refused
from incidents.notifications import escalation
from incidents.people.models import User
from incidents.response.incident import Incident
from incidents.response.updates import Update
from incidents.response.vocabulary import Status

LASTS = timedelta(hours=24)
SNOOZE = 30  # minutes


class MessageAct(models.TextChoices):
    ACKNOWLEDGE = "acknowledge", "Acknowledge"
    LEAD = "lead", "Take the lead"
    SNOOZE = "snooze", f"Snooze for {SNOOZE} minutes"
    UPDATE = "update", "Post an update"


class ActLinkQuerySet(models.QuerySet["ActLink"]):
    def give(self, person: User, incident: Incident) -> str:
        """Make a link and return its secret, which is stored nowhere."""
        secret = secrets.token_urlsafe(32)
        self.create(person=person, incident=incident, digest=_digest(secret), expires_at=timezone.now() + LASTS)
        return secret

    def with_secret(self, secret: str) -> Self:
        """The link of this secret, where its person is active and may still see the incident; used and old ones too."""
        return self.filter(digest=_digest(secret), person__is_active=True).select_related(
            "person", "incident__system", "incident__team", "incident__lead"
        )


class ActLink(models.Model):
    """What a person holds who was paged. It opens a page that changes nothing until they press a button: scanners follow links."""

    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    act = models.CharField(max_length=12, choices=MessageAct, blank=True)

    objects = ActLinkQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(used_at=None, act="") | models.Q(used_at__isnull=False, act__in=MessageAct.values),
                name="used_links_say_for_what",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person} on {self.incident}"

    @property
    def is_usable(self) -> bool:
        return self.used_at is None and self.expires_at > timezone.now()

    def choices(self) -> list[MessageAct]:
        """What can be done with it now."""
        return possible(self.incident, self.person) if self.is_usable else []

    def use(self, act: str, *, text: str = "") -> None:
        """Do it, as the person whom it was given to; `text` is what an update says. Raises Refused where it was used, is old, or cannot be done now."""
        if act not in self.choices():
            raise Refused("This cannot be done any more: somebody was faster, or the link was used or is old.")
        with transaction.atomic():
            mine = ActLink.objects.filter(pk=self.pk, used_at=None, expires_at__gt=timezone.now())
            if not mine.update(used_at=timezone.now(), act=act):
                raise Refused("This link was used already.")
            perform(MessageAct(act), self.incident, by=self.person, via="a link in a message", text=text)


def can_act(incident: Incident, person: User) -> bool:
    """Whether somebody may act on it: they see it, and respond for its team."""
    return incident.is_changeable_by(person) and Incident.objects.visible_to(person).filter(pk=incident.pk).exists()


def possible(incident: Incident, person: User) -> list[MessageAct]:
    """What a person can do with an incident now from where they read of it."""
    if not incident.is_open or not can_act(incident, person):
        return []
    acts = []
    if incident.status == Status.TRIAGE:
        acts.append(MessageAct.ACKNOWLEDGE)
        if escalation.waits(incident):
            acts.append(MessageAct.SNOOZE)
    elif incident.lead_id != person.pk:
        acts.append(MessageAct.LEAD)
    return [*acts, MessageAct.UPDATE]


def perform(act: MessageAct, incident: Incident, *, by: User, via: str, text: str = "") -> None:
    """Do it, by the verbs of the incident's page. Who takes the lead of what nobody took has taken it.

    `via` says from where; `text` is what an update says. Raises Refused and WrongStatus. Whether they may is the caller's
    to ask.
    """
    match act:
        case MessageAct.ACKNOWLEDGE:
            incident.acknowledge(by=by, via=via)
        case MessageAct.LEAD:
            with transaction.atomic():
                if incident.status == Status.TRIAGE:
                    incident.acknowledge(by=by, via=via)
                    incident.refresh_from_db()
                if incident.lead_id != by.pk:
                    incident.assign_lead(by, by=by)
        case MessageAct.SNOOZE:
            escalation.snooze(incident, by=by, minutes=SNOOZE)
        case MessageAct.UPDATE:
            Update.objects.post(incident, text=text, by=by)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
