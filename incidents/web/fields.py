"""Form fields that every slice may use."""

import re
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString

from incidents.web.zones import zone_choices
from incidents.years import check_year


class MomentField(forms.DateTimeField):
    """A moment in the zone of whoever types it, from the browser's own picker."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local", "step": "60"}, format="%Y-%m-%dT%H:%M")

    def __init__(self, **options: Any) -> None:
        super().__init__(input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"], **options)

    def prepare_value(self, value: Any) -> Any:
        try:
            return super().prepare_value(value)
        except OverflowError:  # at either end of the calendar no other zone has this moment
            return value.replace(tzinfo=None)

    def clean(self, value: Any) -> datetime | None:
        moment: datetime | None = super().clean(value)
        if moment:
            check_year(moment)
        return moment


class DayField(forms.DateField):
    """A day, from the browser's own picker."""

    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    default_validators = [check_year]


class TypedMomentField(MomentField):
    """A moment that is typed, in 24 hours and in the zone of whoever types it: whole, or a time alone, the last such one.

    A browser's own picker follows the browser's language: in some it has twelve hours, whatever the zone.
    """

    widget = forms.DateTimeInput(
        attrs={"autocomplete": "off", "placeholder": "2026-03-01 14:05"}, format="%Y-%m-%d %H:%M"
    )

    def to_python(self, value: Any) -> datetime | None:
        text, now = str(value or "").strip(), timezone.localtime()
        is_time = re.fullmatch(r"\d{1,2}:\d\d", text) is not None
        try:
            moment: datetime | None = super().to_python(f"{now:%Y-%m-%d} {text}" if is_time else text)
        except forms.ValidationError as refusal:
            raise forms.ValidationError("Type it as 2026-03-01 14:05, or as 14:05 for the last such time.") from refusal
        return moment - timedelta(days=1) if is_time and moment and moment > now else moment


class _Chooser(forms.widgets.ChoiceWidget):
    """A list to choose from with one tap, narrowed by what is typed where `find` says what for."""

    def __init__(self, find: str = "", **options: Any) -> None:
        super().__init__(**options)
        self.find = find

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        return render_to_string("components/chooser.html", self.get_context(name, value, attrs) | {"find": self.find})


class Choose(_Chooser, forms.RadioSelect):
    """One of a list."""


class ChooseSeveral(_Chooser, forms.CheckboxSelectMultiple):
    """Any of a list."""


class TimeZoneField(forms.ChoiceField):
    """A time zone, chosen by its region and city. The page offers that of the browser; see static/js/zone.js."""

    def __init__(self, **options: Any) -> None:
        messages = {"invalid_choice": "Choose a time zone from the list."}
        widget = forms.Select(attrs={"data-zone": True})
        super().__init__(choices=zone_choices, widget=widget, error_messages=messages, **options)


class WebAddressField(forms.URLField):
    """An address that may be linked to, or nothing; https where no scheme is typed."""

    def __init__(self, *, placeholder: str, **options: Any) -> None:
        widget = forms.URLInput(attrs={"placeholder": placeholder, "autocomplete": "off"})
        super().__init__(required=False, assume_scheme="https", widget=widget, **options)
