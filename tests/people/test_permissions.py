"""Who may do what: by role, by team, and for administrators."""

import pytest
from django.db import IntegrityError, transaction

from incidents.people.models import Membership, Role, Team, User
from incidents.people.permissions import NotAllowed, has_role, require_administrator, require_role

ROLES = [Role.VIEWER, Role.RESPONDER, Role.LEAD, Role.ADMIN]


@pytest.mark.parametrize("held", ROLES)
@pytest.mark.parametrize("needed", ROLES)
def test_a_role_includes_those_below_it_and_none_above(held: Role, needed: Role, sam: User, assistants: Team) -> None:
    Membership.objects.create(team=assistants, user=sam, role=held)
    assert has_role(sam, needed, team=assistants) == (ROLES.index(held) >= ROLES.index(needed))


def test_a_role_in_one_team_is_none_in_another(mara: User, jo: User, risk: Team) -> None:
    assert not has_role(mara, Role.VIEWER, team=risk)
    assert not has_role(jo, Role.RESPONDER, team=risk)


def test_without_a_team_any_team_will_do(jo: User, lee: User, sam: User) -> None:
    assert has_role(jo, Role.LEAD, team=None)
    assert not has_role(lee, Role.RESPONDER, team=None), "Lee only reads, in both teams"
    assert not has_role(sam, Role.VIEWER, team=None), "Sam belongs to no team"


def test_an_administrator_has_every_role_in_every_team(ada: User, assistants: Team) -> None:
    assert not ada.memberships.exists()
    assert has_role(ada, Role.ADMIN, team=assistants)
    require_role(ada, Role.ADMIN, team=assistants, to="do this")
    require_administrator(ada, to="do this")


def test_a_teams_own_admin_is_no_administrator(sam: User, assistants: Team) -> None:
    Membership.objects.create(team=assistants, user=sam, role=Role.ADMIN)
    with pytest.raises(NotAllowed, match="Only an administrator may retire a team"):
        require_administrator(sam, to="retire a team")


def test_a_refusal_says_who_may_and_where(mara: User, assistants: Team, rui: User) -> None:
    with pytest.raises(NotAllowed, match=r"^Only a lead of Assistants may publish a postmortem\.$"):
        require_role(mara, Role.LEAD, team=assistants, to="publish a postmortem")
    with pytest.raises(NotAllowed, match=r"^Only a lead may change the rules\.$"):
        require_role(rui, Role.LEAD, team=None, to="change the rules")


def test_a_person_has_one_role_in_a_team(mara: User, assistants: Team) -> None:
    with pytest.raises(IntegrityError, match="one_membership_per_team_and_user"), transaction.atomic():
        Membership.objects.create(team=assistants, user=mara, role=Role.LEAD)


def test_the_database_knows_no_other_roles(sam: User, assistants: Team) -> None:
    with pytest.raises(IntegrityError, match="membership_role_is_known"), transaction.atomic():
        Membership.objects.create(team=assistants, user=sam, role="owner")
