"""What people type about sources and alerts."""

import json
from typing import Any

from django import forms

from incidents.alerts.models import Source
from incidents.alerts.signatures import SCHEMES
from incidents.alerts.sources import KINDS, SourceKind
from incidents.alerts.sources.mapped import FIELDS, LONGEST, FieldMap
from incidents.people.models import Role, Team, User
from incidents.response.forms import ClassifyForm, MergeForm
from incidents.systems.models import System

_SCHEME_NAMES = {
    "faultline": "Faultline: X-Faultline-Signature, t=…,v1=…",
    "standard": "Standard Webhooks: webhook-signature",
    "github": "GitHub’s way: X-Hub-Signature-256",
    "pagerduty": "PagerDuty’s webhooks: X-PagerDuty-Signature",
}


class SourceForm(forms.Form):
    """A new source of one kind."""

    name = forms.CharField(max_length=80, help_text="By which people know it, such as “Prometheus, production”.")
    team = forms.ModelChoiceField(queryset=Team.objects.none(), label="Owned by")
    system = forms.ModelChoiceField(
        queryset=System.objects.order_by("name"),
        required=False,
        empty_label="What the alert itself names",
        label="Watches",
        help_text="For alerts that name no system.",
    )

    def __init__(self, *args: Any, user: User, kind: SourceKind, **kwargs: Any) -> None:
        super().__init__(*args, **{"initial": {"name": kind.name}} | kwargs)
        led = Team.objects.filter(memberships__user=user, memberships__role__in=Role.LEAD.and_above())
        teams = Team.objects.all() if user.is_superuser else led
        self.fields["team"].queryset = teams  # type: ignore[attr-defined]  # the stubs know it as Field only
        self.fields["team"].initial = teams.first()

    def clean_name(self) -> str:
        name = " ".join(self.cleaned_data["name"].split())
        if not name:
            raise forms.ValidationError("Give it a name by which people know it.")
        return name


class SettingsForm(forms.ModelForm):
    """What can be changed of a source later."""

    class Meta:
        model = Source
        fields = ("name", "system", "auto_resolve_minutes", "max_bytes", "max_alerts", "scheme")
        labels = {
            "system": "Watches",
            "auto_resolve_minutes": "Resolve by itself after (minutes)",
            "max_bytes": "Bytes a delivery may have",
            "max_alerts": "Alerts a delivery may hold",
            "scheme": "Signed how",
        }
        help_texts = {
            "system": "For alerts that name no system.",
            "auto_resolve_minutes": "For monitors that never say that something is over. Empty: alerts stay until somebody ends them.",
            "max_bytes": "Empty: 16 MiB.",
            "max_alerts": "Empty: 10,000.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["system"].required = False
        own = SCHEMES.get(self.instance.about.scheme)
        ways = _SCHEME_NAMES if self.instance.kind in {"generic", "cloudevents", "slack"} else {}
        if not ways:
            del self.fields["scheme"]
        else:
            first = _SCHEME_NAMES[own.name] if own else "Not at all: its address is its secret"
            choices = [("", first), *((name, text) for name, text in ways.items() if not own or name != own.name)]
            self.fields["scheme"] = forms.ChoiceField(choices=choices, required=False, label="Signed how")

    def clean_name(self) -> str:
        return SourceForm.clean_name(self)  # type: ignore[arg-type]  # it reads cleaned_data alone


class SecretForm(forms.Form):
    secret = forms.CharField(
        max_length=500, min_length=8, widget=forms.PasswordInput(attrs={"autocomplete": "off"}), label="Secret",
        help_text="The one that the monitor signs with. It is sealed, and cannot be read again.",
    )  # fmt: skip


class MapForm(forms.Form):
    """Expressions by field, tried against one sample."""

    sample = forms.CharField(
        required=False, max_length=200_000, label="A delivery to try it on",
        widget=forms.Textarea(attrs={"rows": 14, "spellcheck": "false", "class": "mono"}),
    )  # fmt: skip
    resolved = forms.CharField(
        required=False,
        max_length=LONGEST,
        label="Words that mean resolved",
        help_text="Beside resolved, ok, closed and the like; with commas.",
    )
    firing = forms.CharField(required=False, max_length=LONGEST, label="Words that mean firing")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, text in FIELDS.items():
            self.fields[name] = forms.CharField(
                required=False, max_length=LONGEST, label=name.replace("_", " ").capitalize(), help_text=text,
                widget=forms.TextInput(attrs={"spellcheck": "false", "autocapitalize": "none", "class": "mono"}),
            )  # fmt: skip

    @property
    def expressions(self) -> dict[str, str]:
        """What was typed, also where it is not valid: the preview says what is wrong."""
        typed = {name: str(self.data.get(name, "")).strip() for name in (*FIELDS, "resolved", "firing")}
        return {name: text for name, text in typed.items() if text}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.expressions:  # nothing at all means: no map
            for name, error in FieldMap.of(self.expressions).errors().items():
                self.add_error(name, error)
        return cleaned

    @property
    def expression_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in FIELDS]


def pretty(body: bytes) -> str:
    """Show JSON with its structure; what is none, as it came."""
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return body.decode("utf-8", "replace")


def kind_or_none(slug: str) -> SourceKind | None:
    return KINDS.get(slug)


class SettleForm(forms.Form):
    system = forms.ModelChoiceField(queryset=System.objects.order_by("name"))


class RememberForm(ClassifyForm):
    """Which failure it is, and whether that holds for later alerts of the same name too."""

    remember = forms.BooleanField(required=False, initial=True, label="Remember it for this name and source")


class ManyForm(RememberForm):
    """What is done to several alerts at once."""

    into = forms.CharField(
        max_length=20, required=False, label="Incident", widget=forms.TextInput(attrs={"placeholder": "INC-12"})
    )

    def required_into(self) -> int:
        """The number of the incident to link to. Raises ValidationError where none was written."""
        form = MergeForm({"into": self.cleaned_data["into"]})
        if not form.is_valid():
            raise forms.ValidationError(list(form.errors["into"]))
        number: int = form.cleaned_data["into"]
        return number
