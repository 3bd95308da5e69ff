"""What people type on the list of incidents."""

from typing import Any

from django import forms

from incidents.response.vocabulary import Severity
from incidents.texts import check_readable


class SavedViewForm(forms.Form):
    name = forms.CharField(max_length=60, label="Name", validators=[check_readable])
    shared = forms.BooleanField(required=False, label="Share with everyone")
    query = forms.CharField(max_length=2000, required=False, widget=forms.HiddenInput)


BULK = {
    "acknowledge": "Acknowledge",
    "take": "Take the lead",
    "close": "Close",
    "follow": "Follow",
    **{f"severity:{severity.value}": f"Set {severity.label}" for severity in Severity if severity != Severity.UNKNOWN},
}


class BulkForm(forms.Form):
    """What is done to several incidents at once."""

    act = forms.ChoiceField(choices=list(BULK.items()))
    number = forms.TypedMultipleChoiceField(coerce=int)

    def __init__(self, *args: Any, numbers: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        right = [number for number in numbers if number.isascii() and number.isdigit() and len(number) <= 9]
        self.fields["number"].choices = [(number, number) for number in right[:500]]  # type: ignore[attr-defined]
