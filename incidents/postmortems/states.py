"""The states of a postmortem, and its way from the first draft to its readers."""

from typing import Any

from django.db import models, transaction
from django.utils import timezone

from incidents.errors import Refused, WrongStatus
from incidents.people.models import User


class States(models.Model):
    """What Postmortem is made of as far as its state goes. Each verb compares and sets in one statement and records it."""

    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        IN_REVIEW = "in_review", "In review"
        APPROVED = "approved", "Approved"
        PUBLISHED = "published", "Published"
        NOT_REQUIRED = "not_required", "Not required"

    state = models.CharField(max_length=16, choices=State, default=State.DRAFT)
    published_at = models.DateTimeField(null=True, blank=True)
    published_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    not_required_because = models.TextField(blank=True, max_length=1000)
    # What was filled in when it was published, so that a published document never changes under its readers.
    frozen_facts = models.JSONField(default=dict, blank=True)

    objects: Any
    reviews: Any
    comments: Any

    class Meta:
        abstract = True

    def record(self, by: User | None, **detail: Any) -> None:
        """Append to the incident's log; Postmortem knows to which."""
        raise NotImplementedError

    def announce(self, what: str, subject: str = "", *, key: str) -> None:
        """Tell the channels that want to hear of it; Postmortem knows which."""
        raise NotImplementedError

    def send_to_review(self, *, by: User, missing: list[str]) -> None:
        """Ask for review. `missing` is what readiness.missing() found; nothing may be."""
        if missing:
            raise Refused(f"It is not ready for review. {' '.join(missing)}")
        self._move([self.State.DRAFT], to=self.State.IN_REVIEW, by=by)

    def send_back(self, *, by: User, reason: str) -> None:
        if not reason.strip():
            raise Refused("Say what is missing.")
        with transaction.atomic():
            self._move([self.State.IN_REVIEW, self.State.APPROVED], to=self.State.DRAFT, by=by, reason=reason.strip())
            self.reviews.update(verdict="", decided_at=None)

    def approve(self, *, by: User) -> None:
        """Mark it approved; reviews.decide() calls this once all that the policy asks for have said yes."""
        self._move([self.State.IN_REVIEW], to=self.State.APPROVED, by=by)

    def publish(self, *, by: User, facts: dict[str, Any]) -> None:
        """Publish it for everybody who may see its incidents, with the filled-in facts as they are now.

        From here on it is locked: what is found later is added to it as an amendment, or it is reopened.
        """
        if open_comments := self.comments.filter(resolved_at=None, parent=None).count():
            raise Refused(f"{open_comments} comment{'s are' if open_comments > 1 else ' is'} still open.")
        now = timezone.now()
        with transaction.atomic():
            self._move(
                [self.State.APPROVED],
                to=self.State.PUBLISHED,
                by=by,
                published_at=now,
                published_by=by,
                frozen_facts=facts,
            )
            self.announce("published", key=f"published-{now:%Y%m%d%H%M%S}")

    def excuse(self, *, by: User, reason: str) -> None:
        """Say that none is required, and why; it is counted as such."""
        if not reason.strip():
            raise Refused("Give a reason why none is required.")
        self._move([self.State.DRAFT], to=self.State.NOT_REQUIRED, by=by, not_required_because=reason.strip())

    def reopen(self, *, by: User, reason: str) -> None:
        """Take a published or excused one up again. Who had approved it is asked again."""
        if not reason.strip():
            raise Refused("Give a reason for reopening it.")
        with transaction.atomic():
            self._move(
                [self.State.PUBLISHED, self.State.NOT_REQUIRED],
                to=self.State.DRAFT,
                by=by,
                reason=reason.strip(),
                published_at=None,
                published_by=None,
                not_required_because="",
            )
            self.reviews.update(verdict="", decided_at=None)

    def _move(self, start: list[str], *, to: str, by: User, reason: str = "", **changes: Any) -> None:
        with transaction.atomic():
            if not type(self).objects.filter(pk=self.pk, state__in=start).update(state=to, **changes):
                self.refresh_from_db()
                raise WrongStatus(f"This postmortem is already {self.get_state_display().lower()}.")
            self.record(by, became=str(to), **({"reason": reason} if reason else {}))
        self.refresh_from_db()


UNFINISHED = [States.State.DRAFT, States.State.IN_REVIEW, States.State.APPROVED]
