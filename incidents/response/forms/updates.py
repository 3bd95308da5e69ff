"""What people write for stakeholders and for the public."""

from datetime import datetime, timedelta

from django import forms
from django.utils import timezone

from incidents.response.public_pages import PublicPage, PublicPost


class UpdateForm(forms.Form):
    """What stakeholders are told."""

    text = forms.CharField(
        max_length=5000,
        label="What should stakeholders know?",
        widget=forms.Textarea(
            attrs={"rows": 3, "data-draft": "update", "placeholder": "What is known, what is being done."}
        ),
    )
    impact = forms.CharField(max_length=1000, required=False, label="Impact, as they notice it")
    next_in = forms.ChoiceField(
        choices=[("", "as usual"), ("15", "15 min"), ("30", "30 min"), ("60", "1 hour"), ("240", "4 hours"), ("1440", "1 day")],
        required=False, label="Next update in",
    )  # fmt: skip

    @property
    def next_at(self) -> datetime | None:
        minutes = self.cleaned_data["next_in"]
        return timezone.now() + timedelta(minutes=int(minutes)) if minutes else None


class PublicPageForm(forms.ModelForm):
    class Meta:
        model = PublicPage
        fields = ("is_on", "name", "intro")
        labels = {"name": "What the public calls it", "intro": "A sentence about it"}


class PublicPostForm(forms.ModelForm):
    class Meta:
        model = PublicPost
        fields = ("state", "text")
        labels = {"text": "In words for the public"}
        widgets = {"text": forms.Textarea(attrs={"rows": 4, "data-draft": "public"})}
