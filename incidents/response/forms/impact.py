"""What people type about what an incident did."""

from typing import Any

from django import forms

from incidents.response.impact import MOST, Exposure, Impact


class ImpactForm(forms.ModelForm):
    """What it did, apart from how many."""

    class Meta:
        model = Impact
        fields = ("harm", "reversible", "fallback", "oversight", "trust", "slices", "note")
        labels = {
            "harm": "Did harm occur?",
            "reversible": "Can it be undone?",
            "fallback": "Was a fallback used?",
            "oversight": "Human oversight",
            "trust": "Trust of users",
            "slices": "Which slices were affected?",
        }
        help_texts = {"slices": "Languages, regions or customers that were affected more than others."}


class ExposureForm(forms.Form):
    """How many of one kind; what is empty is unknown."""

    estimate = forms.IntegerField(min_value=0, max_value=MOST, required=False)
    low = forms.IntegerField(min_value=0, max_value=MOST, required=False, label="At least")
    high = forms.IntegerField(min_value=0, max_value=MOST, required=False, label="At most")
    how = forms.CharField(max_length=300, required=False, label="How we know")
    corrected = forms.IntegerField(min_value=0, max_value=MOST, required=False, label="Corrected so far")

    def __init__(self, data: Any = None, *, exposure: Exposure | None, of: str) -> None:
        known = (
            {name: getattr(exposure, name) for name in ("estimate", "low", "high", "how", "corrected")}
            if exposure
            else {}
        )
        super().__init__(data, prefix=of, initial=known)
        self.of = Exposure.Of(of)

    def clean(self) -> dict[str, Any]:
        typed = super().clean() or {}
        estimate, low, high = (typed.get(name) for name in ("estimate", "low", "high"))
        if estimate is None and any(typed.get(name) is not None for name in ("low", "high", "corrected")):
            self.add_error("estimate", "An interval needs an estimate.")
        if estimate is not None and not (typed.get("how") or "").strip() and "how" not in self.errors:
            self.add_error("how", "Say how you know, such as “query log”.")
        if estimate is not None and ((low is not None and low > estimate) or (high is not None and high < estimate)):
            self.add_error("estimate", "The estimate lies outside its interval.")
        return typed
