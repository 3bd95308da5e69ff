"""Links by which a calendar elsewhere subscribes to shifts."""

import secrets
from typing import Self

from django.db import models, transaction
from django.utils import timezone

from incidents.people.models import Team, User, digest_of


class CalendarLinkQuerySet(models.QuerySet["CalendarLink"]):
    def in_force(self) -> Self:
        return self.filter(revoked_at=None, owner__is_active=True)

    def make(self, owner: User, team: Team | None = None) -> tuple["CalendarLink", str]:
        """Make a link to a team's shifts, or without a team to one's own, and return it with its secret.

        The secret cannot be read again; the link of the same kind that there was ends.
        """
        secret = secrets.token_urlsafe(32)
        with transaction.atomic():
            User.objects.select_for_update().get(pk=owner.pk)  # so that two at once are made one after the other
            self.filter(owner=owner, team=team, revoked_at=None).update(revoked_at=timezone.now())
            link = self.create(owner=owner, team=team, digest=digest_of(secret))
        return link, secret

    def find(self, secret: str) -> "CalendarLink | None":
        """Find what a secret opens. Only its digest is stored, so the index does the comparing."""
        return self.in_force().select_related("owner", "team").filter(digest=digest_of(secret)).first()


class CalendarLink(models.Model):
    """A secret address of shifts, for as long as its owner is active and does not revoke it."""

    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="calendar_links")
    team = models.ForeignKey(Team, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    digest = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField(default=timezone.now)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = CalendarLinkQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "team"],
                condition=models.Q(revoked_at__isnull=True),
                nulls_distinct=False,
                name="one_calendar_link_in_force",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.owner}: {self.team or 'own shifts'}"

    def revoke(self) -> None:
        CalendarLink.objects.filter(pk=self.pk, revoked_at=None).update(revoked_at=timezone.now())
