"""Who read it, and how it reaches others: links that expire, a version for readers outside, the digest, anniversaries."""

import secrets
from datetime import date, datetime, timedelta
from typing import Self

from django.db import models, transaction
from django.db.models import Count, F
from django.urls import reverse
from django.utils import timezone

from incidents.errors import Refused, WrongStatus
from incidents.notifications.messages import Notification
from incidents.people.models import User, digest_of
from incidents.postmortems.document import Postmortem


class Reading(models.Model):
    """Somebody read a published postmortem."""

    postmortem = models.ForeignKey(Postmortem, on_delete=models.CASCADE, related_name="readings")
    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    first_at = models.DateTimeField(default=timezone.now)
    last_at = models.DateTimeField(default=timezone.now)
    times = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["postmortem", "person"], name="one_reading_per_person")]

    def __str__(self) -> str:
        return f"{self.person} read {self.postmortem}"

    @classmethod
    def note(cls, postmortem: Postmortem, person: User) -> None:
        """Count a reader once, however often they come back; within an hour it is the same visit."""
        if postmortem.state != Postmortem.State.PUBLISHED:
            return
        now = timezone.now()
        reading, new = cls.objects.get_or_create(postmortem=postmortem, person=person)
        if not new and now - reading.last_at > timedelta(hours=1):
            cls.objects.filter(pk=reading.pk).update(last_at=now, times=F("times") + 1)

    @classmethod
    def summary(cls, postmortem: Postmortem) -> str:
        """Say by how many, and from how many teams, it was read."""
        counts = cls.objects.filter(postmortem=postmortem).aggregate(
            people=Count("person", distinct=True), teams=Count("person__memberships__team", distinct=True)
        )
        people, teams = counts["people"], counts["teams"]
        if not people:
            return "not read by anyone yet"
        if not 1 < teams <= people:  # whoever is in several teams would make them look like more readers
            return f"read by {people} {'person' if people == 1 else 'people'}"
        return f"read by {people} people from {teams} teams"


# For the outside


class ExternalVersion(models.Model):
    """A separate version for external readers, written by one person and approved by another."""

    postmortem = models.OneToOneField(Postmortem, on_delete=models.CASCADE, related_name="external")
    text = models.TextField(max_length=50_000)
    written_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    written_at = models.DateTimeField(default=timezone.now)
    approved_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    approved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(approved_by=None) | ~models.Q(approved_by=F("written_by")),
                name="nobody_approves_their_own_external_words",
            )
        ]

    def __str__(self) -> str:
        return f"External version of {self.postmortem}"

    @property
    def is_approved(self) -> bool:
        return self.approved_at is not None

    @classmethod
    def write(cls, postmortem: Postmortem, text: str, *, by: User) -> "ExternalVersion":
        """Write it, or write it anew; an approval is for the words that were approved, so it ends."""
        if not text.strip():
            raise Refused("Write what external readers should know.")
        with transaction.atomic():
            stored = cls.objects.select_for_update().filter(postmortem=postmortem).first()
            if stored and stored.text == text.strip():
                return stored
            content = {
                "text": text.strip()[:50_000],
                "written_by": by,
                "written_at": timezone.now(),
                "approved_by": None,
                "approved_at": None,
            }
            version, _ = cls.objects.update_or_create(postmortem=postmortem, defaults=content)
            postmortem.record(by, external="written")
        return version

    def approve(self, *, by: User) -> None:
        """Approve exactly the text that `self` holds; raises WrongStatus where it was changed meanwhile."""
        if by.pk == self.written_by_id:
            raise Refused("Someone other than its author has to approve it.")
        with transaction.atomic():
            same = ExternalVersion.objects.filter(
                pk=self.pk, approved_at=None, text=self.text, written_by=self.written_by
            )
            if not same.update(approved_by=by, approved_at=timezone.now()):
                raise WrongStatus("The text was changed or approved meanwhile. Read it again.")
            self.postmortem.record(by, external="approved")
        self.refresh_from_db()


