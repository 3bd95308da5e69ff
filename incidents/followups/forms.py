"""What people fill in about follow-ups."""

from datetime import date
from typing import Any

from django import forms
from django.utils import timezone

from incidents.evaluations.cases import EvaluationCase
from incidents.followups.models import FollowUp
from incidents.followups.proofs import LEAST_DAYS, MOST_DAYS, MOST_RUNS, USUAL_RUNS, Proof
from incidents.people.models import User
from incidents.response.forms.fields import IncidentField, IncidentForm, PersonChoiceField
from incidents.response.incident import Incident
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


class CaseChoiceField(forms.ModelChoiceField):
    def label_from_instance(self, case: EvaluationCase) -> str:
        return f"{case.key} {case.title}"


class ProofForm(forms.Form):
    """What will show that it works."""

    proof = forms.ChoiceField(
        choices=[("", "Not agreed yet"), *Proof.Kind.choices], required=False, label="What will show it?"
    )
    days = forms.IntegerField(
        min_value=LEAST_DAYS,
        max_value=MOST_DAYS,
        initial=90,
        required=False,
        label="Quiet for how many days?",
        help_text="Counted from when it is done. It is evidence only if the old rate makes so long a quiet unlikely.",
    )
    alert_name = forms.CharField(
        max_length=200,
        required=False,
        label="Which alert rule must not fire?",
        help_text="As the monitor calls it. Empty: no incident of the same failure mode on this system.",
    )
    case = CaseChoiceField(
        queryset=EvaluationCase.objects.none(),
        required=False,
        empty_label="Choose a case",
        label="Which case must pass?",
        help_text="One of this system’s evaluation cases. What your CI reports after it is done counts.",
    )
    runs = forms.IntegerField(
        min_value=1, max_value=MOST_RUNS, initial=USUAL_RUNS, required=False, label="In how many runs in a row?"
    )
    person = PersonChoiceField(required=False, label="Who looks?")
    look_on = DayField(required=False, label="On which day?")

    def __init__(self, *args: Any, incident: Incident, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cases = EvaluationCase.objects.visible_to(user).in_force().filter(system=incident.system_id)
        self.fields["case"].queryset = cases.order_by("-number")  # type: ignore[attr-defined]  # a field of rows

    def clean(self) -> dict[str, Any] | None:
        fields = super().clean()
        cleaned = self.cleaned_data
        match cleaned.get("proof"):
            case "quiet" if not cleaned.get("days") and "days" not in self.errors:
                self.add_error("days", "Say for how many days it must stay quiet.")
            case "case" if not cleaned.get("case") and "case" not in self.errors:
                self.add_error("case", "Choose the case that must pass.")
            case "look":
                for name, sentence in (("person", "Choose who looks."), ("look_on", "Enter the day.")):
                    if not cleaned.get(name) and name not in self.errors:
                        self.add_error(name, sentence)
        return fields

    @property
    def plan(self) -> dict[str, Any]:
        """What was chosen, as `Proof.objects.plan` takes it; empty where nothing was."""
        cleaned = self.cleaned_data
        if not cleaned["proof"]:
            return {}
        return {"kind": cleaned["proof"]} | {
            name: cleaned[name] for name in ("days", "alert_name", "case", "runs", "person", "look_on")
        }


class LookForm(forms.Form):
    holds = forms.ChoiceField(choices=[("yes", "It holds"), ("no", "It does not hold")], label="What did you see?")
    note = forms.CharField(max_length=400, label="What shows it?", widget=forms.Textarea(attrs={"rows": 2}))


class DrillForm(IncidentForm):
    incident = IncidentField(label="Test incident")
    worked = forms.ChoiceField(choices=[("yes", "It worked"), ("no", "It did not work")], label="How did it go?")
    note = forms.CharField(max_length=400, label="What happened?", widget=forms.Textarea(attrs={"rows": 2}))
