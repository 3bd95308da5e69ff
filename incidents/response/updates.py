"""What stakeholders are told: status updates with a next one promised, who follows them, and the public page."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Self

from django.db import models, transaction
from django.utils import timezone

from incidents.errors import Refused, WrongStatus
from incidents.people.models import Team, User
from incidents.response.events import Event
from incidents.response.incident import Incident
from incidents.response.notices import Notice
from incidents.response.vocabulary import IncidentKind, Severity, Status
from incidents.systems.models import System


class Cadence(models.Model):
    """How often stakeholders hear of an incident of this severity, in minutes; empty for never."""

    severity = models.CharField(max_length=8, choices=Severity, primary_key=True)
    minutes = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["severity"]
        verbose_name_plural = "cadences"

    def __str__(self) -> str:
        return f"{self.get_severity_display()}: {f'every {self.minutes} min' if self.minutes else 'never'}"

    @classmethod
    def by_severity(cls) -> dict[str, int | None]:
        return dict(cls.objects.values_list("severity", "minutes"))


def next_update_due(incident: Incident, cadences: Mapping[str, int | None]) -> datetime | None:
    """When stakeholders are owed the next update: as the last one promised, else by the cadence of the severity.

    None for what is over, waits in triage, is a test, or has no cadence.
    """
    if incident.status not in (Status.INVESTIGATING, Status.CONTAINED) or incident.kind != IncidentKind.REAL:
        return None
    if incident.next_update_at:
        return incident.next_update_at
    minutes = cadences.get(incident.severity)
    began = incident.last_update_at or incident.acknowledged_at or incident.declared_at
    return began + timedelta(minutes=minutes) if minutes else None


class UpdateQuerySet(models.QuerySet["Update"]):
    def post(
        self, incident: Incident, *, text: str, by: User, impact: str = "", next_at: datetime | None = None
    ) -> "Update":
        """Tell everybody who follows it; `next_at` promises when they hear again."""
        text = text.strip()
        if not text:
            raise Refused("Say what stakeholders should know.")
        now = timezone.now()
        if next_at and next_at <= now:
            raise Refused("The next update cannot be promised for the past.")
        with transaction.atomic():
            row = incident.locked()
            made = self.create(
                incident=incident, text=text, impact=impact.strip(), by=by, next_at=next_at, at=now,
                status=row.status, severity=row.severity,
            )  # fmt: skip
            Incident.objects.filter(pk=incident.pk).update(last_update_at=now, next_update_at=next_at)
            incident.record(
                Event.Kind.UPDATE, by=by, id=made.pk, text=text, impact=made.impact, status=row.status, severity=row.severity
            )  # fmt: skip
            Notice.objects.tell(
                Follower.people_of(row),
                subject=f"{row} {row.get_severity_display()} {row.get_status_display()}: {row.title}",
                text=text + (f"\n\nImpact: {made.impact}" if made.impact else ""),
                path=row.get_absolute_url(),
                key=f"update:{made.pk}",
            )
        incident.refresh_from_db()
        return made


class Update(models.Model):
    """What stakeholders were told at one moment, and how the incident stood then."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="updates")
    text = models.TextField(max_length=5000)
    impact = models.TextField(max_length=1000, blank=True)
    status = models.CharField(max_length=16, choices=Status)
    severity = models.CharField(max_length=8, choices=Severity)
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    next_at = models.DateTimeField(null=True, blank=True)

    objects = UpdateQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["incident", "-at"], name="updates_by_incident")]

    def __str__(self) -> str:
        return self.text[:80]


def remind_of_updates() -> int:
    """Tell the lead and whoever has a role once when an update is overdue; returns of how many incidents."""
    cadences, now, told = Cadence.by_severity(), timezone.now(), 0
    running = Incident.objects.filter(status__in=[Status.INVESTIGATING, Status.CONTAINED], kind=IncidentKind.REAL)
    for incident in running.order_by("pk").iterator():
        due = next_update_due(incident, cadences)
        if due and due < now and incident.reminded_at != due:
            told += _remind(incident, due)
    return told


