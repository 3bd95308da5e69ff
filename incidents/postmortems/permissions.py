"""Who may do what with a postmortem, and the shape of a button on its page."""

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
    related = "incident incident__system incident__team incident__lead owner published_by guide trigger provenance__by"
    postmortems = Postmortem.objects.visible_to(request.user).select_related(*related.split())
    return visible_or_404(postmortems, slug=slug)


def may_write(user: User, postmortem: Postmortem) -> bool:
    return postmortem.owner_id == user.pk or has_role(user, Role.RESPONDER, team=postmortem.incident.team)


def may_review(user: User, postmortem: Postmortem) -> bool:
    """Anyone who responds in any team may review, and anyone who was asked; the owner may not."""
    if postmortem.owner_id == user.pk:
        return False
    return has_role(user, Role.RESPONDER, team=None) or postmortem.reviews.filter(reviewer=user).exists()


def require(user: User, role: Role, postmortem: Postmortem, *, to: str) -> None:
    """Raise NotAllowed unless the user has the role in the incident's team. The owner may do what a responder may."""
    if role is not Role.RESPONDER or postmortem.owner_id != user.pk:
        require_role(user, role, team=postmortem.incident.team, to=to)


Verb = Callable[..., Answer | None]


def verb(role: Role | None, *, to: str) -> Callable[[Verb], PageView]:
    """A button of the page. What a responder may do, the owner may do too; None is for everybody who sees it."""

    def decorate(act: Verb) -> PageView:
        @change(WrongStatus, Refused, Clash)
        @wraps(act)
        def view(request: Request, slug: str, **named: Any) -> Answer:
            postmortem = find(request, slug)
            if role is not None:
                require(request.user, role, postmortem, to=to)
            return act(request, postmortem, **named) or redirect(postmortem)

        return view

    return decorate


def at(postmortem: Postmortem, anchor: str) -> Answer:
    """Go back to a part of the postmortem's page."""
    return redirect(f"{postmortem.get_absolute_url()}#{anchor}")
