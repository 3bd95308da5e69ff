"""What people type about sources."""

from typing import Any

from django import forms
from django.conf import settings

from incidents.alerts.models import Source
from incidents.alerts.models.source import LONGEST_TIMER
from incidents.alerts.signatures import SCHEMES
from incidents.alerts.sources import SourceKind
from incidents.people.models import Role, Team, User
from incidents.systems.models import System
from incidents.texts import one_line

_SCHEME_NAMES = {
    "faultline": "Faultline: X-Faultline-Signature, t=…,v1=…",
    "standard": "Standard Webhooks: webhook-signature",
    "github": "GitHub’s way: X-Hub-Signature-256",
    "pagerduty": "PagerDuty’s webhooks: X-PagerDuty-Signature",
}


def _watched_system() -> forms.ModelChoiceField:
    return forms.ModelChoiceField(
        queryset=System.objects.order_by("name"),
        required=False,
        empty_label="As each alert says",
        label="Watches",
        help_text="For alerts that name no system.",
    )


class SourceForm(forms.Form):
    """A new source of one kind."""

    name = forms.CharField(max_length=80, help_text="What people call it, such as “Prometheus, production”.")
    team = forms.ModelChoiceField(queryset=Team.objects.none(), label="Owned by", empty_label="Choose a team")
    system = _watched_system()

    def __init__(self, *args: Any, user: User, kind: SourceKind, **kwargs: Any) -> None:
        super().__init__(*args, **{"initial": {"name": kind.name}} | kwargs)
        led = Team.objects.filter(memberships__user=user, memberships__role__in=Role.LEAD.and_above())
        teams = Team.objects.all() if user.is_superuser else led
        self.fields["team"].queryset = teams  # type: ignore[attr-defined]  # the stubs know it as Field only
        self.fields["team"].initial = teams.first()

    def clean_name(self) -> str:
        name = one_line(self.cleaned_data["name"])
        if not name:
            raise forms.ValidationError("Give it a name.")
        return name


class SettingsForm(forms.ModelForm):
    """What can be changed about a source later."""

    auto_resolve_minutes = forms.IntegerField(
        min_value=1,
        max_value=LONGEST_TIMER,
        required=False,
        label="Resolve automatically after (minutes)",
        help_text="For monitors that do not send resolves. Empty: alerts fire until they are resolved.",
    )
    system = _watched_system()
    max_bytes = forms.IntegerField(
        min_value=1024,
        max_value=settings.INGEST_MAX_BYTES,
        required=False,
        label="Largest delivery (bytes)",
        help_text="Empty: 16 MiB.",
    )
    max_alerts = forms.IntegerField(
        min_value=1,
        max_value=settings.INGEST_MAX_ALERTS,
        required=False,
        label="Most alerts in a delivery",
        help_text="Empty: 10,000.",
    )

    class Meta:
        model = Source
        fields = ("name", "system", "auto_resolve_minutes", "max_bytes", "max_alerts", "scheme")
        labels = {"scheme": "Signature"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = SCHEMES.get(self.instance.about.scheme)
        ways = _SCHEME_NAMES if self.instance.kind in {"generic", "cloudevents", "slack"} else {}
        if not ways:
            del self.fields["scheme"]
        else:
            first = _SCHEME_NAMES[own.name] if own else "None: the address is the secret"
            choices = [("", first), *((name, text) for name, text in ways.items() if not own or name != own.name)]
            self.fields["scheme"] = forms.ChoiceField(choices=choices, required=False, label="Signature")

    def clean_name(self) -> str:
        return SourceForm.clean_name(self)  # type: ignore[arg-type]  # it reads cleaned_data alone


class SecretForm(forms.Form):
    secret = forms.CharField(
        max_length=500,
        min_length=8,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        label="Secret",
        help_text="The secret the monitor signs with. It is stored encrypted and cannot be shown again.",
    )
