"""What a page of one slice shows of a slice above it: the one registry.

A template says `{% slot "incident.actions" incident %}`; it knows the name of the place and nothing of who fills it. Each
filler is a function of an upper slice that takes the request and the row, begins with `visible_to(request.user)` and
renders a template of its own slice; it gives "" where there is nothing to show.
"""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.utils.safestring import SafeString, mark_safe

Filler = Callable[[HttpRequest, Any], str]

SLOTS: dict[str, tuple[Filler, ...]] = {
    # "incident.actions": (postmortems.incident_actions,),
}


def fill(name: str, request: HttpRequest, row: Any) -> SafeString:
    """Render everything that fills a slot, in order. An unknown name raises KeyError: a slot that nobody fills is a typo."""
    return mark_safe("".join(filler(request, row) for filler in SLOTS[name]))  # noqa: S308 - each filler renders a template
