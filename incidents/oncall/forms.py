"""What people fill in about who is on call."""

from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone

from incidents.oncall.fetching import address_of
from incidents.oncall.pointer import can_be_on_call
from incidents.oncall.rota import MOST_TURNS, Rota, plan_of
from incidents.oncall.schedule import Line
from incidents.oncall.shifts import Plan, Span
from incidents.people.models import Team, User
from incidents.texts import check_readable
from incidents.web.fields import DayField, MomentField, TimeZoneField

SHOWN_TURNS = 6  # the others are folded away until they are needed


class PointerForm(forms.Form):
    """A form that says which version of the pointer was read before."""

    version = forms.IntegerField(min_value=0, max_value=2**31 - 1, widget=forms.HiddenInput)


class RotaForm(PointerForm):
    """Who takes turns, in order, and when they hand over."""

    name = forms.CharField(max_length=80, validators=[check_readable], label="Name of the rota")
    days = forms.TypedChoiceField(choices=Rota.Length.choices, coerce=int, label="They hand over")
    weekday = forms.TypedChoiceField(
        choices=Rota.Weekday.choices, coerce=int, label="On", help_text="Of a weekly rota."
    )
    hands_over_at = forms.TimeField(
        label="At",
        input_formats=["%H:%M", "%H:%M:%S"],
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
    )
    time_zone = TimeZoneField(help_text="The hand-over stays at this time when the clocks change.")
    starts_on = DayField(
        label="Starts on", help_text="The first shift begins with the first hand-over from this day on."
    )

    def __init__(self, *args: Any, team: Team, keep: list[User], **kwargs: Any) -> None:
        """`keep` are those who take turns already: they may be chosen even if they left or respond no longer."""
        super().__init__(*args, **kwargs)
        people = {person.pk: person for person in [*can_be_on_call(team), *keep]}
        self._people = people
        choices = [("", "–"), *((str(pk), str(person)) for pk, person in people.items())]
        for number in range(1, MOST_TURNS + 1):
            field = forms.ChoiceField(choices=choices, required=False, label=f"{number}.")
            field.needed = ""  # type: ignore[attr-defined]  # what {% field %} says beside the label
            self.fields[f"person_{number}"] = field

    @property
    def turns(self) -> list[forms.BoundField]:
        """The fields that are shown at once: as many as are filled in, and two more."""
        return self._turn_fields()[: self._shown()]

    @property
    def more_turns(self) -> list[forms.BoundField]:
        return self._turn_fields()[self._shown() :]

    def _turn_fields(self) -> list[forms.BoundField]:
        return [self[f"person_{number}"] for number in range(1, MOST_TURNS + 1)]

    def _shown(self) -> int:
        filled = [number for number, field in enumerate(self._turn_fields(), 1) if field.value() or field.errors]
        return max(SHOWN_TURNS, max(filled, default=0) + 2)

    def clean(self) -> dict[str, Any] | None:
        fields = super().clean()
        broken = any(name.startswith("person_") for name in self.errors)
        if not broken and not self.people:
            self.add_error("person_1", "Say who takes turns.")
        return fields

    @property
    def people(self) -> list[User]:
        """Who takes turns, in order."""
        chosen = [self.cleaned_data.get(f"person_{number}") for number in range(1, MOST_TURNS + 1)]
        return [self._people[int(pk)] for pk in chosen if pk]

    @property
    def facts(self) -> dict[str, Any]:
        """The fields of the rota itself."""
        names = ("name", "days", "weekday", "hands_over_at", "time_zone", "starts_on")
        return {name: self.cleaned_data[name] for name in names}

    @property
    def plan(self) -> Plan | None:
        """The rota as it would be; None while something is missing or wrong."""
        if not self.is_valid():
            return None
        return plan_of([person.pk for person in self.people], Rota(**self.facts))


class CalendarForm(PointerForm):
    """The address of a calendar elsewhere. It is never shown again."""

    url = forms.CharField(
        max_length=2048,
        label="Address of the calendar",
        widget=forms.TextInput(attrs={"placeholder": "https://…/basic.ics", "autocomplete": "off", "inputmode": "url"}),
    )

    def __init__(self, *args: Any, has_address: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["url"].required = not has_address

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"]
        return address_of(url) if url.strip() else ""


class PagerForm(PointerForm):
    """The service of a pager, as the pager calls it."""

    service = forms.CharField(max_length=200, validators=[check_readable], label="Service of the pager")


class OverrideForm(forms.Form):
    """Somebody is on call for a while: oneself, or for those who lead the team anybody who responds."""

    person = forms.ModelChoiceField(queryset=User.objects.none(), label="Who is on call?", empty_label=None)
    starts_at = MomentField(label="From")
    ends_at = MomentField(label="Until")
    replaces = forms.ChoiceField(
        choices=[("instead", "Instead of whoever is on call"), ("as_well", "As well as whoever is on call")],
        label="How?",
    )
    note = forms.CharField(max_length=200, required=False, help_text="Why, for whoever looks at the rota.")

    def __init__(self, *args: Any, team: Team, user: User, leads: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = can_be_on_call(team)
        field = self.fields["person"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - tells the type
        field.queryset = people if leads else people.filter(pk=user.pk)

    def clean_ends_at(self) -> datetime:
        end: datetime = self.cleaned_data["ends_at"]
        if (start := self.cleaned_data.get("starts_at")) and end <= start:
            raise forms.ValidationError("The end must be after the start.")
        if end <= timezone.now():
            raise forms.ValidationError("This is over already.")
        return end


class SwapForm(forms.Form):
    """Which shift is given, and for which."""

    gives = forms.ChoiceField(label="Which shift do you give away?", error_messages={"invalid_choice": "Choose again."})
    takes = forms.ChoiceField(
        label="For which shift?", error_messages={"invalid_choice": "This shift has changed. Choose again."}
    )
    note = forms.CharField(max_length=200, required=False, help_text="Why, for whoever is asked.")

    def __init__(self, *args: Any, gives: list[Line], takes: list[Line], people: list[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lines = {line.value: line for line in [*gives, *takes]}
        self._people = {f"person_{person.pk}": person for person in people}
        nothing = [(value, str(person)) for value, person in self._people.items()]
        self._set("gives", [_UNCHOSEN, *_choices(gives)])
        self._set(
            "takes",
            [_UNCHOSEN, ("Their shift in return", _choices(takes)), ("Nothing in return, just cover by", nothing)],
        )

    def _set(self, name: str, choices: list[Any]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - tells the type
        field.choices = [group for group in choices if group[1]]

    @property
    def given(self) -> Line:
        return self._lines[self.cleaned_data["gives"]]

    @property
    def taken(self) -> Line | None:
        return self._lines.get(self.cleaned_data["takes"])

    @property
    def taker(self) -> User | None:
        return self.taken.person if self.taken else self._people[self.cleaned_data["takes"]]

    def clean(self) -> dict[str, Any] | None:
        fields = super().clean()
        if "gives" in self.cleaned_data and "takes" in self.cleaned_data and self.taker == self.given.person:
            self.add_error("takes", "Choose somebody else to swap with.")
        return fields


_UNCHOSEN = ("", "Choose a shift")


def _choices(lines: list[Line]) -> list[tuple[str, str]]:
    return [(line.value, f"{line.person}: {_local(line.start)} – {_local(line.end)}") for line in lines]


def _local(moment: datetime) -> str:
    return f"{timezone.localtime(moment):%a %-d %b %H:%M}"


def span_of(line: Line) -> Span:
    return Span(line.start, line.end)
