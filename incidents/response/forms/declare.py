"""What people type to open an incident."""

from typing import Any

from django import forms
from django.utils import timezone

from incidents.response.forms.fields import MomentField
from incidents.response.vocabulary import IncidentKind, Severity
from incidents.systems.models import System


class DeclareForm(forms.Form):
    """Three fields, because it is three in the morning."""

    title = forms.CharField(
        max_length=200,
        label="What is wrong with the output?",
        widget=forms.TextInput(
            attrs={"data-draft": "title", "autofocus": True, "placeholder": "Answers cite the retired refund policy"}
        ),
    )
    system = forms.ModelChoiceField(
        queryset=System.objects.order_by("name"), required=False, empty_label="Not sure yet", to_field_name="slug"
    )
    severity = forms.ChoiceField(choices=Severity.choices, initial=Severity.UNKNOWN)
    kind = forms.ChoiceField(
        choices=IncidentKind.choices,
        initial=IncidentKind.REAL,
        required=False,
        label="Is it real?",
        help_text="Reports leave out tests and backfilled incidents by default.",
    )
    declared_at = MomentField(required=False, label="When did it happen?", help_text="Only for a backfilled incident.")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        at = cleaned.get("declared_at")
        if at and cleaned.get("kind") != IncidentKind.BACKFILLED:
            self.add_error("declared_at", "Only a backfilled incident can have an earlier time: choose “Backfilled”.")
        elif at and at > timezone.now():
            self.add_error("declared_at", "This is in the future.")
        return cleaned

    @property
    def declared(self) -> dict[str, Any]:
        """What declares it, as Incident.objects.declare takes it."""
        fields = {name: self.cleaned_data[name] for name in ("title", "system", "severity")}
        fields["kind"] = self.cleaned_data["kind"] or IncidentKind.REAL
        if at := self.cleaned_data["declared_at"]:
            fields |= {"declared_at": at, "detected_at": at, "acknowledged_at": at}
        return fields

    def clean_title(self) -> str:
        title = " ".join(self.cleaned_data["title"].split())
        if not title:
            raise forms.ValidationError("Say what is wrong in one line.")
        return title