def _remind(incident: Incident, due: datetime) -> bool:
    with transaction.atomic():
        not_yet = Incident.objects.filter(pk=incident.pk).exclude(reminded_at=due)
        if not not_yet.update(reminded_at=due):
            return False
        incident.record(Event.Kind.OVERDUE, by=None, due=due.isoformat())
        people = {row.person for row in incident.assignments.select_related("person")} | (
            {incident.lead} if incident.lead else set()
        )
        Notice.objects.tell(
            people,
            subject=f"{incident}: an update is overdue",
            text=f"Stakeholders of “{incident.title}” were promised news by {due:%H:%M} UTC.",
            path=incident.get_absolute_url(),
            key=f"overdue:{incident.pk}:{due.timestamp():.0f}",
        )
    return True


# Who follows what


class Follower(models.Model):
    """Somebody is told of the status updates of one incident, of a system's incidents, or of a team's."""

    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="follows")
    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, null=True, blank=True, related_name="followers")
    system = models.ForeignKey(System, on_delete=models.CASCADE, null=True, blank=True, related_name="followers")
    team = models.ForeignKey(Team, on_delete=models.CASCADE, null=True, blank=True, related_name="followers")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(incident__isnull=False, system__isnull=True, team__isnull=True)
                | models.Q(incident__isnull=True, system__isnull=False, team__isnull=True)
                | models.Q(incident__isnull=True, system__isnull=True, team__isnull=False),
                name="followers_follow_one_thing",
            ),
            models.UniqueConstraint(
                fields=["person", "incident", "system", "team"], nulls_distinct=False, name="nobody_follows_twice"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person} follows {self.incident or self.system or self.team}"

    @classmethod
    def toggle(cls, person: User, **of: Any) -> bool:
        """Follow it, or stop following it; returns whether the person follows it now."""
        if cls.objects.filter(person=person, **of).delete()[0]:
            return False
        cls.objects.get_or_create(person=person, **of)
        return True

    @classmethod
    def people_of(cls, incident: Incident) -> list[User]:
        """Give who is told about an incident, among those who may see it."""
        follows = models.Q(incident=incident)
        if incident.system_id:
            follows |= models.Q(system=incident.system_id)
        if incident.team_id:
            follows |= models.Q(team=incident.team_id)
        people = User.objects.filter(pk__in=cls.objects.filter(follows).values("person"), is_active=True)
        if incident.private:
            people = people.filter(pk__in=incident.people.values("pk"))
        return list(people)


# The public page of a system


class PublicPageQuerySet(models.QuerySet["PublicPage"]):
    def shown(self) -> Self:
        return self.filter(is_on=True)


class PublicPage(models.Model):
    """What the public reads about a system, in its own words; nothing of an incident is on it unless somebody wrote it there."""

    system = models.OneToOneField(System, on_delete=models.CASCADE, related_name="public_page")
    is_on = models.BooleanField("can be read by everybody", default=False)
    name = models.CharField(max_length=80)
    intro = models.CharField(max_length=500, blank=True)

    objects = PublicPageQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return f"/public/{self.system.slug}/"


class PublicPostQuerySet(models.QuerySet["PublicPost"]):
    def write(
        self, page: PublicPage, *, text: str, state: str, by: User, incident: Incident | None = None
    ) -> "PublicPost":
        """Write something for the public. Nobody reads it until a second person approves it."""
        text = text.strip()
        if not text:
            raise Refused("Write what the public should know.")
        with transaction.atomic():
            made = self.create(page=page, text=text, state=PublicPost.State(state), written_by=by, incident=incident)
            if incident:
                incident.record(Event.Kind.PUBLIC, by=by, became="written", text=text[:300])
        return made

    def published(self) -> Self:
        return self.filter(approved_at__isnull=False, withdrawn_at=None).order_by("-approved_at", "-pk")

    def waiting(self) -> Self:
        return self.filter(approved_at=None, withdrawn_at=None).order_by("written_at", "pk")


class PublicPost(models.Model):
    """One entry of a public page: written by one person, approved by another."""

    class State(models.TextChoices):
        PROBLEM = "problem", "We see a problem"
        LIMITED = "limited", "The problem is limited"
        SOLVED = "solved", "It works again"
        NEWS = "news", "For your information"

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
            raise Refused("Somebody else has to approve what you wrote for the public.")
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
                raise WrongStatus("Somebody else decided about it meanwhile.")
            self.refresh_from_db()
            if self.incident:
                self.incident.record(Event.Kind.PUBLIC, by=by, became=became, text=self.text[:300])
