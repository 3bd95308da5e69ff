"""How people tell one Event."""

from datetime import datetime

from django import forms
from django.utils import timezone

from incidents.response.story import Curation
from incidents.web.fields import MomentField


class CurateForm(forms.ModelForm):
    """How one Event is told."""

    class Meta:
        model = Curation
        fields = ("text", "at", "marker", "evidence_url", "pinned", "hidden")
        labels = {"hidden": "Hide from the story", "pinned": "Pin"}

    text = forms.CharField(
        max_length=5000,
        required=False,
        label="Text in the story",
        help_text="Leave empty to keep it as recorded. Markdown works.",
        widget=forms.Textarea(attrs={"rows": 4, "data-draft": "curation"}),
    )
    at = MomentField(required=False, label="Happened at", help_text="Leave empty to use the recorded time.")
    evidence_url = forms.URLField(max_length=2000, required=False, label="Evidence", assume_scheme="https")

    def clean_at(self) -> datetime | None:
        at: datetime | None = self.cleaned_data["at"]
        if at and at > timezone.now():
            raise forms.ValidationError("An entry cannot lie in the future.")
        return at
