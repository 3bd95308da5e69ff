"""What the pages of a postmortem share: finding it, who may do what, and the shape of a button."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.shortcuts import redirect

from incidents.errors import Refused, WrongStatus
from incidents.people.models import Role, User
from incidents.people.permissions import has_role, require_role
from incidents.postmortems.document import Postmortem
from incidents.postmortems.sections import Clash
from incidents.web.request import Answer, PageView, Request, change, visible_or_404


def find(request: Request, slug: str) -> Postmortem:
    rows = Postmortem.objects.visible_to(request.user).select_related(
        "incident", "incident__system", "incident__team", "incident__lead", "owner", "published_by", "guide", "trigger"
    )
    return visible_or_404(rows, slug=slug)


def may_write(user: User, shown: Postmortem) -> bool:
    return shown.owner_id == user.pk or has_role(user, Role.RESPONDER, team=shown.incident.team)


def may_review(user: User, shown: Postmortem) -> bool:
    """Whoever responds anywhere may review, and whoever was asked; its owner may not."""
    if shown.owner_id == user.pk:
        return False
    return has_role(user, Role.RESPONDER, team=None) or shown.reviews.filter(reviewer=user).exists()


def require_writer(request: Request, shown: Postmortem, *, to: str) -> None:
    if shown.owner_id != request.user.pk:
        require_role(request.user, Role.RESPONDER, team=shown.incident.team, to=to)


Verb = Callable[..., Answer | None]


def verb(role: Role | None, *, to: str) -> Callable[[Verb], PageView]:
    """A button of the page. What a responder may do, the owner may do too; None is for everybody who sees it."""

    def decorate(act: Verb) -> PageView:
        @change(WrongStatus, Refused, Clash)
        @wraps(act)
        def view(request: Request, slug: str, **named: Any) -> Answer:
            shown = find(request, slug)
            if role is Role.RESPONDER:
                require_writer(request, shown, to=to)
            elif role is not None:
                require_role(request.user, role, team=shown.incident.team, to=to)
            return act(request, shown, **named) or redirect(shown)

        return view

    return decorate


def at(shown: Postmortem, anchor: str) -> Answer:
    return redirect(f"{shown.get_absolute_url()}#{anchor}")
