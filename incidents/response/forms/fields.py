"""Fields that several forms use."""

from datetime import datetime
from typing import Any

from django import forms

from incidents import taxonomy
from incidents.people.models import User
from incidents.response.incident import Incident
from incidents.response.roles import ResponseRole
from incidents.response.vocabulary import year_question

TEXT = {"data-draft": "text", "rows": 3}


def failure_choices() -> list[Any]:
    """All failure modes by category; each category comes first in its group, for whoever knows no more than that."""
    groups = [
        (
            category.name,
            [
                (category.code, f"{category.name}: not sure which"),
                *((mode.code, mode.name) for mode in category.modes),
            ],
        )
        for category in taxonomy.categories()
    ]
    return [("", "Unclassified"), *groups]


class FailureForm(forms.Form):
    """What kind of failure it is."""

    failure = forms.ChoiceField(choices=failure_choices, required=False, label="Category or failure mode")

    @property
    def chosen(self) -> tuple[str, str]:
        """The category and the failure mode; either may be empty."""
        failure = taxonomy.find(self.cleaned_data["failure"])
        return (failure.category, failure.failure_mode) if failure else ("", "")


class PersonChoiceField(forms.ModelChoiceField):
    def __init__(self, **options: Any) -> None:
        queryset = User.objects.filter(is_active=True).order_by("name")
        super().__init__(queryset=queryset, **{"empty_label": "Choose a person"} | options)


class PeopleChoiceField(forms.ModelMultipleChoiceField):
    def __init__(self, **options: Any) -> None:
        super().__init__(queryset=User.objects.filter(is_active=True).order_by("name"), **options)


class IncidentField(forms.CharField):
    """An incident that `user` may see, by its number, written as people do: 12, #12 or INC-12.

    One that they may not see is one that does not exist.
    """

    user: User

    def __init__(self, **options: Any) -> None:
        widget = forms.TextInput(attrs={"placeholder": "INC-12"})
        super().__init__(max_length=20, widget=widget, **options)

    def clean(self, value: Any) -> Incident | None:
        number = str(super().clean(value)).strip().upper().removeprefix("INC-").removeprefix("#")
        if not number and not self.required:
            return None
        if not (number.isascii() and number.isdigit() and len(number) <= 9):
            raise forms.ValidationError("Enter a number, such as INC-12.")
        incident = Incident.objects.visible_to(self.user).filter(number=int(number)).first()
        if incident is None:
            raise forms.ValidationError(f"There is no INC-{int(number)}.")
        return incident


class IncidentForm(forms.Form):
    """A form that names incidents: those that `user` may see."""

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            if isinstance(field, IncidentField):
                field.user = user


class YearForm(forms.Form):
    """A form that asks whether the year of a start long ago is right, and takes a tick as the answer."""

    # Hidden until it is asked.
    confirm_old = forms.BooleanField(required=False, label="Yes, the year is right", widget=forms.HiddenInput)

    def ask_year(self, name: str, *, known: datetime | None = None) -> None:
        """Ask about the moment of a field unless it is what is `known` already; unanswered, it is an error of the field."""
        question = year_question(self.cleaned_data.get(name)) if self.cleaned_data.get(name) != known else ""
        if question:
            self.fields["confirm_old"].widget = forms.CheckboxInput()
            if not self.cleaned_data["confirm_old"]:
                self.add_error(name, question)


class RoleField(forms.ModelChoiceField):
    def __init__(self, **options: Any) -> None:
        super().__init__(queryset=ResponseRole.objects.filter(is_active=True), **options)
