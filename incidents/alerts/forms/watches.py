"""What people type about watches."""

from django import forms

from incidents.alerts.models import AlertSeverity
from incidents.alerts.policies import Watch


class WatchForm(forms.ModelForm):
    """Raise an alert when nothing is heard for some time."""

    class Meta:
        model = Watch
        fields = ("every_minutes", "severity")
        labels = {"every_minutes": "After (minutes) without a delivery"}

    every_minutes = forms.IntegerField(min_value=1, max_value=525_600, label="After (minutes) without a delivery")
    severity = forms.ChoiceField(choices=AlertSeverity.choices, initial=AlertSeverity.HIGH, label="Alert severity")
