"""What the pages of an incident share: finding it, who may act on it, and the shape of a button."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django import forms
from django.http import HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse

from incidents.errors import WrongStatus
from incidents.people.models import Role, User
from incidents.people.permissions import has_role, require_role
from incidents.response.incident import Incident
from incidents.web.request import Answer, PageView, Request, change, visible_or_404


def find(request: Request, number: int) -> Incident:
    rows = Incident.objects.visible_to(request.user).select_related(
        "system", "system__team", "team", "lead", "opened_by", "merged_into"
    )
    return visible_or_404(rows, number=number)


def can_respond(user: User, shown: Incident) -> bool:
    return shown.lead_id == user.pk or has_role(user, Role.RESPONDER, team=shown.team)


def may_respond(request: Request, number: int, *, to: str) -> Incident:
    """Find the incident and see that the person may do `to`. Raises NotAllowed."""
    shown = find(request, number)
    if shown.lead_id != request.user.pk:
        require_role(request.user, Role.RESPONDER, team=shown.team, to=to)
    return shown


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
            shown = may_respond(request, number, to=to)
            return act(request, shown, **named) or redirect(shown)

        return view

    return decorate


def at(shown: Incident, anchor: str) -> HttpResponseRedirect:
    """Go back to a part of the incident's page."""
    return HttpResponseRedirect(f"{shown.get_absolute_url()}#{anchor}")


def undo_address(incident: Incident) -> str:
    """Where the button of a message takes back what it tells of."""
    return reverse("incident-undo", args=[incident.number])
