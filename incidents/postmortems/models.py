"""The postmortem: facts filled in with their source, judgement left to people."""

from datetime import date, timedelta
from typing import Any, Self

from django.db import models, transaction
from django.utils import timezone

from incidents.people.models import User
from incidents.postmortems import guide
from incidents.response.models import Event, Incident, Refused, Severity, Status, WrongStatus, of_visible


class StaleText(Exception):
    """Somebody else saved this section meanwhile; `section` is theirs, `text` is what was not saved."""

    def __init__(self, section: "Section", text: str) -> None:
        super().__init__(f"{section.edited_by or 'Somebody'} saved “{section.title}” while you were writing.")
        self.section = section
        self.text = text


# Business days from the resolution to the due date; what hurts most is understood first.
DUE_AFTER = {Severity.SEV1: 3, Severity.SEV2: 5, Severity.SEV3: 10, Severity.SEV4: 15, Severity.UNKNOWN: 10}


def due_date(incident: Incident) -> date:
    """When the postmortem of a resolved incident is due, counted in business days in UTC."""
    day = timezone.localdate(incident.resolved_at or timezone.now())
    left = DUE_AFTER[Severity(incident.severity)]
    while left:
        day += timedelta(days=1)
        left -= day.weekday() < 5
    return day


class PostmortemQuerySet(models.QuerySet["Postmortem"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(of_visible(user)) if user.is_active else self.none()

    def for_list(self) -> Self:
        return self.select_related("incident", "incident__system", "owner").order_by(
            models.Case(models.When(state__in=["draft", "in_review"], then=0), default=1), "due_on", "-pk"
        )

    def unfinished(self) -> Self:
        return self.filter(state__in=[Postmortem.State.DRAFT, Postmortem.State.IN_REVIEW])

    def overdue(self) -> Self:
        return self.unfinished().filter(due_on__lt=timezone.localdate())

    def begin(self, incident: Incident, *, by: User | None = None) -> "Postmortem":
        """Start the postmortem of a resolved incident, or return the one that was started. Safe to call twice."""
        with transaction.atomic():
            row = Incident.objects.select_for_update(no_key=True).get(pk=incident.pk)
            if found := self.filter(incident=row).first():
                return found
            if row.status not in (Status.RESOLVED, Status.CLOSED):
                raise WrongStatus(
                    f"{row} is {row.get_status_display().lower()}; a postmortem starts when it is resolved."
                )
            postmortem = self.create(incident=row, owner=row.lead or by, due_on=due_date(row))
            Section.objects.bulk_create(
                Section(postmortem=postmortem, key=part.key, position=position)
                for position, part in enumerate(guide.PARTS)
            )
            row.record(Event.Kind.POSTMORTEM, by=by, became="draft", owner=str(postmortem.owner or ""))
        return postmortem


class Postmortem(models.Model):
    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        IN_REVIEW = "in_review", "In review"
        PUBLISHED = "published", "Published"
        NOT_REQUIRED = "not_required", "Not required"

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="postmortems")
    state = models.CharField(max_length=16, choices=State, default=State.DRAFT)
    owner = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="postmortems")
    due_on = models.DateField()
    started_at = models.DateTimeField(default=timezone.now)
    published_at = models.DateTimeField(null=True, blank=True)
    published_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    not_required_because = models.TextField(blank=True, max_length=1000)
    # What was filled in when it was published, so that a published document never changes under its readers.
    frozen_facts = models.JSONField(default=dict, blank=True)

    objects = PostmortemQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["incident"], name="one_postmortem_per_incident"),
            models.CheckConstraint(
                condition=models.Q(state="published", published_at__isnull=False)
                | (~models.Q(state="published") & models.Q(published_at__isnull=True)),
                name="published_postmortems_say_when",
            ),
        ]

    def __str__(self) -> str:
        return f"Postmortem of {self.incident}"

    def get_absolute_url(self) -> str:
        return f"/postmortems/{self.incident.number}/"

    @property
    def is_editable(self) -> bool:
        return self.state in (self.State.DRAFT, self.State.IN_REVIEW)

    @property
    def is_overdue(self) -> bool:
        return self.is_editable and self.due_on < timezone.localdate()

    def missing(self) -> list[str]:
        """Name the sections that are still empty and without which nobody learns anything."""
        written = {section.key: section.text.strip() for section in self.sections.all()}
        return [part.title for part in guide.PARTS if part.required and not written.get(part.key)]

    def send_to_review(self, *, by: User) -> None:
        self._check_complete("be reviewed")
        self._move([self.State.DRAFT], to=self.State.IN_REVIEW, by=by)

    def send_back(self, *, by: User, reason: str) -> None:
        if not reason.strip():
            raise Refused("Say what is missing.")
        self._move([self.State.IN_REVIEW], to=self.State.DRAFT, by=by, reason=reason.strip())

    def publish(self, *, by: User, facts: dict[str, Any]) -> None:
        """Publish it for everybody who may see the incident, with the filled-in facts as they are now."""
        self._check_complete("be published")
        self._move(
            [self.State.IN_REVIEW],
            to=self.State.PUBLISHED,
            by=by,
            published_at=timezone.now(),
            published_by=by,
            frozen_facts=facts,
        )

    def excuse(self, *, by: User, reason: str) -> None:
        """Say that none is required, and why; it is counted as such."""
        if not reason.strip():
            raise Refused("Say why no postmortem is required.")
        self._move([self.State.DRAFT], to=self.State.NOT_REQUIRED, by=by, not_required_because=reason.strip())

    def reopen(self, *, by: User, reason: str) -> None:
        """Take a published or excused one up again."""
        if not reason.strip():
            raise Refused("Say why it is open again.")
        self._move(
            [self.State.PUBLISHED, self.State.NOT_REQUIRED],
            to=self.State.DRAFT,
            by=by,
            reason=reason.strip(),
            published_at=None,
            published_by=None,
            not_required_because="",
        )

    def assign(self, owner: User, *, by: User) -> None:
        if not Incident.objects.visible_to(owner).filter(pk=self.incident_id).exists():
            raise Refused(f"{owner} may not see {self.incident}, so they cannot own its postmortem.")
        with transaction.atomic():
            if Postmortem.objects.filter(pk=self.pk).exclude(owner=owner).update(owner=owner):
                self.incident.record(Event.Kind.POSTMORTEM, by=by, owner=str(owner))
        self.refresh_from_db()

    def _check_complete(self, what: str) -> None:
        if missing := self.missing():
            raise Refused(f"It cannot {what} yet; still empty: {', '.join(missing)}.")

    def _move(self, start: list[str], *, to: str, by: User, reason: str = "", **changes: Any) -> None:
        with transaction.atomic():
            if not Postmortem.objects.filter(pk=self.pk, state__in=start).update(state=to, **changes):
                self.refresh_from_db()
                raise WrongStatus(f"This postmortem is {self.get_state_display().lower()} already.")
            detail: dict[str, Any] = {"reason": reason} if reason else {}
            self.incident.record(Event.Kind.POSTMORTEM, by=by, became=str(to), **detail)
        self.refresh_from_db()


