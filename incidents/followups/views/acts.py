"""The buttons of a follow-up’s page."""

from collections.abc import Callable
from functools import wraps

from django.shortcuts import redirect

from incidents.errors import WrongStatus
from incidents.followups import proofs
from incidents.followups.forms import DrillForm, LookForm
from incidents.followups.models import FollowUp
from incidents.followups.permissions import require_change
from incidents.followups.views.one import find
from incidents.response.buttons import valid
from incidents.web.request import Answer, PageView, Request, change

Verb = Callable[[Request, FollowUp], None]


def verb(act: Verb) -> PageView:
    """A button of the page: one’s own follow-up, or one that a responder of the team may change."""

    @change(WrongStatus)
    @wraps(act)
    def view(request: Request, pk: int) -> Answer:
        follow_up = find(request, pk)
        require_change(request.user, follow_up)
        act(request, follow_up)
        return redirect(follow_up)

    return view


@verb
def begin(request: Request, follow_up: FollowUp) -> None:
    follow_up.begin(by=request.user)


@verb
def complete(request: Request, follow_up: FollowUp) -> None:
    follow_up.complete(by=request.user, outcome=request.POST.get("outcome", "")[:2000])


@verb
def drop(request: Request, follow_up: FollowUp) -> None:
    follow_up.drop(by=request.user, reason=request.POST.get("reason", "")[:2000])


@verb
def reopen(request: Request, follow_up: FollowUp) -> None:
    follow_up.reopen(by=request.user, reason=request.POST.get("reason", "")[:2000])


@verb
def look(request: Request, follow_up: FollowUp) -> None:
    """What somebody saw: that it holds, or not."""
    fields = valid(LookForm(request.POST))
    proofs.look(follow_up, by=request.user, holds=fields["holds"] == "yes", note=fields["note"])


@verb
def drill(request: Request, follow_up: FollowUp) -> None:
    """How a drill went in which it was tried."""
    fields = valid(DrillForm(request.POST, user=request.user))
    worked = fields["worked"] == "yes"
    proofs.drilled(follow_up, fields["incident"], by=request.user, worked=worked, note=fields["note"])