class ShareLinkQuerySet(models.QuerySet["ShareLink"]):
    def make(self, postmortem: Postmortem, *, external: bool, days: int, by: User) -> "tuple[ShareLink, str]":
        """Make a link that ends by itself; its secret is shown once and kept as a digest. 1 to 90 days.

        Raises Refused for the whole text of a private incident, and for external words that nobody approved.
        """
        if not 1 <= days <= 90:
            raise Refused("A link can last 1 to 90 days.")
        if postmortem.state != Postmortem.State.PUBLISHED:
            raise WrongStatus("Only published postmortems can be shared.")
        if not external and postmortem.is_private:
            raise Refused("It covers a private incident, so only an approved external version can be shared.")
        if external and not ExternalVersion.objects.filter(postmortem=postmortem).exclude(approved_at=None).exists():
            raise Refused("Its external version has not been approved yet.")
        secret = secrets.token_urlsafe(24)
        with transaction.atomic():
            link = self.create(
                postmortem=postmortem,
                digest=digest_of(secret),
                external=external,
                by=by,
                expires_at=timezone.now() + timedelta(days=days),
            )
            postmortem.record(by, shared="external" if external else "whole", until=f"{link.expires_at:%Y-%m-%d}")
        return link, secret

    def usable(self) -> Self:
        return self.filter(revoked_at=None, expires_at__gt=timezone.now())

    def find(self, secret: str) -> "ShareLink | None":
        """Find the link of a secret, if it may still be followed: not ended, still published, still as public as then."""
        link = self.usable().select_related("postmortem__incident").filter(digest=digest_of(secret)).first()
        if link is None or link.postmortem.state != Postmortem.State.PUBLISHED:
            return None
        if link.external:
            return (
                link
                if ExternalVersion.objects.filter(postmortem=link.postmortem).exclude(approved_at=None).exists()
                else None
            )
        return None if link.postmortem.is_private else link


class ShareLink(models.Model):
    """Lets whoever has the address read one postmortem for a while, without an account."""

    postmortem = models.ForeignKey(Postmortem, on_delete=models.CASCADE, related_name="share_links")
    digest = models.CharField(max_length=64, unique=True)
    external = models.BooleanField(default=False)
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    opened = models.PositiveIntegerField(default=0)

    objects = ShareLinkQuerySet.as_manager()

    def __str__(self) -> str:
        return f"link to {self.postmortem}"

    def revoke(self, *, by: User) -> None:
        with transaction.atomic():
            if ShareLink.objects.filter(pk=self.pk, revoked_at=None).update(revoked_at=timezone.now()):
                self.postmortem.record(by, shared="ended")

    def count(self) -> None:
        ShareLink.objects.filter(pk=self.pk).update(opened=F("opened") + 1)


# What comes by mail


def send_digest(today: date | None = None) -> int:
    """Owe everybody who wants it the digest of last week's publications; returns to how many. Safe to run twice."""
    today = today or timezone.localdate()
    monday = today - timedelta(days=today.weekday())
    since, until = _midnight(monday - timedelta(days=7)), _midnight(monday)
    week = Postmortem.objects.published().filter(published_at__gte=since, published_at__lt=until, provenance=None)
    if not week.exists():
        return 0
    readers = 0
    key = f"digest:{monday:%Y-%m-%d}"
    for person in User.objects.active().filter(digest=True):
        rows = week.visible_to(person).select_related("incident", "incident__system").order_by("published_at")
        visible = list(rows)
        lines = [_in_one_line(postmortem) for postmortem in visible]
        about = [incident for postmortem in visible for incident in postmortem.incidents]
        if lines:
            subject = f"{len(lines)} postmortem{'s' if len(lines) > 1 else ''} published last week"
            path = f"{reverse('postmortems')}?show=published"
            Notification.objects.tell(
                [person], topic="digest", about=about, subject=subject, text="\n".join(lines), path=path, key=key
            )
            readers += 1
    return readers


def _in_one_line(postmortem: Postmortem) -> str:
    system = postmortem.incident.system
    return f"{postmortem.incident} {postmortem.name}{f' ({system})' if system else ''}"


def remember_anniversaries(today: date | None = None) -> int:
    """A year after publication, ask the owner whether what was learnt still holds. Safe to run twice."""
    today = today or timezone.localdate()
    year_ago = _midnight(today) - timedelta(days=365)
    since, until = year_ago - timedelta(days=7), year_ago + timedelta(days=1)
    postmortems = Postmortem.objects.published().filter(published_at__gte=since, published_at__lt=until)
    for postmortem in postmortems.select_related("incident", "owner").exclude(owner=None):
        postmortem.tell(
            "anniversary",
            [postmortem.owner] if postmortem.owner else [],
            f"A year since {postmortem.incident}: does it still hold?",
            "Look at the follow-ups and checks that came out of it. Are they still in place, and has it come back?",
            key="year-1",
        )
    return postmortems.count()


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime(day.year, day.month, day.day), timezone.get_default_timezone())  # noqa: DTZ001
