"""What triage decides: to take an incident, to decline it, to merge it into another; and to take that back."""

from collections.abc import Sequence
from typing import Self

from django.db import models, transaction
from django.utils import timezone

from incidents.errors import Refused
from incidents.people.models import User
from incidents.response.events import Event
from incidents.response.verbs.base import Verb
from incidents.response.vocabulary import OPEN, Status, required

_MOVES = ("acknowledged", "status", "containment")


class Triage(Verb):
    class Meta:
        abstract = True

    def acknowledge(self, *, by: User) -> None:
        """Take the incident: whoever acknowledges leads it until somebody else does."""
        self._move(
            [Status.TRIAGE],
            to=Status.INVESTIGATING,
            by=by,
            kind=Event.Kind.ACKNOWLEDGED,
            acknowledged_at=models.functions.Coalesce("acknowledged_at", models.Value(timezone.now())),
            lead=models.functions.Coalesce("lead", models.Value(by.pk)),
        )

    def decline(self, *, by: User, reason: str) -> None:
        """Say that this is no incident, and why; its alerts stay."""
        self._move(
            [Status.TRIAGE], to=Status.DECLINED, by=by, reason=required(reason, "Say why this is not an incident.")
        )

    def undo(self, *, by: User) -> Event:
        """Take back the last decision of triage: that it was accepted, declined or merged. What came later stands in the way.

        Returns the Event of that decision. Alerts that a merge moved are given back by `alerts.merging.undo`.
        """
        with transaction.atomic():
            self.locked()
            moved = self.events.filter(kind__in=_MOVES).order_by("-pk").first()
            self.refresh_from_db()
            if moved is None or moved.detail.get("was") is None or moved.detail.get("became") != self.status:
                raise Refused("There is nothing to undo.")
            match self.status:
                case Status.INVESTIGATING if moved.kind == Event.Kind.ACKNOWLEDGED:
                    lead = {} if moved.by_id != self.lead_id else {"lead": None}
                    self._move(
                        [Status.INVESTIGATING], to=Status.TRIAGE, by=by, acknowledged_at=None, undone=True, **lead
                    )
                case Status.DECLINED:
                    self._move(
                        [Status.DECLINED], to=Status(moved.detail["was"]), by=by, undone=True, **self._if_taken()
                    )
                case Status.MERGED if self.merged_into is not None:
                    into = self.merged_into
                    self._move(
                        [Status.MERGED],
                        to=Status(moved.detail["was"]),
                        by=by,
                        merged_into=None,
                        undone=True,
                        **self._if_taken(),
                    )
                    into.record(Event.Kind.MERGED, by=by, unmerged=str(self))
                case _:
                    raise Refused("Only acknowledging, declining and merging can be undone.")
        return moved

    def release_key(self) -> None:
        """Stop gathering alerts: later ones of its kind open an incident of their own."""
        type(self).objects.filter(pk=self.pk).update(correlation_key=None)
        self.correlation_key = None

    def merge_into(self, other: Self, *, by: User, alerts: Sequence[int] = ()) -> None:
        """Say that this is the same failure as `other`. `alerts.merging.merge` moves its alerts along.

        The Event holds which `alerts` were moved, so that undoing it can give them back.
        """
        with transaction.atomic():
            other_now = type(self).objects.lock(self, other)[other.pk]
            if self.pk == other.pk:
                raise Refused("An incident cannot be merged into itself.")
            if other_now.status in (Status.MERGED, Status.DECLINED):
                state = other_now.get_status_display().lower()
                raise Refused(f"{other} is {state}; choose one that is open, resolved or closed.")
            self._move(list(OPEN), to=Status.MERGED, by=by, merged_into=other, into=str(other), alerts=list(alerts))
            other.record(Event.Kind.MERGED, by=by, merged=str(self))
