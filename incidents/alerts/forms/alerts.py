"""What people type about alerts."""

from django import forms

from incidents.response.forms.fields import FailureForm, IncidentField, IncidentForm, failure_choices
from incidents.response.incident import Incident
from incidents.systems.models import System
from incidents.web.fields import Choose


class SettleForm(forms.Form):
    system = forms.ModelChoiceField(queryset=System.objects.order_by("name"), empty_label="Choose a system")


class RememberForm(FailureForm):
    """Which failure it is, and whether that holds for later alerts of the same name too."""

    remember = forms.BooleanField(
        required=False, initial=True, label="Remember this for later alerts of the same name from this source"
    )


class ReclassifyForm(RememberForm):
    """The same of one alert, with a search for the failure."""

    failure = forms.ChoiceField(
        choices=failure_choices,
        required=False,
        label="Category or failure mode",
        widget=Choose(find="Find a failure mode"),
    )


class ManyForm(RememberForm, IncidentForm):
    """What is done to several alerts at once."""

    into = IncidentField(required=False, label="Incident")

    def required_into(self) -> Incident:
        """The incident to link to. Raises ValidationError where none was written."""
        into: Incident | None = self.cleaned_data["into"]
        if into is None:
            raise forms.ValidationError("Enter a number, such as INC-12.")
        return into
