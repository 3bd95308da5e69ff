"""Who may do what. Pages and the API ask here; a query says what is visible, these functions what may be done."""

from django.core.exceptions import PermissionDenied

from incidents.people.models import Role, Team, User


class NotAllowed(PermissionDenied):
    """The person sees the thing but may not do this to it; the message says who may."""


def has_role(user: User, role: Role, *, team: Team | None) -> bool:
    """Tell whether `user` has at least `role` in `team`; without a team, in any team at all."""
    if user.is_superuser:
        return True
    memberships = user.memberships.filter(role__in=role.and_above())
    if team is not None:
        memberships = memberships.filter(team=team)
    return memberships.exists()


def require_role(user: User, role: Role, *, team: Team | None, to: str) -> None:
    """Raise NotAllowed unless `user` has at least `role`; `to` ends the sentence “… may …”."""
    if not has_role(user, role, team=team):
        where = f" of {team.name}" if team else ""
        raise NotAllowed(f"Only {_with_article(role.label.lower())}{where} may {to}.")


def _with_article(word: str) -> str:
    return f"an {word}" if word[0] in "aeiou" else f"a {word}"


def require_administrator(user: User, *, to: str) -> None:
    """Raise NotAllowed unless `user` administers the organisation."""
    if not user.is_superuser:
        raise NotAllowed(f"Only an administrator may {to}.")
