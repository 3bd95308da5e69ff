"""The shape of a button on the page of an incident."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join

from incidents.errors import WrongStatus
from incidents.response.incident import Incident
from incidents.response.permissions import get_incident_to_change
from incidents.web.request import Answer, PageView, Request, change


def valid(form: forms.BaseForm) -> dict[str, Any]:
    """Take what was typed, or refuse with the first thing that is wrong with it."""
    if not form.is_valid():
        raise forms.ValidationError([error for errors in form.errors.values() for error in errors])
    return form.cleaned_data


Verb = Callable[..., Answer | None]


def verb(to: str) -> Callable[[Verb], PageView]:
    """A button of the incident page: load it, see that the person may do `to`, do it, and go back to the page."""

    def decorate(act: Verb) -> PageView:
        @change(WrongStatus)
        @wraps(act)
        def view(request: Request, number: int, **named: Any) -> Answer:
            incident = get_incident_to_change(request.user, number, to=to)
            return act(request, incident, **named) or redirect(incident)

        return view

    return decorate


def at(incident: Incident, anchor: str) -> HttpResponseRedirect:
    """Go back to a part of the incident's page."""
    return HttpResponseRedirect(f"{incident.get_absolute_url()}#{anchor}")


def tell_of_copies(request: Request, copies: Sequence[Incident]) -> None:
    """Say which incidents became private with another one, each as a link. All of them name whoever did it."""
    if copies:
        named = ((copy.get_absolute_url(), copy, copy.title) for copy in copies)
        links = format_html_join(", ", '<a href="{}">{} {}</a>', named)
        those = "it shows" if len(copies) == 1 else "they show"
        messages.warning(request, format_html("Now private too, because {} the same words: {}.", those, links))


def undo_address(incident: Incident) -> str:
    """Where the button of a message takes back what it tells of."""
    return reverse("incident-undo", args=[incident.number])
