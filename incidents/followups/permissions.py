"""Who may change a follow-up."""

from incidents.followups.models import FollowUp
from incidents.people.models import Role, User
from incidents.people.permissions import has_role, require_role


def may_change(user: User, follow_up: FollowUp) -> bool:
    """Its owner may, and whoever responds in the incident's team."""
    return follow_up.owner_id == user.pk or has_role(user, Role.RESPONDER, team=follow_up.incident.team)


def require_change(user: User, follow_up: FollowUp) -> None:
    """Raise NotAllowed unless the user may change it."""
    if follow_up.owner_id != user.pk:
        require_role(user, Role.RESPONDER, team=follow_up.incident.team, to="change it")
