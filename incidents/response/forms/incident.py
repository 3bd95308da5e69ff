"""What people type on the page of an incident."""

from typing import Any

from django import forms

from incidents import taxonomy
from incidents.people.models import User
from incidents.response.forms.fields import TEXT, IncidentField, IncidentForm, PersonChoiceField
from incidents.response.links import Link
from incidents.response.vocabulary import IncidentKind, NoticedBy, Severity
from incidents.systems.models import System


class NoteForm(forms.Form):
    text = forms.CharField(
        max_length=20_000,
        label="Note",
        widget=forms.Textarea(attrs={**TEXT, "data-note": "", "placeholder": "What do you see? Markdown works."}),
    )


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
    lead = PersonChoiceField(required=False, empty_label="Nobody")


class ClassifyForm(forms.Form):
    failure = forms.ChoiceField(label="Category or failure mode", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["failure"].choices = [  # type: ignore[attr-defined]
            ("", "Unclassified"),
            *(
                (
                    category.name,
                    [
                        (category.code, f"{category.name}: not sure which"),
                        *((mode.code, mode.name) for mode in category.modes),
                    ],
                )
                for category in taxonomy.categories()
            ),
        ]

    @property
    def chosen(self) -> tuple[str, str]:
        """The category and the failure mode; either may be empty."""
        failure = taxonomy.find(self.cleaned_data["failure"])
        return (failure.category, failure.failure_mode) if failure else ("", "")


class SystemForm(forms.Form):
    system = forms.ModelChoiceField(
        queryset=System.objects.order_by("name"), required=False, empty_label="Unknown", to_field_name="slug"
    )


class DescribeForm(forms.Form):
    title = forms.CharField(max_length=200)
    summary = forms.CharField(max_length=20_000, required=False, widget=forms.Textarea(attrs={"rows": 4}))


class NoticedForm(forms.Form):
    noticed_by = forms.ChoiceField(choices=NoticedBy.choices, required=False, label="Who noticed first?")


class MergeForm(IncidentForm):
    into = IncidentField(label="Into which incident?")


class PrivacyForm(forms.Form):
    people = forms.ModelMultipleChoiceField(
        queryset=User.objects.filter(is_active=True).order_by("name"),
        required=False,
        label="Who may see it, besides you and the lead",
    )


class LinkForm(IncidentForm):
    kind = forms.ChoiceField(choices=Link.Kind.choices, label="Relation")
    other = IncidentField(label="Incident")


class KindForm(forms.Form):
    kind = forms.ChoiceField(choices=IncidentKind.choices, label="Is it real?")


class AttachForm(forms.Form):
    file = forms.FileField(max_length=200, label="File")
