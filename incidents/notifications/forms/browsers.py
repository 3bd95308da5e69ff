"""What a browser hands over when somebody turns notifications on in it."""

from collections.abc import Callable

from django import forms
from django.core.exceptions import ValidationError

from incidents.notifications.channels.catalogue import BROWSER


def _checked(name: str) -> Callable[[str], None]:
    check = next(field.check for field in BROWSER.fields if field.name == name)

    def validate(text: str) -> None:
        try:
            check(text)
        except ValueError as refusal:
            raise ValidationError(str(refusal)) from refusal

    return validate


class BrowserForm(forms.Form):
    endpoint = forms.CharField(max_length=1000, validators=[_checked("endpoint")], widget=forms.HiddenInput)
    p256dh = forms.CharField(max_length=200, validators=[_checked("p256dh")], widget=forms.HiddenInput)
    auth = forms.CharField(max_length=200, validators=[_checked("auth")], widget=forms.HiddenInput)
