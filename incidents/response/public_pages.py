"""The public page of a system: what one person writes, another approves."""

from typing import Self

from django.db import models, transaction
from django.urls import reverse
from django.utils import timezone

from incidents.errors import Refused, WrongStatus
from incidents.people.models import User
from incidents.response.events import Event
from incidents.response.incident import Incident, of_visible
from incidents.systems.models import System
from incidents.texts import check_readable


class PublicPageQuerySet(models.QuerySet["PublicPage"]):
    def public(self) -> Self:
        return self.filter(is_on=True)


class PublicPage(models.Model):
    """What the public reads about a system, in its own words; nothing of an incident is on it unless somebody wrote it there."""

    system = models.OneToOneField(System, on_delete=models.CASCADE, related_name="public_page")
    is_on = models.BooleanField("can be read by everybody", default=False)
    name = models.CharField(max_length=80, validators=[check_readable])
    intro = models.CharField(max_length=500, blank=True)

    objects = PublicPageQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("public", args=[self.system.slug])


class PublicPostQuerySet(models.QuerySet["PublicPost"]):
    def write(
        self, page: PublicPage, *, text: str, state: str, by: User, incident: Incident | None = None
    ) -> "PublicPost":
        """Write something for the public. Nobody reads it until a second person approves it."""
        text = text.strip()
        if not text:
            raise Refused("Write what the public should know.")
        with transaction.atomic():
            post = self.create(page=page, text=text, state=PublicPost.State(state), written_by=by, incident=incident)
            if incident:
                incident.record(Event.Kind.PUBLIC, by=by, became="written", text=text[:300])
        return post

    def visible_to(self, user: User) -> Self:
        """Keep what everybody reads anyway, and else what is about no incident that is hidden from the user."""
        return self.filter(of_visible(user) | models.Q(approved_at__isnull=False)) if user.is_active else self.none()

    def published(self) -> Self:
        return self.filter(approved_at__isnull=False, withdrawn_at=None).order_by("-approved_at", "-pk")

    def waiting(self) -> Self:
        return self.filter(approved_at=None, withdrawn_at=None).order_by("written_at", "pk")


class PublicPost(models.Model):
    """One entry of a public page: written by one person, approved by another."""

    class State(models.TextChoices):
        PROBLEM = "problem", "We are investigating a problem"
        LIMITED = "limited", "The problem is contained"
        SOLVED = "solved", "Resolved"
        NEWS = "news", "Notice"

    page = models.ForeignKey(PublicPage, on_delete=models.CASCADE, related_name="posts")
    incident = models.ForeignKey(
        Incident, on_delete=models.SET_NULL, null=True, blank=True, related_name="public_posts"
    )
    state = models.CharField(max_length=12, choices=State, default=State.PROBLEM)
    text = models.TextField(max_length=5000)
    written_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    written_at = models.DateTimeField(default=timezone.now)
    approved_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    approved_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    objects = PublicPostQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(approved_by__isnull=True) | ~models.Q(approved_by=models.F("written_by")),
                name="nobody_approves_their_own_public_words",
            ),
        ]

    def __str__(self) -> str:
        return self.text[:80]

    def approve(self, *, by: User) -> None:
        """Publish it. Not by whoever wrote it."""
        if by.pk == self.written_by_id:
            raise Refused("Someone else has to approve what you wrote for the public.")
        self._set("published", by=by, approved_by=by, approved_at=timezone.now())

    def withdraw(self, *, by: User) -> None:
        """Take it from the page, or drop it before it got there."""
        self._set("withdrawn", by=by, withdrawn_at=timezone.now())

    def _set(self, became: str, *, by: User, **changes: object) -> None:
        open_ = PublicPost.objects.filter(pk=self.pk, withdrawn_at=None)
        if became == "published":
            open_ = open_.filter(approved_at=None)
        with transaction.atomic():
            if not open_.update(**changes):
                raise WrongStatus("Someone else has already decided about it.")
            self.refresh_from_db()
            if self.incident:
                self.incident.record(Event.Kind.PUBLIC, by=by, became=became, text=self.text[:300])
