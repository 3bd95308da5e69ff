"""What people type to open an incident."""

from typing import Any

from django import forms
from django.utils import timezone

from incidents import taxonomy
from incidents.response.forms.fields import YearForm
from incidents.response.vocabulary import IncidentKind, Severity
from incidents.systems.models import System
from incidents.texts import one_line
from incidents.web.fields import MomentField


def proposal(title: str) -> taxonomy.Suggestion | None:
    """What kind of failure a title reads like, where that is clear and a failure of an AI system at all."""
    found = taxonomy.propose(" ".join(title.split()))
    return found if found and found.category else None


class DeclareForm(YearForm):
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
    kind = forms.ChoiceField(
        choices=IncidentKind.choices,
        initial=IncidentKind.REAL,
        required=False,
        label="Is it real?",
        help_text="Reports leave out tests and backfilled incidents by default.",
    )
    # What the words of the title tell, taken with one tap; everything else is classified on the incident's page.
    failure = forms.CharField(max_length=64, required=False, widget=forms.HiddenInput)
    declared_at = MomentField(required=False, label="When did it happen?", help_text="Only for a backfilled incident.")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        at = cleaned.get("declared_at")
        if at and cleaned.get("kind") != IncidentKind.BACKFILLED:
            self.add_error("declared_at", "Only a backfilled incident can have an earlier time: choose “Backfilled”.")
        elif at and at > timezone.now():
            self.add_error("declared_at", "This is in the future.")
        else:
            self.ask_year("declared_at")
        return cleaned

    @property
    def declared(self) -> dict[str, Any]:
        """What declares it, as Incident.objects.declare takes it."""
        fields = {name: self.cleaned_data[name] for name in ("title", "system", "severity")}
        fields["kind"] = self.cleaned_data["kind"] or IncidentKind.REAL
        if at := self.cleaned_data["declared_at"]:
            fields |= {"declared_at": at, "detected_at": at, "acknowledged_at": at}
        if failure := taxonomy.find(self.cleaned_data["failure"]):
            fields |= {"category": failure.category, "failure_mode": failure.failure_mode}
            fields["classified_because"] = f"“{failure.name}” was chosen when it was opened."
            if (found := proposal(fields["title"])) and failure.code == (found.failure_mode or found.category):
                fields["classified_because"] = f"{found.reason} Whoever opened it agreed."[:500]
        return fields

    def clean_failure(self) -> str:
        code: str = self.cleaned_data["failure"]
        if code and not taxonomy.find(code):
            raise forms.ValidationError("This failure is not in the taxonomy.")
        return code

    def clean_title(self) -> str:
        title = one_line(self.cleaned_data["title"])
        if not title:
            raise forms.ValidationError("Say what is wrong in one line.")
        return title
