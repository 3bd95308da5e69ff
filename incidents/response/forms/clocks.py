"""The form of the six clocks."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from incidents.people.models import User
from incidents.response.forms.fields import MomentField
from incidents.response.incident import Incident
from incidents.response.vocabulary import CLOCKS, ImpactMethod


class ClocksForm(forms.Form):
    """The six clocks; only those that were changed are set. The start of the impact may be a range."""

    reason = forms.CharField(max_length=500, required=False, label="How do you know?")
    impact_started_until = MomentField(
        label="… or at the latest", required=False, help_text="Only where a range is all one knows."
    )
    impact_method = forms.ChoiceField(choices=ImpactMethod.choices, required=False, label="How one knows the start")

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
        given, was = self.cleaned_data, self.incident
        for name in CLOCKS:
            same = _minute(given[name]) == _minute(getattr(was, name))
            if name == "impact_started_at":
                until, method = given["impact_started_until"], given["impact_method"] or ImpactMethod.PERSON
                same_range = _minute(until) == _minute(was.impact_started_until)
                if not (same and same_range and (method == was.impact_method or not given[name])):
                    at = was.impact_started_at if same else given[name]
                    was.set_clock(name, at, by=by, reason=given["reason"], until=until, method=method)
            elif not same:
                was.set_clock(name, given[name], by=by, reason=given["reason"])

    def clean(self) -> dict[str, Any]:
        for name in CLOCKS:
            at = self.cleaned_data.get(name)
            if at and at > timezone.now() + timedelta(minutes=5):
                self.add_error(name, "This is in the future.")
        start, until = self.cleaned_data.get("impact_started_at"), self.cleaned_data.get("impact_started_until")
        if until and (start is None or until < start):
            self.add_error("impact_started_until", "A range runs from its earliest moment to its latest.")
        return self.cleaned_data


def _minute(moment: datetime | None) -> datetime | None:
    return moment.replace(second=0, microsecond=0) if moment else None
