"""What triage decides: to take an incident, to decline it, to merge it into another; and to take that back."""

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
        self._move([Status.TRIAGE], to=Status.DECLINED, by=by, reason=required(reason, "Say why this is no incident."))

    def undo(self, *, by: User) -> None:
        """Take back the last decision of triage: that it was accepted, declined or merged. What came later stands in the way."""
        with transaction.atomic():
            self.locked()
            moved = self.events.filter(kind__in=_MOVES).order_by("-pk").first()
            self.refresh_from_db()
            if moved is None or moved.detail.get("was") is None or moved.detail.get("became") != self.status:
                raise Refused("Nothing can be taken back here.")
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
                    back = f"Moved back to {self} when its merge into {into} was undone."
                    into.alerts.filter(pk__in=moved.detail.get("alerts", [])).update(incident=self, routed_because=back)
                    into.record(Event.Kind.MERGED, by=by, unmerged=str(self))
                case _:
                    raise Refused("Only what triage decided can be taken back: accepting, declining and merging.")

    def release_key(self) -> None:
        """Stop gathering alerts: later ones of its kind open an incident of their own."""
        type(self).objects.filter(pk=self.pk).update(correlation_key=None)
        self.correlation_key = None

    def merge_into(self, other: Self, *, by: User) -> None:
        """Say that this is the same failure as `other`; its alerts move there."""
        with transaction.atomic():
            # Both rows in one order, so that merging A into B while B goes into A cannot deadlock or make a ring.
            rows = {
                row.pk: row
                for row in type(self).objects.filter(pk__in=[self.pk, other.pk]).order_by("pk").select_for_update()
            }
            if self.pk == other.pk:
                raise Refused("An incident cannot be merged into itself.")
            if rows[other.pk].status in (Status.MERGED, Status.DECLINED):
                raise Refused(
                    f"{other} is {rows[other.pk].get_status_display().lower()}; choose one that is still counted."
                )
            moved = f"Moved to {other} when {self} was merged into it."
            alerts = list(self.alerts.values_list("pk", flat=True))
            self._move(list(OPEN), to=Status.MERGED, by=by, merged_into=other, into=str(other), alerts=alerts)
            self.alerts.update(incident=other, routed_because=moved)
            other.record(Event.Kind.MERGED, by=by, merged=str(self))
