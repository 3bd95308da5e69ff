"""What people fill in about follow-ups."""

from datetime import date
from typing import Any

from django import forms
from django.utils import timezone

from incidents.followups.models import FollowUp
from incidents.response.forms.fields import PersonChoiceField
from incidents.texts import check_readable
from incidents.web.fields import DayField


class FollowUpForm(forms.Form):
    """What is to be done, and how one will know that it worked; `was_due` is the day that an existing one has already."""

    title = forms.CharField(
        validators=[check_readable],
        max_length=200,
        label="What will be done?",
        help_text="Begin with a verb, and be specific enough that two people would agree when it is done.",
        widget=forms.TextInput(attrs={"data-draft": "title"}),
    )
    check_text = forms.CharField(
        max_length=500,
        required=False,
        label="How will we know that it worked?",
        help_text="Which evaluation or monitor will fail if it comes back? A P0 or P1 needs one.",
    )
    kind = forms.ChoiceField(choices=FollowUp.Kind.choices, label="Type")
    owner = PersonChoiceField(required=False, empty_label="Nobody yet")
    due_on = DayField(required=False, label="Due")
    priority = forms.TypedChoiceField(choices=FollowUp.Priority.choices, coerce=int, initial=FollowUp.Priority.P2)

    description = forms.CharField(max_length=10_000, required=False, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, was_due: date | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.was_due = was_due

    def clean_due_on(self) -> date | None:
        day: date | None = self.cleaned_data["due_on"]
        if day and day != self.was_due and day < timezone.localdate():
            raise forms.ValidationError("That day has passed. Enter today or a later day.")
        return day

    def clean(self) -> dict[str, Any] | None:
        fields = super().clean()
        cleaned = self.cleaned_data
        priority, check_text = cleaned.get("priority", FollowUp.Priority.P3), cleaned.get("check_text", "")
        if error := FollowUp.check_error(priority=priority, check_text=check_text):
            self.add_error("check_text", error)
        return fields
