"""Form fields that every slice may use."""

from datetime import datetime
from typing import Any

from django import forms

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
