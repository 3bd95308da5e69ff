"""What people type about watches."""

from django import forms

from incidents.alerts.models import AlertSeverity
from incidents.alerts.policies import Watch


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
