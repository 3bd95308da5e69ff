"""The six clocks, corrected by people."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from incidents.errors import Refused
from incidents.people.models import User
from incidents.response.events import Event
from incidents.response.verbs.base import Verb
from incidents.response.vocabulary import CLOCKS, ImpactMethod, Status, year_question
from incidents.years import EARLIEST_YEAR


class Clocks(Verb):
    class Meta:
        abstract = True

    @transaction.atomic
    def set_clock(
        self,
        clock: str,
        at: datetime | None,
        *,
        by: User,
        reason: str = "",
        until: datetime | None = None,
        method: str = ImpactMethod.PERSON,
        confirm_old: bool = False,
    ) -> None:
        """Correct one of the six clocks. None is “unknown”, which is a fact and never zero.

        When the impact started may be a range: then `at` is its earliest moment and `until` its latest, and `method`
        says how one knows. A start more than five years back is refused unless somebody confirmed it: `confirm_old`.
        """
        if clock not in CLOCKS:
            raise Refused(f"“{clock}” is not a clock; the six are {', '.join(CLOCKS)}.")
        if at is None and clock == "declared_at":
            raise Refused("The time of declaration is always known.")
        if at is None and clock == "resolved_at" and self.status in (Status.RESOLVED, Status.CLOSED):
            raise Refused("A resolved incident has a time of resolution; reopen it instead.")
        if at and at > timezone.now() + timedelta(minutes=5):
            raise Refused(f"{CLOCKS[clock]} cannot be in the future.")
        if at and at.year < EARLIEST_YEAR:
            raise Refused(f"{CLOCKS[clock]} cannot be before {EARLIEST_YEAR}; is {at.year} a typing error?")
        changes: dict[str, Any] = {clock: at}
        if clock == "impact_started_at":
            if not confirm_old and at != self.impact_started_at and (question := year_question(at)):
                raise Refused({"at": [f"{question} If it is, say so: confirm_old."]})
            if until and (at is None or until < at):
                raise Refused("A range runs from its earliest moment to its latest.")
            method = ImpactMethod(method) if at else ImpactMethod.UNKNOWN
            changes |= {"impact_started_until": until, "impact_method": method}
        if at is None and reason.strip() and getattr(self.locked(), clock) is None:
            # Nothing changes, and yet something was said: why nobody knows it.
            self.record(Event.Kind.CLOCK, by=by, was={clock: None}, became={clock: None}, reason=reason.strip())
        self._set(Event.Kind.CLOCK, by=by, reason=reason, **changes)

    def why_unknown(self) -> dict[str, str]:
        """Why nobody knows a clock, by its name, as people said it last; asks nothing where all of them are known."""
        unknown = self.unknown_clocks
        if not unknown:
            return {}
        said: dict[str, str] = {}
        for detail in self.events.filter(kind=Event.Kind.CLOCK).order_by("pk").values_list("detail", flat=True):
            said |= {name: detail.get("reason", "") for name, became in detail["became"].items() if became is None}
        return {name: said[name] for name in unknown if said.get(name)}
