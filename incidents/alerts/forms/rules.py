"""What people type about routing rules."""

from typing import Any

from django import forms

from incidents import taxonomy
from incidents.alerts.forms.matchers import MatchersField
from incidents.alerts.models import (
    AlertSeverity,
)
from incidents.alerts.rules import ACTS, Unruly, read
from incidents.response.forms.fields import failure_choices
from incidents.systems.models import System
from incidents.texts import check_readable


class RuleForm(forms.Form):
    """One rule. What is empty is left as it is."""

    name = forms.CharField(max_length=80, validators=[check_readable], help_text="How the trace refers to it.")
    matchers = MatchersField(required=False)
    act = forms.ChoiceField(choices=list(ACTS.items()), required=False, label="What it does")
    times = forms.IntegerField(min_value=2, max_value=10_000, required=False, label="Number of repeats")
    within_minutes = forms.IntegerField(min_value=1, max_value=10_080, required=False, label="Within (minutes)")
    set_system = forms.ModelChoiceField(
        queryset=System.objects.order_by("name"), to_field_name="slug", required=False, empty_label="Unchanged"
    )
    set_severity = forms.ChoiceField(choices=[("", "Unchanged"), *AlertSeverity.choices], required=False)
    set_failure = forms.ChoiceField(required=False, label="Set category or failure mode")
    group_by = forms.CharField(
        max_length=200,
        required=False,
        label="Group by",
        help_text="Label names, separated by commas: one incident for each combination of values, besides system and category.",
    )
    join_minutes = forms.IntegerField(
        min_value=1,
        max_value=43_200,
        required=False,
        label="Join for (minutes)",
        help_text="After this long without an alert, the next one opens a new incident. Empty: join as long as it is open.",
    )
    reopen_minutes = forms.IntegerField(
        min_value=1,
        max_value=10_080,
        required=False,
        label="Reopen within (minutes)",
        help_text="An alert this soon after the incident was resolved reopens it. Empty: only flapping alerts do.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["set_failure"].choices = [("", "Unchanged"), *failure_choices()[1:]]  # type: ignore[attr-defined]

    @staticmethod
    def initial_of(stored: dict[str, Any]) -> dict[str, Any]:
        """Give a stored rule as this form shows it."""
        return stored | {"set_failure": stored.get("set_failure_mode") or stored.get("set_category") or ""}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors:
            try:
                read([self.row])
            except Unruly as error:
                raise forms.ValidationError(str(error)) from None
        return cleaned

    @property
    def row(self) -> dict[str, Any]:
        """The rule as a version keeps it."""
        fields = self.cleaned_data
        failure = taxonomy.find(fields["set_failure"]) if fields["set_failure"] else None
        rule = {
            "name": fields["name"].strip(),
            "matchers": fields["matchers"],
            "act": fields["act"],
            "set_system": fields["set_system"].slug if fields["set_system"] else "",
            "set_severity": fields["set_severity"],
            "set_category": failure.category if failure else "",
            "set_failure_mode": failure.failure_mode if failure else "",
            "group_by": fields["group_by"],
            "times": fields["times"],
            "within_minutes": fields["within_minutes"],
            "join_minutes": fields["join_minutes"],
            "reopen_minutes": fields["reopen_minutes"],
        }
        return {name: value for name, value in rule.items() if value not in (None, "")}


class PublishForm(forms.Form):
    note = forms.CharField(max_length=200, required=False, label="What changed, in one sentence")
