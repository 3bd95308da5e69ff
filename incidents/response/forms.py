"""What people type about incidents."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from incidents import taxonomy
from incidents.people.models import User
from incidents.response.models import CLOCKS, Incident, NoticedBy, Severity
from incidents.systems.models import System

TEXT = {"data-draft": "text", "rows": 3}


class MomentField(forms.DateTimeField):
    """A moment in the zone of whoever types it, from the browser's own picker."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local", "step": "60"}, format="%Y-%m-%dT%H:%M")

    def __init__(self, **options: Any) -> None:
        super().__init__(input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"], **options)

    def clean(self, value: Any) -> datetime | None:
        moment: datetime | None = super().clean(value)
        if moment and not 2000 <= moment.year <= 2200:
            raise forms.ValidationError("Write a date between 2000 and 2200.")
        return moment


class PersonField(forms.ModelChoiceField):
    def __init__(self, **options: Any) -> None:
        super().__init__(queryset=User.objects.filter(is_active=True).order_by("name"), **options)


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

    def clean_title(self) -> str:
        title = " ".join(self.cleaned_data["title"].split())
        if not title:
            raise forms.ValidationError("Say what is wrong in one line.")
        return title


class NoteForm(forms.Form):
    text = forms.CharField(
        max_length=20_000,
        label="Note",
        widget=forms.Textarea(attrs={**TEXT, "data-note": "", "placeholder": "What do you see? Markdown works."}),
    )


class ContainForm(forms.Form):
    action = forms.ChoiceField(label="What was done")
    note = forms.CharField(
        max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 2, "data-draft": "containment"})
    )

    def __init__(self, *args: Any, incident: Incident, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        usual = taxonomy.containments_for(incident.category, incident.failure_mode)
        others = [action for action in taxonomy.all_containments() if action not in usual]
        groups = [("Usual for this failure", usual), ("Others", others)]
        self.fields["action"].choices = [  # type: ignore[attr-defined]  # the stubs know it as Field only
            (name, [(action.code, action.name) for action in actions]) for name, actions in groups if actions
        ]


class ReasonForm(forms.Form):
    reason = forms.CharField(max_length=1000, widget=forms.Textarea(attrs={"rows": 2}))


class ResolveForm(forms.Form):
    note = forms.CharField(
        max_length=2000,
        required=False,
        label="What made the output right again?",
        widget=forms.Textarea(attrs={"rows": 2, "data-draft": "resolution"}),
    )


class SeverityForm(forms.Form):
    severity = forms.ChoiceField(choices=Severity.choices)


class LeadForm(forms.Form):
    lead = PersonField(required=False, empty_label="Nobody")


class ClassifyForm(forms.Form):
    failure = forms.ChoiceField(label="Category or failure mode", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["failure"].choices = [  # type: ignore[attr-defined]
            ("", "Unclassified"),
            *(
                (found.name, [(found.code, f"{found.name}: not sure which"), *((m.code, m.name) for m in found.modes)])
                for found in taxonomy.categories()
            ),
        ]

    @property
    def chosen(self) -> tuple[str, str]:
        """The category and the failure mode; either may be empty."""
        found = taxonomy.find(self.cleaned_data["failure"])
        return (found.category, found.failure_mode) if found else ("", "")


class SystemForm(forms.Form):
    system = forms.ModelChoiceField(
        queryset=System.objects.order_by("name"), required=False, empty_label="Not known", to_field_name="slug"
    )


class DescribeForm(forms.Form):
    title = forms.CharField(max_length=200)
    summary = forms.CharField(max_length=20_000, required=False, widget=forms.Textarea(attrs={"rows": 4}))


class NoticedForm(forms.Form):
    noticed_by = forms.ChoiceField(choices=NoticedBy.choices, required=False, label="Who noticed first?")


class ClocksForm(forms.Form):
    """The six clocks; only those that were changed are set."""

    reason = forms.CharField(max_length=500, required=False, label="How do you know?")

    def __init__(self, *args: Any, incident: Incident, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.incident = incident
        for name, label in CLOCKS.items():
            self.fields[name] = MomentField(label=label, required=False, initial=getattr(incident, name))

    def changes(self) -> dict[str, datetime | None]:
        """What differs from the incident, to the minute: the picker has no seconds."""
        given = {name: self.cleaned_data[name] for name in CLOCKS}
        return {name: at for name, at in given.items() if _minute(at) != _minute(getattr(self.incident, name))}

    def clean(self) -> dict[str, Any]:
        for name in CLOCKS:
            at = self.cleaned_data.get(name)
            if at and at > timezone.now() + timedelta(minutes=5):
                self.add_error(name, "This is in the future.")
        return self.cleaned_data


def _minute(moment: datetime | None) -> datetime | None:
    return moment.replace(second=0, microsecond=0) if moment else None


class MergeForm(forms.Form):
    into = forms.CharField(
        max_length=20, label="Into which incident?", widget=forms.TextInput(attrs={"placeholder": "INC-12"})
    )

    def clean_into(self) -> int:
        number = self.cleaned_data["into"].strip().upper().removeprefix("INC-").removeprefix("#")
        if not (number.isascii() and number.isdigit() and len(number) <= 9):
            raise forms.ValidationError("Write its number, such as INC-12.")
        return int(number)


class PrivacyForm(forms.Form):
    people = forms.ModelMultipleChoiceField(
        queryset=User.objects.filter(is_active=True).order_by("name"),
        required=False,
        label="Who may see it, besides you and the lead",
    )
