"""Who may do what with who is on call. Everybody in the organisation may see it."""

from incidents.oncall.overrides import Override
from incidents.oncall.swaps import ShiftSwap
from incidents.people.models import Role, Team, User
from incidents.people.permissions import NotAllowed, has_role, require_role


def may_edit(user: User, team: Team) -> bool:
    return has_role(user, Role.LEAD, team=team)


def require_edit(user: User, team: Team) -> None:
    """Raise NotAllowed unless the person may say who is on call for the team."""
    require_role(user, Role.LEAD, team=team, to="say who is on call")


def require_override(user: User, team: Team, person: User) -> None:
    """Raise NotAllowed unless the user may put this person on call: a responder themselves, a lead anybody."""
    require_role(user, Role.RESPONDER, team=team, to="take a shift over")
    if person != user:
        require_role(user, Role.LEAD, team=team, to="put somebody else on call")


def may_remove(user: User, override: Override, *, leads: bool) -> bool:
    return leads or user.pk in (override.person_id, override.by_id)


def require_remove(user: User, override: Override) -> None:
    """Raise NotAllowed unless it is about the user, made by them, or they lead the team."""
    if not may_remove(user, override, leads=may_edit(user, override.team)):
        raise NotAllowed(
            f"Only {override.person}, whoever made this override or a lead of {override.team} may do this."
        )


def require_offer(user: User, team: Team, giver: User) -> None:
    """Raise NotAllowed unless the user may offer this person's shift: their own, or as a lead."""
    require_role(user, Role.RESPONDER, team=team, to="offer a swap")
    if giver != user:
        require_role(user, Role.LEAD, team=team, to="offer somebody else’s shift")


def require_withdraw(user: User, swap: ShiftSwap) -> None:
    """Raise NotAllowed unless the user offered it, it is their shift, or they lead the team."""
    if user.pk not in (swap.giver_id, swap.made_by_id) and not may_edit(user, swap.team):
        raise NotAllowed(f"Only {swap.giver} or a lead of {swap.team} may withdraw it.")
