"""What people type about who does what."""

from django import forms

from incidents.response.forms.fields import PersonChoiceField, RoleField
from incidents.texts import check_readable


class HandoverForm(forms.Form):
    role = RoleField(initial="lead")
    to = PersonChoiceField(label="To whom")
    summary = forms.CharField(
        max_length=5000,
        label="What they need to know",
        widget=forms.Textarea(
            attrs={
                "rows": 5,
                "data-draft": "handover",
                "placeholder": "What is going on, what was tried, what comes next.",
            }
        ),
    )


class TaskForm(forms.Form):
    title = forms.CharField(
        validators=[check_readable],
        max_length=200,
        label="What needs to be done now?",
        widget=forms.TextInput(attrs={"data-draft": "task"}),
    )
    mine = forms.BooleanField(required=False, label="Assign to me", initial=True)
