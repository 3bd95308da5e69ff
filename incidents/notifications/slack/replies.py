"""What goes back to Slack after a button was pressed: rows, sent by a worker, since a message can be changed that way alone."""

import json
from datetime import timedelta
from typing import ClassVar

import structlog
from django.db import models, transaction
from django.utils import timezone

from incidents import outgoing
from incidents.notifications.channels.addresses import address
from incidents.notifications.channels.answers import Reception, judge_status
from incidents.notifications.channels.base import post_json
from incidents.notifications.slack.words import Message
from incidents.response.incident import Incident
from incidents.web.sealing import seal, unseal

log = structlog.get_logger(__name__)

VALID = timedelta(minutes=30)  # as long as Slack takes answers at such an address
SECONDS = 3.0
_check_address = address("Slack", "hooks.slack.com", "hooks.slack-gov.com")


class SlackReplyQuerySet(models.QuerySet["SlackReply"]):
    def owe(self, url: str, message: Message, *, incident: Incident | None = None) -> None:
        """Owe an answer. One that shows an incident is not sent once it is private. An address that is not Slack's is left out."""
        try:
            checked = _check_address(url)
        except ValueError:
            log.warning("slack_reply_without_address")
            return
        self.create(sealed=seal(json.dumps({"url": checked, "message": message})), incident=incident)

    def send(self, *, most: int = 20) -> int:
        """Send what is due; returns how many were delivered. What Slack does not take is dropped, after half an hour anything."""
        delivered = 0
        for _ in range(most):
            with transaction.atomic():
                due = self.filter(due_at__lte=timezone.now()).order_by("due_at", "pk")
                row = due.select_for_update(skip_locked=True, of=("self",)).select_related("incident").first()
                if row is None:
                    break
                delivered += row.attempt()
        return delivered


class SlackReply(models.Model):
    """One answer. The address lets anybody who knows it post there, so all of it is sealed; it is deleted once it was sent."""

    sealed = models.BinaryField()
    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField(default=timezone.now)
    attempts = models.PositiveSmallIntegerField(default=0)

    objects = SlackReplyQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["due_at"], name="slack_replies_due")]

    def __str__(self) -> str:
        return f"Reply of {self.made_at:%H:%M}"

    def attempt(self) -> bool:
        """Try once; whether it was delivered. The row is locked by whoever calls."""
        now, text = timezone.now(), unseal(bytes(self.sealed))
        if text is None or now - self.made_at > VALID or (self.incident and self.incident.private):
            self.delete()
            return False
        reception = _post(json.loads(text))
        if reception is Reception.RETRY:
            self.due_at, self.attempts = now + timedelta(seconds=5 * 2**self.attempts), self.attempts + 1
            self.save(update_fields=["due_at", "attempts"])
            return False
        self.delete()
        return reception is Reception.DELIVERED


def _post(reply: dict[str, object]) -> Reception:
    request = post_json(str(reply["url"]), reply["message"])
    try:
        answer = outgoing.send(
            request.method, request.url, body=request.body, headers=request.headers, seconds=SECONDS, most=2_000
        )
    except outgoing.Unreachable:
        return Reception.RETRY
    except outgoing.Blocked:
        return Reception.REFUSED
    judgement = judge_status(answer, now=timezone.now())
    if judgement.reception is not Reception.DELIVERED:
        log.warning("slack_reply_not_taken", status=answer.status)
    return judgement.reception


class SlackRequest(models.Model):
    """A request that Slack sent, by its signature, so that the same one is never obeyed twice; kept while it would be taken."""

    digest = models.CharField(max_length=64, primary_key=True)
    received_at = models.DateTimeField(default=timezone.now, db_index=True)

    def __str__(self) -> str:
        return self.digest[:8]

    @classmethod
    def is_new(cls, digest: str) -> bool:
        """Note it; False where it was noted before. In the transaction of what is done about it."""
        return cls.objects.get_or_create(digest=digest)[1]

    @classmethod
    def prune(cls) -> None:
        """Forget what is too old to be taken."""
        cls.objects.filter(received_at__lt=timezone.now() - timedelta(hours=1)).delete()
