"""What people fill in on the pages of reports."""

from decimal import Decimal

from django import forms

from incidents.people.models import Team
from incidents.reports.saved import ReportInterval
from incidents.response.forms.fields import PersonChoiceField
from incidents.web.fields import DayField


class DecisionForm(forms.Form):
    text = forms.CharField(
        max_length=500,
        label="What should be decided?",
        error_messages={"required": "Say what should be decided."},
    )
    owner = PersonChoiceField(required=False, empty_label="Nobody yet")
    due_on = DayField(required=False, label="By")


class SubscriptionForm(forms.Form):
    team = forms.ModelChoiceField(
        queryset=Team.objects.all(), required=False, to_field_name="slug", empty_label="Everything"
    )
    cadence = forms.ChoiceField(choices=ReportInterval.choices, label="How often")


class ObjectiveForm(forms.Form):
    objective = forms.DecimalField(
        min_value=Decimal(50),
        max_value=Decimal("99.99"),
        max_digits=5,
        decimal_places=2,
        required=False,
        label="Objective: how much of the time its output should be good, in %",
    )