class Section(models.Model):
    """One part of a postmortem: what people wrote under its questions."""

    postmortem = models.ForeignKey(Postmortem, on_delete=models.CASCADE, related_name="sections")
    key = models.CharField(max_length=24)
    position = models.PositiveSmallIntegerField()
    text = models.TextField(blank=True, max_length=100_000)
    version = models.PositiveIntegerField(default=0)
    edited_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    edited_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["postmortem", "key"], name="one_section_per_key")]

    def __str__(self) -> str:
        return self.title

    @property
    def part(self) -> "guide.Part":
        return guide.part(self.key)

    @property
    def title(self) -> str:
        return self.part.title

    def write(self, text: str, *, by: User, version: int) -> None:
        """Save `text` written over `version`; raises StaleText, with both texts, if somebody else was faster."""
        text = text.replace("\r\n", "\n").strip()
        with transaction.atomic():
            postmortem = Postmortem.objects.select_for_update(no_key=True).get(pk=self.postmortem_id)
            if not postmortem.is_editable:
                raise WrongStatus(
                    f"This postmortem is {postmortem.get_state_display().lower()}; reopen it to change it."
                )
            saved = Section.objects.filter(pk=self.pk, version=version).update(
                text=text, version=version + 1, edited_by=by, edited_at=timezone.now()
            )
            if not saved:
                self.refresh_from_db()
                raise StaleText(self, text)
        self.refresh_from_db()
