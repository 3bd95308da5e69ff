"""The form of the six clocks."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from incidents.people.models import User
from incidents.response.forms.fields import YearForm
from incidents.response.incident import Incident
from incidents.response.vocabulary import CLOCKS, ImpactMethod
from incidents.web.fields import MomentField


class ClocksForm(YearForm):
    """The six clocks; only those that were changed are set. The start of the impact may be a range."""

    reason = forms.CharField(max_length=500, required=False, label="How do you know?")
    impact_started_until = MomentField(
        label="… at the latest", required=False, help_text="Only if you know no more than a range."
    )
    impact_method = forms.ChoiceField(choices=ImpactMethod.choices, required=False, label="How the start is known")

    def __init__(self, *args: Any, incident: Incident, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.incident = incident
        for name, label in CLOCKS.items():
            self.fields[name] = MomentField(label=label, required=False, initial=getattr(incident, name))
        # What is given as `initial` to the form itself is an offer, and comes before these.
        self.fields["impact_started_until"].initial = incident.impact_started_until
        self.fields["impact_method"].initial = incident.impact_method

    def save(self, *, by: User) -> None:
        """Set the clocks that were changed, compared to the minute: the picker has no seconds. Raises Refused."""
        typed, incident = self.cleaned_data, self.incident
        for name in CLOCKS:
            same = _minute(typed[name]) == _minute(getattr(incident, name))
            if name == "impact_started_at":
                until, method = typed["impact_started_until"], typed["impact_method"] or ImpactMethod.PERSON
                same_range = _minute(until) == _minute(incident.impact_started_until)
                if not (same and same_range and (method == incident.impact_method or not typed[name])):
                    at = incident.impact_started_at if same else typed[name]
                    incident.set_clock(
                        name,
                        at,
                        by=by,
                        reason=typed["reason"],
                        until=until,
                        method=method,
                        confirm_old=typed["confirm_old"],
                    )
            elif not same:
                incident.set_clock(name, typed[name], by=by, reason=typed["reason"])

    def clean(self) -> dict[str, Any]:
        for name in CLOCKS:
            at = self.cleaned_data.get(name)
            if at and at > timezone.now() + timedelta(minutes=5):
                self.add_error(name, "This is in the future.")
        known = self.incident.impact_started_at
        is_known = _minute(self.cleaned_data.get("impact_started_at")) == _minute(known)
        self.ask_year("impact_started_at", known=self.cleaned_data.get("impact_started_at") if is_known else None)
        start, until = self.cleaned_data.get("impact_started_at"), self.cleaned_data.get("impact_started_until")
        if until and (start is None or until < start):
            self.add_error("impact_started_until", "A range runs from its earliest moment to its latest.")
        return self.cleaned_data


def _minute(moment: datetime | None) -> datetime | None:
    return moment.replace(second=0, microsecond=0) if moment else None
