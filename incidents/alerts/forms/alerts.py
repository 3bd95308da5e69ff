"""What people type about alerts."""

from django import forms

from incidents.response.forms.incident import ClassifyForm, MergeForm
from incidents.systems.models import System


class SettleForm(forms.Form):
    system = forms.ModelChoiceField(queryset=System.objects.order_by("name"))


class RememberForm(ClassifyForm):
    """Which failure it is, and whether that holds for later alerts of the same name too."""

    remember = forms.BooleanField(
        required=False, initial=True, label="Remember this for later alerts of the same name from this source"
    )


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
