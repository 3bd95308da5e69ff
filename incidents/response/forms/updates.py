"""What people write for stakeholders and for the public."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from incidents.response.incident import Incident
from incidents.response.public_pages import PublicPage, PublicPost
from incidents.response.updates import usual_interval

NEXT_IN = {"15": "in 15 min", "30": "in 30 min", "60": "in 1 hour", "240": "in 4 hours", "1440": "in 1 day"}


class UpdateForm(forms.Form):
    """What stakeholders are told."""

    text = forms.CharField(
        max_length=5000,
        label="What should stakeholders know?",
        widget=forms.Textarea(
            attrs={"rows": 3, "data-draft": "update", "placeholder": "What you know, and what is being done."}
        ),
    )
    impact = forms.CharField(max_length=1000, required=False, label="Impact on them")
    next_in = forms.ChoiceField(required=False, label="Next update")

    def __init__(self, *args: Any, incident: Incident, cadences: Mapping[str, int | None], **options: Any) -> None:
        super().__init__(*args, **options)
        usual = usual_interval(incident, cadences)
        self.fields["next_in"].choices = [("", usual), *NEXT_IN.items()]  # type: ignore[attr-defined]

    @property
    def next_at(self) -> datetime | None:
        minutes = self.cleaned_data["next_in"]
        return timezone.now() + timedelta(minutes=int(minutes)) if minutes else None


class PublicPageForm(forms.ModelForm):
    class Meta:
        model = PublicPage
        fields = ("is_on", "name", "intro")
        labels = {"name": "Public name", "intro": "Short description"}


class PublicPostForm(forms.ModelForm):
    class Meta:
        model = PublicPost
        fields = ("state", "text")
        labels = {"text": "Text for the public"}
        widgets = {"text": forms.Textarea(attrs={"rows": 4, "data-draft": "public"})}
