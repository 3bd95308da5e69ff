"""Overrides: for a while, somebody else is on call."""

from datetime import datetime, timedelta
from typing import Any, Self

from django.db import models, transaction
from django.utils import timezone

from incidents.errors import Refused, WrongStatus
from incidents.oncall.pointer import OnCall, RotaChange
from incidents.oncall.rota import check_people
from incidents.oncall.shifts import Because, Duty
from incidents.people.models import Team, User
from incidents.years import check_year

LONGEST = timedelta(days=92)
MOST_AHEAD = 200  # that are not over, for each team


class OverrideQuerySet(models.QuerySet["Override"]):
    def of(self, team: Team) -> Self:
        return self.filter(team=team)

    def not_over(self) -> Self:
        return self.filter(ends_at__gt=timezone.now())

    def touching(self, since: datetime, until: datetime) -> Self:
        """Keep what touches a stretch of time, in the order in which they were made: later ones count."""
        return self.filter(starts_at__lt=until, ends_at__gt=since).order_by("pk")

    def add(
        self, team: Team, *, person: User, starts_at: datetime, ends_at: datetime, by: User | None, **more: Any
    ) -> "Override":
        """Put somebody on call for a while, instead of whoever is, or with `replaces=False` as well; a `note` says why.

        What has passed of it already is left as it was. Raises Refused where it is over, too long, or they may not respond.
        """
        now = timezone.now()
        check_span(starts_at, ends_at, now=now)
        check_people(team, [person])
        with transaction.atomic():
            pointer = OnCall.locked(team)
            if not pointer.is_scheduled:
                raise Refused(f"{team} has no rota and no calendar that could be overridden.")
            if self.of(team).not_over().count() >= MOST_AHEAD:
                raise Refused(f"{team} has {MOST_AHEAD} overrides ahead. Change the rota instead.")
            starts_at = max(starts_at, now)
            override = self.create(team=team, person=person, starts_at=starts_at, ends_at=ends_at, by=by, **more)
            pointer.record(RotaChange.Kind.OVERRIDDEN, by=by, **override.facts)
        return override


class Override(models.Model):
    """Somebody is on call for a while, whatever the rota or the calendar says."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="overrides")
    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="overrides")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    replaces = models.BooleanField(default=True)
    note = models.CharField(max_length=200, blank=True)
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)
    swap = models.ForeignKey(
        "incidents.ShiftSwap", on_delete=models.SET_NULL, null=True, blank=True, related_name="overrides"
    )

    objects = OverrideQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends_at__gt=models.F("starts_at")), name="an_override_ends_after_it_starts"
            ),
        ]
        indexes = [models.Index(fields=["team", "ends_at"], name="overrides_by_team")]

    def __str__(self) -> str:
        return f"{self.person} for {self.team}"

    @property
    def facts(self) -> dict[str, Any]:
        facts = {"person": str(self.person), "since": self.starts_at.isoformat(), "until": self.ends_at.isoformat()}
        return facts | ({"note": self.note} if self.note else {}) | ({} if self.replaces else {"as_well": True})

    @property
    def duty(self) -> Duty:
        return Duty(self.person_id, self.starts_at, self.ends_at, Because.OVERRIDE, self.pk, self.replaces)

    def remove(self, *, by: User | None) -> None:
        """Take it back: what is ahead goes, and what has begun ends now. Both halves of a swap go together.

        Raises WrongStatus where it is over or somebody else has taken it back already.
        """
        with transaction.atomic():
            pointer, now = OnCall.locked(self.team), timezone.now()
            rows = Override.objects.of(self.team).filter(ends_at__gt=now)
            rows = rows.filter(swap=self.swap_id) if self.swap_id else rows.filter(pk=self.pk)
            if not rows.filter(pk=self.pk).exists():
                raise WrongStatus("This override is over, or was removed already.")
            for override in rows.select_related("person"):
                pointer.record(RotaChange.Kind.OVERRIDE_REMOVED, by=by, **override.facts)
            rows.filter(starts_at__lt=now).update(ends_at=now)
            rows.delete()


def check_span(starts_at: datetime, ends_at: datetime, *, now: datetime) -> None:
    """Raise Refused unless a stretch of time can be covered: it ends after it begins, and lies ahead, not too far."""
    check_year(starts_at)
    check_year(ends_at)
    if ends_at <= starts_at:
        raise Refused("The end must be after the start.")
    if ends_at <= now:
        raise Refused("This is over already.")
    if ends_at - starts_at > LONGEST:
        raise Refused(f"An override lasts {LONGEST.days} days at most. Change the rota instead.")
