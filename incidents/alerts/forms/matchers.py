"""The field in which people write matchers."""

from typing import Any

from django import forms

from incidents.alerts.matchers import Unmatchable, parse

_MATCHERS_HELP = (
    "One per line; all must match: severity=critical, system!=home-feed, alertname=~“Recall.*”, team!~“a|b”. "
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
