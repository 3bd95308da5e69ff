"""What people fill in about follow-ups."""

from datetime import date

from django import forms

from incidents.followups.models import FollowUp
from incidents.response.forms.fields import PersonChoiceField


class PlanForm(forms.Form):
    owner = PersonChoiceField(required=False, empty_label="Nobody yet")
    due_on = forms.DateField(
        required=False, label="Due", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    priority = forms.TypedChoiceField(choices=FollowUp.Priority.choices, coerce=int, initial=FollowUp.Priority.P2)

    def clean_due_on(self) -> date | None:
        day: date | None = self.cleaned_data["due_on"]
        if day and not 2000 <= day.year <= 2200:
            raise forms.ValidationError("Enter a date between 2000 and 2200.")
        return day


class FollowUpForm(PlanForm):
    title = forms.CharField(
        max_length=200,
        label="What will be done?",
        help_text="Begin with a verb, and be specific enough that two people would agree when it is done.",
        widget=forms.TextInput(attrs={"data-draft": "title"}),
    )
    check_text = forms.CharField(
        max_length=500,
        required=False,
        label="How will we know that it worked?",
        help_text="Which evaluation or monitor will fail if it comes back?",
    )
    kind = forms.ChoiceField(choices=FollowUp.Kind.choices, label="Type")
    description = forms.CharField(max_length=10_000, required=False, widget=forms.Textarea(attrs={"rows": 3}))

    field_order = ("title", "check_text", "kind", "owner", "due_on", "priority", "description")
