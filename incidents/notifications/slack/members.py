"""Who somebody in Slack is here: by their confirmed address, or because they said so themselves while they were signed in."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from django.db import models
from django.urls import reverse
from django.utils import timezone

from incidents.errors import Refused
from incidents.notifications.slack.app import SlackApp
from incidents.people.models import User

LASTS = timedelta(minutes=15)  # a link to confirm who one is


@dataclass(frozen=True, slots=True)
class Sender:
    """Somebody in Slack, as a signed request names them: the ids of the workspace and of the member, and what they are called."""

    workspace: str
    member: str
    name: str


class SlackMemberQuerySet(models.QuerySet["SlackMember"]):
    def link_for(self, sender: Sender) -> str:
        """The path of a page on which whoever opens it, signed in, confirms that this is their Slack account. It works once."""
        secret = secrets.token_urlsafe(32)
        facts = {"name": sender.name[:80], "digest": _digest(secret), "link_until": timezone.now() + LASTS}
        self.update_or_create(workspace=sender.workspace, member=sender.member, defaults=facts)
        return reverse("slack-connect", args=[secret])

    def with_secret(self, secret: str) -> "SlackMember | None":
        """Whose link it is, while it works."""
        return self.filter(digest=_digest(secret), link_until__gt=timezone.now()).first()


class SlackMember(models.Model):
    """A member of a Slack workspace. Without a `person` nobody has confirmed yet who it is."""

    workspace = models.CharField(max_length=30)
    member = models.CharField(max_length=30)
    name = models.CharField(max_length=80, blank=True)
    person = models.ForeignKey(User, on_delete=models.CASCADE, null=True, blank=True, related_name="slack_members")
    by_email = models.BooleanField(default=False)
    connected_at = models.DateTimeField(null=True, blank=True)
    digest = models.CharField(max_length=64, blank=True)  # of the link's secret, which is stored nowhere
    link_until = models.DateTimeField(null=True, blank=True)

    objects = SlackMemberQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "member"], name="one_person_per_slack_member"),
        ]
        indexes: ClassVar = [models.Index(fields=["digest"], name="slack_links", condition=~models.Q(digest=""))]

    def __str__(self) -> str:
        return self.name or self.member

    def confirm(self, *, by: User) -> None:
        """Say that this is one's own account. Raises Refused where the link was used or is old."""
        now = timezone.now()
        mine = SlackMember.objects.filter(pk=self.pk, digest=self.digest, link_until__gt=now).exclude(digest="")
        if not mine.update(person=by, by_email=False, connected_at=now, digest="", link_until=None):
            raise Refused("This link was used already or is old. Type /faultline connect in Slack for a new one.")


def person_of(app: SlackApp, sender: Sender) -> User | None:
    """Who it is; None where nobody has said so and their address is nobody's here. May ask Slack, once for each member."""
    row = SlackMember.objects.filter(workspace=sender.workspace, member=sender.member).select_related("person").first()
    if row and row.person:
        return row.person if row.person.is_active else None
    address = app.email_of(sender.member)
    person = User.objects.active().filter(email__iexact=address).first() if address else None
    if person:
        facts = {"person": person, "by_email": True, "name": sender.name[:80], "connected_at": timezone.now()}
        SlackMember.objects.update_or_create(workspace=sender.workspace, member=sender.member, defaults=facts)
    return person


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
