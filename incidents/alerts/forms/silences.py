"""What people type about silences."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from incidents.alerts.forms.matchers import MatchersField
from incidents.web.fields import MomentField

_LENGTHS = {"60": "1 hour", "240": "4 hours", "1440": "1 day", "10080": "1 week", "": "Until …"}


class SilenceForm(forms.Form):
    """A silence or a maintenance window. Times are in the reader's own zone."""

    matchers = MatchersField()
    reason = forms.CharField(
        max_length=500, help_text="Others see it and judge by it whether the silence still applies."
    )
    length = forms.ChoiceField(choices=list(_LENGTHS.items()), required=False, label="For", initial="60")
    ends_at = MomentField(required=False, label="Until")
    starts_at = MomentField(required=False, label="From", help_text="Empty: from now on.")
    is_maintenance = forms.BooleanField(required=False, label="Maintenance window")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not cleaned.get("length") and not cleaned.get("ends_at") and "ends_at" not in self.errors:
            self.add_error("ends_at", "Choose an end.")
        return cleaned

    @property
    def end(self) -> datetime:
        """When it ends: after the chosen length from its start, else as typed."""
        start: datetime = self.cleaned_data["starts_at"] or timezone.now()
        typed: datetime | None = self.cleaned_data["ends_at"]
        length = self.cleaned_data["length"]
        return start + timedelta(minutes=int(length)) if length or typed is None else typed
