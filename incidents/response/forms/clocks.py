"""One of the six clocks, as people correct it."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.http import Http404, QueryDict
from django.utils import timezone

from incidents.people.models import User
from incidents.response.forms.facts import FactForm, Facts
from incidents.response.forms.fields import YearForm
from incidents.response.incident import Incident
from incidents.response.vocabulary import CLOCKS, ImpactMethod
from incidents.web.fields import TypedMomentField
from incidents.web.zones import in_own_zone

_START = "impact_started_at"


class ClockForm(FactForm, YearForm):
    """One clock; empty means that nobody knows. The start of the impact may be a range, and says how it is known.

    `offer` is a moment on record that one press takes over: “2026-03-01T08:00:00+00:00 change Prompt v9”.
    """

    to = "correct its clocks"
    layout = "response/facts/_clock_fields.html"

    at = TypedMomentField(required=False)
    until = TypedMomentField(
        required=False, label="… at the latest", help_text="Only if you know no more than a range."
    )
    method = forms.ChoiceField(choices=ImpactMethod.choices, required=False, label="How the start is known")
    reason = forms.CharField(max_length=500, required=False, label="How do you know?")

    def __init__(self, data: QueryDict | None = None, *, incident: Incident, user: User, clock: str) -> None:
        if clock not in CLOCKS:
            raise Http404
        self.clock, self.name, self.label = clock, f"clock-{clock}", CLOCKS[clock]
        super().__init__(_with_offer(data), incident=incident, user=user)
        self.fields["at"].label = CLOCKS[clock]
        self.fields["at"].required = clock == "declared_at"
        if not self.is_start:
            del self.fields["until"], self.fields["method"]

    @property
    def is_start(self) -> bool:
        return self.clock == _START

    @property
    def offers(self) -> list[tuple[str, str, datetime]]:
        """When the impact may have started by what was changed: how one knows, what says so, and when."""
        changes = self.incident.changes_before()[:3] if self.is_start else []
        return [(ImpactMethod.CHANGE.value, f"Change: {change.title}", change.happened_at) for change in changes]

    def facts_of(self, incident: Incident) -> Facts:
        facts: Facts = {"at": getattr(incident, self.clock)}
        if self.is_start:
            facts |= {"until": incident.impact_started_until, "method": incident.impact_method}
        return facts

    def words_of(self, incident: Incident) -> str:
        at = getattr(incident, self.clock)
        return f"{in_own_zone(at):%-d %b %Y, %H:%M %Z}" if at else "unknown"

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        # Shown without seconds: where the minute is what it was, so is the moment.
        for name in ("at", "until"):
            known = self.initial.get(name)
            if cleaned.get(name) and known and cleaned[name] == known.replace(second=0, microsecond=0):
                cleaned[name] = known
        at, until = cleaned.get("at"), cleaned.get("until")
        if at and at > timezone.now() + timedelta(minutes=5):
            self.add_error("at", "This is in the future.")
        if self.is_start:
            self.ask_year("at", known=self.initial["at"])
        if until and "at" not in self.errors and (at is None or until < at):
            self.add_error("until", "A range runs from its earliest moment to its latest.")
        return cleaned

    def apply(self, incident: Incident, *, by: User) -> None:
        typed = self.cleaned_data
        start: dict[str, Any] = {}
        if self.is_start:
            method = typed["method"] or ImpactMethod.PERSON
            start = {"until": typed["until"], "method": method, "confirm_old": typed["confirm_old"]}
        incident.set_clock(self.clock, typed["at"], by=by, reason=typed["reason"], **start)


def _with_offer(data: QueryDict | None) -> QueryDict | None:
    """What was typed, or the offer that was taken instead of it."""
    offer = data.get("offer") if data else None
    if data is None or not offer:
        return data
    moment, method, reason = [*str(offer).split(" ", 2), "", ""][:3]
    taken = data.copy()
    for name, value in {"at": moment, "until": "", "method": method, "reason": reason[:500]}.items():
        taken[name] = value
    return taken
