"""How people tell one Event."""

from datetime import datetime

from django import forms
from django.utils import timezone

from incidents.response.forms.fields import MomentField
from incidents.response.story import Curation


class CurateForm(forms.ModelForm):
    """How one Event is told."""

    class Meta:
        model = Curation
        fields = ("text", "at", "marker", "evidence_url", "pinned", "hidden")
        labels = {"hidden": "Leave it out of the story", "pinned": "Pin it"}

    text = forms.CharField(
        max_length=5000, required=False, label="Told as", help_text="Empty: as it was recorded. Markdown works.",
        widget=forms.Textarea(attrs={"rows": 4, "data-draft": "curation"}),
    )  # fmt: skip
    at = MomentField(required=False, label="Happened at", help_text="Empty: when it was recorded.")
    evidence_url = forms.URLField(max_length=2000, required=False, label="Evidence", assume_scheme="https")

    def clean_at(self) -> datetime | None:
        at: datetime | None = self.cleaned_data["at"]
        if at and at > timezone.now():
            raise forms.ValidationError("What happened cannot lie in the future.")
        return at
