"""Where else news goes: a channel of a team, or of the organisation, with what it is told and when."""

import base64
import json
import os
from datetime import datetime, timedelta
from typing import ClassVar, Self
from urllib.parse import urlsplit

from django.db import models
from django.urls import reverse
from django.utils import timezone

from incidents.errors import Refused
from incidents.notifications.channels.base import Announcement, Receiver
from incidents.notifications.channels.catalogue import RECEIVERS
from incidents.notifications.rules import Rule
from incidents.people.models import Role, Team, User
from incidents.people.permissions import has_role, require_administrator, require_role
from incidents.texts import check_readable
from incidents.web.sealing import seal, unseal

MOST = 50  # destinations of a team
SECRET_OVERLAP = timedelta(hours=24)
_WAITS = (10, 30, 60, 120, 300, 600, 1200, 1800, 3600)  # seconds between attempts, the last again and again


def kinds() -> list[tuple[str, str]]:
    return [(receiver.kind, receiver.name) for receiver in RECEIVERS.values()]


class DestinationQuerySet(models.QuerySet["Destination"]):
    def visible_to(self, user: User) -> Self:
        """Those of one's teams and of the organisation; administrators see all."""
        if not user.is_active:
            return self.none()
        own = models.Q(team=None) | models.Q(team__in=Team.objects.filter(memberships__user=user))
        return self if user.is_superuser else self.filter(own)

    def concerned_by(self, announcement: Announcement, *, team: Team | None, category: str) -> "list[Destination]":
        """The destinations that an announcement about an incident of a team goes to, by their own rules."""
        rows = self.filter(models.Q(team=None) | models.Q(team=team), paused_at=None)
        rows = rows.order_by("pk").prefetch_related("more_rules")
        return [row for row in rows if row.wants(announcement, category=category)]


class Destination(Rule):
    """One channel. Its fields, which may open it to anybody, are sealed at rest and never shown again."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, null=True, blank=True, related_name="destinations")
    kind = models.CharField(max_length=24, choices=kinds)
    name = models.CharField(max_length=80, validators=[check_readable])
    sealed = models.BinaryField()
    hints = models.JSONField(default=dict)  # what may be shown of its fields, by name
    paused_at = models.DateTimeField(null=True, blank=True)
    pause_reason = models.CharField(max_length=300, blank=True)
    failures = models.PositiveIntegerField(default=0)  # in a row
    rests_until = models.DateTimeField(null=True, blank=True)  # after a failure, or as its receiver asked
    busy_until = models.DateTimeField(null=True, blank=True)  # somebody sends to it; it is a lease
    last_success_at = models.DateTimeField(null=True, blank=True)
    last_failure_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=300, blank=True)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    objects = DestinationQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Rule.BOTH_ENDS, name="destinations_have_both_ends_of_their_hours"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("channel", args=[self.pk])

    @property
    def receiver(self) -> Receiver:
        return RECEIVERS[self.kind]

    @property
    def is_pager(self) -> bool:
        return self.receiver.group == "pager"

    @property
    def shown_fields(self) -> list[tuple[str, str]]:
        """What may be shown of what it is connected with, by label."""
        return [(field.label, self.hints[field.name]) for field in self.receiver.fields if self.hints.get(field.name)]

    # Rules

    @property
    def rules(self) -> list[Rule]:
        """Its first rule, which it is itself, and the others."""
        return [self, *self.more_rules.all()]

    def wants(self, announcement: Announcement, *, category: str) -> bool:
        """Whether a rule lets an announcement through. What is said of one incident to a pager later is not asked again."""
        return self.receiver.takes(announcement) and any(
            rule.lets_through(announcement, category=category, whatever_topic=self.is_pager) for rule in self.rules
        )

    # What it is connected with

    def config(self) -> dict[str, str] | None:
        """Its fields in the open, with the secrets it signs with; None where SECRET_KEY was changed without a fallback."""
        text = unseal(bytes(self.sealed))
        if text is None:
            return None
        values: dict[str, str] = json.loads(text)
        until = values.pop("previous_until", "")
        if not until or datetime.fromisoformat(until) <= timezone.now():
            values.pop("previous_secret", None)
        return values

    def keep(self, values: dict[str, str]) -> None:
        """Put its fields away, sealed, with a hint of each; an empty one keeps what it was. Not saved yet."""
        before = json.loads(unseal(bytes(self.sealed)) or "{}") if self.sealed else {}
        kept_values = before | {name: text for name, text in values.items() if text}
        if self.receiver.signs and not kept_values.get("secret"):
            kept_values["secret"] = new_secret()
        self.sealed = seal(json.dumps(kept_values))
        self.hints = {
            field.name: hint(kept_values[field.name], secret=field.secret)
            for field in self.receiver.fields
            if kept_values.get(field.name)
        }

    def rotate(self) -> str:
        """Sign with a new secret, which is shown this once; the old one signs beside it for another 24 hours."""
        if not self.receiver.signs:
            raise Refused(f"{self.receiver.name} has no secret to sign with.")
        values = json.loads(unseal(bytes(self.sealed)) or "{}")
        secret, until = new_secret(), timezone.now() + SECRET_OVERLAP
        changed = {"secret": secret, "previous_secret": values.get("secret", ""), "previous_until": until.isoformat()}
        self.sealed = seal(json.dumps(values | changed))
        self.save(update_fields=["sealed"])
        return secret

    # State

    def rest(self, *, at: datetime, asked: timedelta | None) -> None:
        """Leave it alone for a while after a failure: longer each time, and as long as its receiver asks for."""
        seconds = _WAITS[min(self.failures, len(_WAITS) - 1)]
        self.failures += 1
        self.rests_until = at + max(timedelta(seconds=seconds), asked or timedelta(0))

    def resume(self) -> None:
        Destination.objects.filter(pk=self.pk).update(
            paused_at=None, pause_reason="", failures=0, rests_until=None, busy_until=None
        )
        self.refresh_from_db()


class ChannelRule(Rule):
    """One more rule of a channel, such as at night only what is severe."""

    destination = models.ForeignKey(Destination, on_delete=models.CASCADE, related_name="more_rules")

    class Meta:
        ordering = ["pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Rule.BOTH_ENDS, name="channel_rules_have_both_ends_of_their_hours"),
        ]

    def __str__(self) -> str:
        return f"Rule of {self.destination}"


def may_manage(user: User, team: Team | None) -> bool:
    return has_role(user, Role.LEAD, team=team) if team else user.is_superuser


def require_manager(user: User, team: Team | None, *, to: str) -> None:
    """Raise NotAllowed unless `user` leads the team, or administers where there is none."""
    if team:
        require_role(user, Role.LEAD, team=team, to=to)
    else:
        require_administrator(user, to=to)


def check_room(team: Team | None) -> None:
    """Raise Refused where a team has as many destinations as it may."""
    if Destination.objects.filter(team=team).count() >= MOST:
        raise Refused(f"There are {MOST} channels already. Remove one first.")


def new_secret() -> str:
    """A secret as Standard Webhooks writes it: 32 random bytes."""
    return "whsec_" + base64.b64encode(os.urandom(32)).decode()


def hint(value: str, *, secret: bool) -> str:
    """What may be shown of a field: of a secret its end, of a secret address its host too."""
    if not secret:
        return value
    host = urlsplit(value).hostname if "://" in value else ""
    ending = value[-4:] if len(value) >= 12 else ""
    return f"{host}/…{ending}" if host else f"…{ending}"
