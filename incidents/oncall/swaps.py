"""Swaps: two people exchange shifts. One offers, the other accepts; a lead does it at once."""

from datetime import datetime
from typing import Self

from django.db import models, transaction
from django.utils import timezone

from incidents.errors import Refused, WrongStatus
from incidents.oncall.cover import covers
from incidents.oncall.overrides import Override, check_span
from incidents.oncall.pointer import OnCall, RotaChange
from incidents.oncall.rota import check_people
from incidents.oncall.shifts import Span
from incidents.people.models import Team, User


class ShiftSwapQuerySet(models.QuerySet["ShiftSwap"]):
    def open(self) -> Self:
        """Keep offers that still wait for an answer and can still come about."""
        return self.filter(state=ShiftSwap.State.OFFERED, gives_until__gt=timezone.now())

    def offer(
        self, team: Team, *, giver: User, taker: User, gives: Span, takes: Span | None, by: User, note: str = ""
    ) -> "ShiftSwap":
        """Offer a shift of `giver` to `taker`, for one of theirs or for nothing. Raises Refused where either is not theirs."""
        swap = ShiftSwap(team=team, giver=giver, taker=taker, note=note.strip()[:200], made_by=by)
        swap.gives_from, swap.gives_until = gives.start, gives.end
        if takes:
            swap.takes_from, swap.takes_until = takes.start, takes.end
        with transaction.atomic():
            pointer = OnCall.locked(team)
            swap.check_shifts()
            swap.save()
            pointer.record(RotaChange.Kind.SWAP_OFFERED, by=by, **swap.facts)
        return swap

    def at_once(
        self, team: Team, *, giver: User, taker: User, gives: Span, takes: Span | None, by: User, note: str = ""
    ) -> "ShiftSwap":
        """Exchange shifts without asking: for leads."""
        with transaction.atomic():
            swap = self.offer(team, giver=giver, taker=taker, gives=gives, takes=takes, by=by, note=note)
            swap.carry_out(RotaChange.Kind.SWAPPED, by=by)
        return swap


class ShiftSwap(models.Model):
    """One person's shift for another's. Once it is accepted, two overrides say so."""

    class State(models.TextChoices):
        OFFERED = "offered", "Offered"
        ACCEPTED = "accepted", "Accepted"
        DECLINED = "declined", "Declined"
        WITHDRAWN = "withdrawn", "Withdrawn"

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="shift_swaps")
    giver = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    taker = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    gives_from = models.DateTimeField()
    gives_until = models.DateTimeField()
    takes_from = models.DateTimeField(null=True, blank=True)
    takes_until = models.DateTimeField(null=True, blank=True)
    note = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=12, choices=State, default=State.OFFERED)
    made_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)
    answered_at = models.DateTimeField(null=True, blank=True)

    objects = ShiftSwapQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~models.Q(giver=models.F("taker")), name="nobody_swaps_with_themselves"),
            models.CheckConstraint(
                condition=models.Q(takes_from__isnull=True, takes_until__isnull=True)
                | models.Q(takes_from__isnull=False, takes_until__gt=models.F("takes_from")),
                name="what_a_swap_takes_is_whole",
            ),
        ]
        indexes = [models.Index(fields=["team", "state"], name="swaps_by_team")]

    def __str__(self) -> str:
        return f"{self.giver} and {self.taker}"

    @property
    def number(self) -> str:
        return str(self.pk)

    @property
    def facts(self) -> dict[str, str]:
        facts = {"giver": str(self.giver), "taker": str(self.taker)}
        facts |= {"since": self.gives_from.isoformat(), "until": self.gives_until.isoformat()}
        if self.takes_from and self.takes_until:
            facts |= {"for_since": self.takes_from.isoformat(), "for_until": self.takes_until.isoformat()}
        return facts

    @property
    def halves(self) -> list[tuple[User, User, datetime, datetime]]:
        """Who has each shift now, who is to have it, and when it is."""
        halves = [(self.giver, self.taker, self.gives_from, self.gives_until)]
        if self.takes_from and self.takes_until:
            halves.append((self.taker, self.giver, self.takes_from, self.takes_until))
        return halves

    def check_shifts(self) -> None:
        """Raise Refused unless both may respond, and each shift lies ahead and is still theirs."""
        if self.giver == self.taker:
            raise Refused("Choose somebody else to swap with.")
        check_people(self.team, [self.giver, self.taker])
        now = timezone.now()
        for owner, _, start, end in self.halves:
            check_span(start, end, now=now)
            if not covers([self.team], start, end)[self.team.pk].is_held_by(owner, max(start, now), end):
                raise Refused(f"{owner} is not on call for all of that shift (any more).")

    def accept(self, *, by: User) -> None:
        """Take it. Only whom it was offered to may."""
        self._answered_by(by)
        with transaction.atomic():
            OnCall.locked(self.team)
            self.check_shifts()
            self.carry_out(RotaChange.Kind.SWAP_ACCEPTED, by=by)

    def decline(self, *, by: User) -> None:
        self._answered_by(by)
        self._end(self.State.DECLINED, RotaChange.Kind.SWAP_DECLINED, by=by)

    def withdraw(self, *, by: User) -> None:
        self._end(self.State.WITHDRAWN, RotaChange.Kind.SWAP_WITHDRAWN, by=by)

    def carry_out(self, kind: RotaChange.Kind, *, by: User) -> None:
        """Make it so, by two overrides. In a transaction in which the pointer is locked."""
        self._end(self.State.ACCEPTED, kind, by=by)
        now = timezone.now()
        Override.objects.bulk_create(
            Override(
                team=self.team, person=person, starts_at=max(start, now), ends_at=end, by=by, note=self.note, swap=self
            )
            for _, person, start, end in self.halves
        )

    def _answered_by(self, person: User) -> None:
        if person.pk != self.taker_id:
            raise Refused(f"It was offered to {self.taker}; only they can answer.")

    def _end(self, state: State, kind: RotaChange.Kind, *, by: User) -> None:
        with transaction.atomic():
            pointer = OnCall.locked(self.team)
            waiting = ShiftSwap.objects.filter(pk=self.pk, state=self.State.OFFERED)
            if not waiting.update(state=state, answered_at=timezone.now()):
                self.refresh_from_db(fields=["state"])
                raise WrongStatus(f"The swap was {self.get_state_display().lower()} already.")
            self.state = state
            pointer.record(kind, by=by, **self.facts)
