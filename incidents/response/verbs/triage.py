"""What triage decides: to take an incident, to decline it, to merge it into another; and to take that back."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Self

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

    def acknowledge(self, *, by: User | None, via: str = "", **elsewhere: str | int) -> None:
        """Take the incident: whoever acknowledges leads it until somebody else does. `via` says from where, if not here.

        `by` is None where somebody took it who is nobody here; `elsewhere` says where that was, and who.
        """
        self._move(
            [Status.TRIAGE],
            to=Status.INVESTIGATING,
            by=by,
            kind=Event.Kind.ACKNOWLEDGED,
            acknowledged_at=models.functions.Coalesce("acknowledged_at", models.Value(timezone.now())),
            **({"lead": models.functions.Coalesce("lead", models.Value(by.pk))} if by else {}),
            via=via,
            **elsewhere,
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
                        out_of=str(into),
                        **self._if_taken(),
                    )
                    merged = into.events.filter(kind=Event.Kind.MERGED, detail__merged=str(self)).order_by("-pk")[0]
                    into.locked().give_back(merged.detail.get("carried", {}))
                    into.record(Event.Kind.MERGED, by=by, about=self, unmerged=str(self))
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
            self.refuse_to_expose(other_now)
            self._move(list(OPEN), to=Status.MERGED, by=by, merged_into=other, into=str(other), alerts=list(alerts))
            carried = other_now.carry_over(self)
            other.record(Event.Kind.MERGED, by=by, about=self, merged=str(self), carried=carried)
        other.refresh_from_db()

    def refuse_to_expose(self, other: Self) -> None:
        """See that nobody would learn through `other` of what is private here. Raises Refused."""
        if not self.private:
            return
        if not other.private:
            raise Refused(f"{self} is private and {other} is not: make {other} private first.")
        strangers = other.people.exclude(pk__in=self.people.values("pk")).order_by("name")
        if names := ", ".join(str(person) for person in strangers):
            raise Refused(f"{names} may see {other} but not {self}. Name them on {self} first.")

    def _is_visible_to(self, person: User) -> bool:
        return bool(type(self).objects.visible_to(person).filter(pk=self.pk).exists())

    def carry_over(self, merged: Self) -> dict[str, Any]:
        """Take what would be lost of an incident that is merged into this one: who took it, who leads it, what was promised.

        Returns what each was here before, by name, so that undoing the merge can give it back.
        """
        changes: dict[str, Any] = {}
        if self.status == Status.TRIAGE and merged.acknowledged_at:
            changes |= {"status": Status.INVESTIGATING, "acknowledged_at": merged.acknowledged_at}
        if self.is_open and self.lead_id is None and merged.lead and self._is_visible_to(merged.lead):
            changes["lead_id"] = merged.lead_id
        promises = [moment for moment in (self.next_update_at, merged.next_update_at) if moment]
        if self.is_open and promises and min(promises) != self.next_update_at:
            changes["next_update_at"] = min(promises)
        if changes:
            type(self).objects.filter(pk=self.pk).update(**changes)
        return {name: {"was": _plain(getattr(self, name)), "became": _plain(value)} for name, value in changes.items()}

    def give_back(self, carried: dict[str, Any]) -> None:
        """Take back what a merge carried over, as far as nobody changed it since."""
        for name, change in carried.items():
            if _plain(getattr(self, name)) == change["became"]:
                type(self).objects.filter(pk=self.pk).update(**{name: change["was"]})


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
