"""What all pages share: the typed request, answers to refused changes, and small helpers for lists."""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time
from functools import wraps
from typing import Any, TypeVar

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST
from django_htmx.middleware import HtmxDetails

from incidents.errors import Refused
from incidents.people.models import User
from incidents.people.permissions import NotAllowed


class Request(HttpRequest):
    """A request of somebody signed in."""

    user: User
    htmx: HtmxDetails


Answer = HttpResponse
PageView = Callable[..., Answer]
Row = TypeVar("Row", bound=Any)
Rows = TypeVar("Rows", bound=QuerySet[Any])


def page(view: PageView) -> PageView:
    """A page for people who are signed in. What a verb refuses, and no form has asked about, is said where they came from."""

    @login_required
    @wraps(view)
    def guarded(request: Request, *args: Any, **kwargs: Any) -> Answer:
        try:
            return view(request, *args, **kwargs)
        except Refused as refusal:
            if request.method != "POST":
                raise
            messages.error(request, " ".join(refusal.messages))
            return back(request)

    return guarded


def change(*refusals: type[Exception]) -> Callable[[PageView], PageView]:
    """A POST that changes something. What the domain refuses is said on the page the person came from.

    `refusals` are the slice's own exceptions; being refused for a role or for what was typed is common to all.
    """

    def decorate(view: PageView) -> PageView:
        @page
        @require_POST
        @wraps(view)
        def guarded(request: Request, *args: Any, **kwargs: Any) -> Answer:
            try:
                return view(request, *args, **kwargs)
            except NotAllowed as refusal:
                messages.error(request, str(refusal))
            except ValidationError as refusal:
                messages.error(request, " ".join(refusal.messages))
            except refusals as refusal:
                messages.error(request, str(refusal))
            return back(request)

        return guarded

    return decorate


def back(request: HttpRequest, fallback: str = "/") -> HttpResponseRedirect:
    """Return to the page the person came from, if it is one of ours."""
    return redirect(own_address(request, request.POST.get("next") or request.headers.get("Referer", "")) or fallback)


def own_address(request: HttpRequest, given: str) -> str:
    """Give an address that somebody handed us if it is one of ours, else ""; any other is never linked or followed."""
    ours = url_has_allowed_host_and_scheme(given, {request.get_host()}, require_https=request.is_secure())
    return given if ours else ""


_OF_INCIDENTS = {
    "team": "team__slug",
    "system": "system__slug",
    "category": "category",
    "severity": "severity",
    "kind": "kind",
}


def narrowed(request: HttpRequest, rows: Rows, *, dates: dict[str, str]) -> Rows:
    """Keep what the address asks for of rows that belong to an `incident`: its team, system, category, severity and kind.

    `dates` names fields by what the address calls them: `due_since` is the first day of “due”, `due_until` the one after
    the last, in UTC. What is no day leaves nothing, rather than everything.
    """
    query = request.GET
    asked = {f"incident__{field}": query[name] for name, field in _OF_INCIDENTS.items() if query.get(name)}
    rows = rows.filter(**{field: "" if value == "none" else value for field, value in asked.items()})
    for name, field in dates.items():
        for end, how in (("since", "gte"), ("until", "lt")):
            if written := query.get(f"{name}_{end}"):
                day = _day(written)
                rows = (
                    rows.filter(**{f"{field}__{how}": day if field.endswith("_on") else _midnight(day)})
                    if day
                    else rows.none()
                )
    return rows


def _day(written: str) -> date | None:
    try:
        return date.fromisoformat(written)
    except ValueError:
        return None


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)


def midnight_of(written: str) -> datetime | None:
    """The beginning, in UTC, of a day in an address; None where it is none."""
    day = _day(written)
    return _midnight(day) if day else None


def whole_number(text: str, *, digits: int = 9) -> int | None:
    """Read a number from an address or a form; None where it is none, is negative, or has more digits than that."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= digits else None


def visible_or_404(rows: QuerySet[Row], **lookup: Any) -> Row:
    """Find one of the rows that the person may see; what is hidden is as absent as what never was."""
    row = rows.filter(**lookup).first()
    if row is None:
        raise Http404
    return row


def first_error(errors: Iterable[Iterable[object]]) -> str:
    return next((str(message) for field in errors for message in field), "")
