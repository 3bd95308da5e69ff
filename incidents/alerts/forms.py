"""What people type about sources and alerts."""

from typing import Any

from django import forms

from incidents.alerts.sources import choices as source_kinds
from incidents.people.models import Role, Team, User
from incidents.systems.models import System


class SourceForm(forms.Form):
    kind = forms.ChoiceField(choices=source_kinds, label="Which monitor?")
    name = forms.CharField(max_length=80, widget=forms.TextInput(attrs={"placeholder": "Prometheus, production"}))
    team = forms.ModelChoiceField(queryset=Team.objects.none(), label="Owned by")
    system = forms.ModelChoiceField(
        queryset=System.objects.order_by("name"),
        required=False,
        empty_label="The alert’s label “system” says which",
        label="Watches",
        help_text="Only for alerts that carry no label “system”.",
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        led = Team.objects.filter(memberships__user=user, memberships__role__in=Role.LEAD.and_above())
        self.fields["team"].queryset = (  # type: ignore[attr-defined]  # the stubs know it as Field only
            Team.objects.all() if user.is_superuser else led
        )

    def clean_name(self) -> str:
        name = " ".join(self.cleaned_data["name"].split())
        if not name:
            raise forms.ValidationError("Give it a name by which people know it.")
        return name


class SettleForm(forms.Form):
    system = forms.ModelChoiceField(queryset=System.objects.order_by("name"))
