"""What people enter about a pager that answers."""

from typing import Any

from django import forms

from incidents.pagers.models import PagerPerson
from incidents.people.models import User


class PagerSecretForm(forms.Form):
    """A secret that a pager signs with. It is never shown again."""

    secret = forms.CharField(
        max_length=200,
        label="Signing secret",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


class PagerPersonForm(forms.Form):
    """Who somebody of a pager is here."""

    person = forms.ModelChoiceField(queryset=User.objects.none(), required=False, empty_label="Nobody here")

    def __init__(self, data: Any = None, *, row: PagerPerson) -> None:
        super().__init__(data, initial={"person": row.person_id}, auto_id=f"person-{row.pk}-%s")
        field = self.fields["person"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - tells the type
        field.queryset = User.objects.active().order_by("name", "pk")
        field.label = f"Who is {row.name}?"
