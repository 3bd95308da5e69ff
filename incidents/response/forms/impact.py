"""What people say of the impact: how much of what, and each of the other questions by itself."""

from decimal import Decimal
from typing import Any

from django import forms
from django.http import Http404, QueryDict

from incidents.people.models import User
from incidents.response.forms.facts import FactForm, Facts
from incidents.response.impact import (
    MOST,
    NUMBERS,
    QUESTIONS,
    UNITS,
    Exposure,
    Impact,
    assess,
    columns_of,
    expose,
    label_of,
)
from incidents.response.incident import Incident
from incidents.response.quantities import CURRENCIES, MOST_DECIMALS
from incidents.web.fields import Choose

_USUAL = ("EUR", "USD", "GBP")  # the currencies that come first


class QuantityField(forms.DecimalField):
    """An amount of any unit; the unit says how many decimals it may have, so `expose` has the last word."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=0, max_value=MOST, decimal_places=MOST_DECIMALS, **{"required": False} | options)

    def prepare_value(self, value: Any) -> Any:
        """Without an exponent, and without decimals where they are all zero."""
        if not isinstance(value, Decimal):
            return value
        return int(value) if value == value.to_integral_value() else f"{value:f}"


class ExposureForm(FactForm):
    """How much of one unit is on record; an empty number makes it unknown again."""

    to = "assess its impact"
    layout = "response/facts/_exposure_fields.html"
    fillable = ("estimate", "low", "high", "how", "evidence")

    estimate = QuantityField(label="How many")
    low = QuantityField(label="At least")
    high = QuantityField(label="At most")
    how = forms.CharField(max_length=300, required=False, label="How do you know?")
    evidence = forms.CharField(max_length=300, required=False, help_text="An address or a name: the query, the ledger.")
    corrected = QuantityField(label="Put right so far")

    def __init__(self, data: QueryDict | None = None, *, incident: Incident, user: User, unit: str) -> None:
        if unit not in UNITS:
            raise Http404
        self.unit, self.name, self.label = unit, f"exposure-{unit}", label_of(unit)
        super().__init__(data, incident=incident, user=user)
        self.fields["estimate"].label = self.label
        self.fields["how"].needed = "needed with a number"  # type: ignore[attr-defined]  # read by {% field %}

    def facts_of(self, incident: Incident) -> Facts:
        known = Exposure.objects.filter(incident=incident, **columns_of(self.unit)).first()
        return {**known.amounts(), "how": known.how, "evidence": known.evidence} if known else dict.fromkeys(NUMBERS)

    def words_of(self, incident: Incident) -> str:
        known = Exposure.objects.filter(incident=incident, **columns_of(self.unit)).first()
        return known.words if known else "unknown"

    def clean(self) -> dict[str, Any]:
        typed = super().clean() or {}
        if typed.get("estimate") is not None and "how" not in self.errors and not (typed.get("how") or "").strip():
            self.add_error("how", "Say how you know, such as “query log”.")
        return typed

    def apply(self, incident: Incident, *, by: User) -> None:
        self._say(incident, self.unit, by=by)

    def _say(self, incident: Incident, unit: str, *, by: User) -> None:
        expose(incident, unit, by=by, **{name: self.cleaned_data[name] for name in (*NUMBERS, "how", "evidence")})


class MoreExposureForm(ExposureForm):
    """How much of a unit of which nothing is on record."""

    of = forms.ChoiceField(
        label="Of what",
        error_messages={"invalid_choice": "Choose one of the list; what is on record is changed in its row."},
    )

    def __init__(self, data: QueryDict | None = None, *, incident: Incident, user: User) -> None:
        super().__init__(data, incident=incident, user=user, unit=UNITS[0])
        self.name, self.label = "more-exposure", "How much of what"
        self.auto_id = f"{self.name}_%s"
        self.fields["of"].choices = _units({row.unit for row in incident.exposures.all()})  # type: ignore[attr-defined]
        self.fields["estimate"].label = "How much"
        self.fields["estimate"].required = self.fields["how"].required = True
        self.fields["how"].needed = ""  # type: ignore[attr-defined]  # as above

    def facts_of(self, incident: Incident) -> Facts:
        return {}

    def apply(self, incident: Incident, *, by: User) -> None:
        self._say(incident, self.cleaned_data["of"], by=by)


def _units(known: set[str]) -> list[Any]:
    """What can be chosen: counts first, then currencies, the usual ones first; without those that are on record."""
    counts = [(unit, label_of(unit).lower()) for unit in UNITS if unit not in known and unit not in CURRENCIES]
    codes = [code for code in dict.fromkeys([*_USUAL, *CURRENCIES]) if code not in known]
    return [*counts, ("Money", [(code, code) for code in codes])]


class AnswerForm(FactForm):
    """One of the other questions about the impact; empty is unknown."""

    to = "assess its impact"

    def __init__(self, data: QueryDict | None = None, *, incident: Incident, user: User, question: str) -> None:
        if question not in QUESTIONS:
            raise Http404
        self.question = question
        self.name, self.label = QUESTIONS[question].place, QUESTIONS[question].label
        super().__init__(data, incident=incident, user=user)
        self.fields["answer"] = _field_of(question)

    def facts_of(self, incident: Incident) -> Facts:
        known = Impact.objects.filter(incident=incident).values_list(self.question, flat=True).first()
        return {"answer": known or ""}

    def words_of(self, incident: Incident) -> str:
        known = Impact.objects.filter(incident=incident).first()
        return (QUESTIONS[self.question].words_of(known) if known else "") or "unknown"

    def apply(self, incident: Incident, *, by: User) -> None:
        assess(incident, by=by, **{self.question: self.cleaned_data["answer"].strip()})


def _field_of(question: str) -> forms.Field:
    about = QUESTIONS[question]
    shape: dict[str, Any] = {"required": False, "label": about.asked, "help_text": about.help}
    if about.choices:
        return forms.ChoiceField(choices=about.choices.choices, widget=Choose, **shape)
    longest: int = getattr(Impact._meta.get_field(question), "max_length")  # noqa: B009 - relations have none
    widget = forms.Textarea(attrs={"rows": 3}) if question == "note" else forms.TextInput()
    return forms.CharField(max_length=longest, widget=widget, **shape)
