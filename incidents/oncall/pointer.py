"""How a team arranges who is on call: by its own rota, somebody else's calendar, a pager, or not at all. And who changed what."""

from datetime import datetime
from typing import Any, ClassVar

import pgtrigger
from django.db import models, transaction
from django.urls import reverse
from django.utils import timezone

from incidents.errors import WrongStatus
from incidents.people.models import Role, Team, User


class OnCallKind(models.TextChoices):
    ROTA = "rota", "A rota"
    CALENDAR = "calendar", "Another calendar"
    PAGER = "pager", "A pager"
    NOBODY = "nobody", "Nobody"


class OnCall(models.Model):
    """One row a team, made when somebody first says who is on call; without a row, nobody is.

    The calendar's address is a secret (whoever knows it reads the calendar), so it is sealed and only its host is shown.
    """

    team = models.OneToOneField(Team, on_delete=models.CASCADE, related_name="on_call")
    kind = models.CharField(max_length=12, choices=OnCallKind, default=OnCallKind.NOBODY)
    calendar_sealed = models.BinaryField(null=True, blank=True)
    calendar_host = models.CharField(max_length=253, blank=True)
    asked_at = models.DateTimeField(null=True, blank=True)  # when the calendar was asked for; null: it is due
    read_at = models.DateTimeField(null=True, blank=True)  # when it was last understood
    trouble = models.CharField(max_length=300, blank=True)  # why it was not, since then
    pager_service = models.CharField(max_length=200, blank=True)
    # The channel by which it is paged, as a slice above knows it; null: the pager is only known by its name.
    pager_channel = models.PositiveBigIntegerField(null=True, blank=True)
    version = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(kind__in=OnCallKind.values), name="on_call_kind_is_known"),
            models.CheckConstraint(
                condition=~models.Q(kind="calendar") | models.Q(calendar_sealed__isnull=False),
                name="a_calendar_on_call_has_an_address",
            ),
        ]

    def __str__(self) -> str:
        return f"On call for {self.team}"

    def get_absolute_url(self) -> str:
        return reverse("on-call-team", args=[self.team.slug])

    @property
    def edit_url(self) -> str:
        """The page on which it is said who is on call: a rota, unless it is arranged otherwise."""
        if self.kind in (OnCallKind.CALENDAR, OnCallKind.PAGER):
            return reverse("on-call-edit", args=[self.team.slug, self.kind])
        return reverse("on-call-edit-rota", args=[self.team.slug])

    @classmethod
    def of(cls, team: Team) -> "OnCall":
        """The team's row, or a new one that is not stored yet."""
        return cls.objects.select_related("team").filter(team=team).first() or cls(team=team)

    @classmethod
    def locked(cls, team: Team) -> "OnCall":
        """The team's row, made where there is none, and locked until the transaction ends: changes come one by one."""
        OnCall.objects.bulk_create([OnCall(team=team)], ignore_conflicts=True)
        return OnCall.objects.select_for_update(of=("self",)).select_related("team").get(team=team)

    @property
    def is_scheduled(self) -> bool:
        """Whether Faultline itself knows the shifts."""
        return self.kind in (OnCallKind.ROTA, OnCallKind.CALENDAR)

    @property
    def reads_calendar(self) -> bool:
        return self.kind == OnCallKind.CALENDAR

    def check_version(self, base: int) -> None:
        """Raise WrongStatus where somebody changed it since it was read as version `base`."""
        if self.version != base:
            raise WrongStatus("Somebody else changed this meanwhile. Look at the page again before you save.")

    def point(self, kind: OnCallKind, *, by: User | None, detail: dict[str, Any] | None = None, **changes: Any) -> None:
        """Arrange it in another way. For a row that is locked."""
        OnCall.objects.filter(pk=self.pk).update(kind=kind, version=self.version + 1, **changes)
        self.refresh_from_db()
        self.record(RotaChange.Kind.POINTER, by=by, to=kind.label, **(detail or {}))

    @classmethod
    def point_at(
        cls,
        team: Team,
        kind: OnCallKind,
        *,
        base: int,
        by: User | None,
        pager_service: str = "",
        pager_channel: int | None = None,
    ) -> "OnCall":
        """Say that a pager says who is on call, or nobody is. Raises WrongStatus where somebody changed it since `base`."""
        with transaction.atomic():
            pointer = cls.locked(team)
            pointer.check_version(base)
            pointer.point(kind, by=by, pager_service=pager_service, pager_channel=pager_channel)
        return pointer

    def record(self, kind: "RotaChange.Kind", *, by: User | None, **detail: Any) -> None:
        RotaChange.objects.create(team=self.team, kind=kind, by=by, detail=detail)


class RotaChange(models.Model):
    """One change of who is on call. The database itself refuses to change or delete it."""

    class Kind(models.TextChoices):
        POINTER = "pointer", "changed how on call is arranged"
        ROTA = "rota", "changed the rota"
        OVERRIDDEN = "overridden", "added an override"
        OVERRIDE_REMOVED = "override_removed", "removed an override"
        SWAP_OFFERED = "swap_offered", "offered a swap"
        SWAP_ACCEPTED = "swap_accepted", "accepted a swap"
        SWAP_DECLINED = "swap_declined", "declined a swap"
        SWAP_WITHDRAWN = "swap_withdrawn", "withdrew a swap"
        SWAPPED = "swapped", "swapped shifts"

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="rota_changes")
    kind = models.CharField(max_length=20, choices=Kind)
    at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    detail = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["team", "-at"], name="rota_changes_by_team")]
        triggers: ClassVar = [
            pgtrigger.Protect(name="rota_changes_are_append_only", operation=pgtrigger.Update | pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.team}: {self.by or 'Faultline'} {self.get_kind_display()}"

    @property
    def since(self) -> datetime | None:
        return self._moment("since")

    @property
    def until(self) -> datetime | None:
        return self._moment("until")

    def _moment(self, name: str) -> datetime | None:
        return datetime.fromisoformat(self.detail[name]) if name in self.detail else None


def can_be_on_call(team: Team) -> models.QuerySet[User]:
    """Who may be put on call for a team: active people who may respond for it."""
    roles = Role.RESPONDER.and_above()
    return User.objects.active().filter(memberships__team=team, memberships__role__in=roles)
