"""What people type about rules, silences, corrections and watches."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from incidents import taxonomy
from incidents.alerts.matchers import Unmatchable, parse
from incidents.alerts.models import AlertSeverity
from incidents.alerts.policies import Watch
from incidents.alerts.rules import ACTS, Unruly, read
from incidents.response.forms import ClassifyForm, MomentField
from incidents.systems.models import System

_MATCHERS_HELP = (
    "One a line, and all must hold: severity=critical, system!=home-feed, alertname=~“Recall.*”, team!~“a|b”. "
    "Names are the alert’s labels, or source, kind, system, service, environment, category, failure_mode, severity, "
    "metric, title, fingerprint."
)


class MatchersField(forms.CharField):
    """Matchers in Alertmanager's writing, one a line."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocapitalize": "none", "class": "mono"})
        super().__init__(max_length=4000, label="Matches", help_text=_MATCHERS_HELP, widget=widget, **kwargs)

    def clean(self, value: Any) -> str:
        text = str(super().clean(value))
        try:
            parse(text)
        except Unmatchable as error:
            raise forms.ValidationError(str(error)) from None
        return text


class RuleForm(forms.Form):
    """One rule. What is empty is left as it is."""

    name = forms.CharField(max_length=80, help_text="By which the trace names it.")
    matchers = MatchersField(required=False)
    act = forms.ChoiceField(choices=list(ACTS.items()), required=False, label="What it does")
    times = forms.IntegerField(min_value=2, max_value=10_000, required=False, label="How often told")
    within_minutes = forms.IntegerField(min_value=1, max_value=10_080, required=False, label="Within (minutes)")
    set_system = forms.ModelChoiceField(
        queryset=System.objects.order_by("name"), to_field_name="slug", required=False, empty_label="As it came"
    )
    set_severity = forms.ChoiceField(choices=[("", "As it came"), *AlertSeverity.choices], required=False)
    set_failure = forms.ChoiceField(required=False, label="Set category or failure mode")
    group_by = forms.CharField(
        max_length=200, required=False, label="Group by",
        help_text="Names, with commas: one incident for each value of these, beside system and category.",
    )  # fmt: skip
    join_minutes = forms.IntegerField(
        min_value=1, max_value=43_200, required=False, label="Join for (minutes)",
        help_text="After this long without an alert, the next opens a new incident. Empty: as long as it is open.",
    )  # fmt: skip
    reopen_minutes = forms.IntegerField(
        min_value=1, max_value=10_080, required=False, label="Reopen within (minutes)",
        help_text="An alert this soon after the incident was resolved opens it again. Empty: only flapping alerts do.",
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = ClassifyForm().fields["failure"].choices[1:]  # type: ignore[attr-defined]
        self.fields["set_failure"].choices = [("", "As it came"), *choices]  # type: ignore[attr-defined]

    @staticmethod
    def initial_of(row: dict[str, Any]) -> dict[str, Any]:
        """Give a stored rule as this form shows it."""
        return row | {"set_failure": row.get("set_failure_mode") or row.get("set_category") or ""}

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
        given = self.cleaned_data
        found = taxonomy.find(given["set_failure"]) if given["set_failure"] else None
        row = {
            "name": given["name"].strip(), "matchers": given["matchers"], "act": given["act"],
            "set_system": given["set_system"].slug if given["set_system"] else "", "set_severity": given["set_severity"],
            "set_category": found.category if found else "", "set_failure_mode": found.failure_mode if found else "",
            "group_by": given["group_by"], "times": given["times"], "within_minutes": given["within_minutes"],
            "join_minutes": given["join_minutes"], "reopen_minutes": given["reopen_minutes"],
        }  # fmt: skip
        return {name: value for name, value in row.items() if value not in (None, "")}


class PublishForm(forms.Form):
    note = forms.CharField(max_length=200, required=False, label="What changed, in a sentence")


_LENGTHS = {"60": "1 hour", "240": "4 hours", "1440": "1 day", "10080": "1 week", "": "until …"}


class SilenceForm(forms.Form):
    """A silence or a maintenance window. Times are in the reader's own zone."""

    matchers = MatchersField()
    reason = forms.CharField(max_length=500, help_text="Others see it, and judge by it whether it still holds.")
    length = forms.ChoiceField(choices=list(_LENGTHS.items()), required=False, label="For", initial="60")
    ends_at = MomentField(required=False, label="Until")
    starts_at = MomentField(required=False, label="From", help_text="Empty: from now on.")
    is_maintenance = forms.BooleanField(required=False, label="It is a maintenance window")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not cleaned.get("length") and not cleaned.get("ends_at") and "ends_at" not in self.errors:
            self.add_error("ends_at", "Say until when.")
        return cleaned

    @property
    def end(self) -> datetime:
        """When it ends: after the chosen length from its start, else as typed."""
        start: datetime = self.cleaned_data["starts_at"] or timezone.now()
        typed: datetime | None = self.cleaned_data["ends_at"]
        length = self.cleaned_data["length"]
        return start + timedelta(minutes=int(length)) if length or typed is None else typed


class WatchForm(forms.ModelForm):
    """Expect to hear of something at least every so often."""

    class Meta:
        model = Watch
        fields = ("every_minutes", "severity")
        labels = {"every_minutes": "At least every (minutes)"}

    every_minutes = forms.IntegerField(min_value=1, max_value=525_600, label="At least every (minutes)")
    severity = forms.ChoiceField(
        choices=AlertSeverity.choices, initial=AlertSeverity.HIGH, label="Else an alert of severity"
    )


class WipeForm(forms.Form):
    reason = forms.CharField(max_length=300, label="Why", help_text="Such as the request that it answers.")
