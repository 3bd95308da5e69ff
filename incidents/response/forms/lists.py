"""What people type on the list of incidents."""

from typing import Any

from django import forms

from incidents.response.forms.fields import PersonChoiceField
from incidents.response.vocabulary import Severity
from incidents.texts import check_readable, is_blank
from incidents.web.fields import Choose


class SavedViewForm(forms.Form):
    name = forms.CharField(max_length=60, label="Name", validators=[check_readable])
    shared = forms.BooleanField(required=False, label="Share with everyone")
    query = forms.CharField(max_length=2000, required=False, widget=forms.HiddenInput)


BULK = {
    "acknowledge": "Acknowledge",
    "take": "Take the lead",
    "assign": "Assign the lead",
    "decline": "Decline",
    "close": "Close",
    "follow": "Follow",
    **{f"severity:{severity.value}": f"Set {severity.label}" for severity in Severity if severity != Severity.UNKNOWN},
}


class BulkForm(forms.Form):
    """What is done to several incidents at once, and what it asks."""

    act = forms.ChoiceField(choices=list(BULK.items()))
    lead = PersonChoiceField(required=False, widget=Choose(find="Find a person"))
    reason = forms.CharField(max_length=1000, required=False, label="Reason for declining")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("act") == "assign" and not cleaned.get("lead"):
            self.add_error("lead", "Choose who leads them.")
        if cleaned.get("act") == "decline" and is_blank(cleaned.get("reason", "")):
            self.add_error("reason", "Say why they are declined.")
        return cleaned
