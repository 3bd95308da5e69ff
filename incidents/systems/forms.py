"""What people fill in about systems."""

from datetime import datetime

from django import forms
from django.utils import timezone

from incidents.systems.models import Change
from incidents.web.fields import MomentField


class ChangeForm(forms.ModelForm):
    """Something that was altered, as somebody remembers it."""

    kind = forms.ChoiceField(label="What was changed?", choices=[("", "Choose what was changed"), *Change.Kind.choices])
    happened_at = MomentField(required=False, label="When?", help_text="Empty: just now.")
    url = forms.URLField(
        required=False,
        max_length=2000,
        assume_scheme="https",
        label="Link",
        widget=forms.URLInput(attrs={"placeholder": "https://"}),
    )

    class Meta:
        model = Change
        fields = ("kind", "title", "happened_at", "version", "url")
        labels = {"title": "The change, in one line"}
        widgets = {
            "title": forms.TextInput(attrs={"data-draft": "change", "placeholder": "Rebuilt the policy index"}),
        }

    def clean_happened_at(self) -> datetime:
        moment: datetime | None = self.cleaned_data["happened_at"]
        if moment and moment > timezone.now():
            raise forms.ValidationError("This is in the future.")
        return moment or timezone.now()
