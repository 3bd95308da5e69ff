"""Whom an incident concerns: who is on call, who responds, who leads, who administers. Only people who may see it."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import QuerySet

from incidents.notifications.paging import pager_for
from incidents.oncall.cover import on_call
from incidents.people.models import Role, Team, User
from incidents.response.incident import Incident

RUNGS = ("on call", "responders", "leads", "administrators")


def rung(incident: Incident, number: int, *, at: datetime) -> list[User]:
    """Who stands on a rung of the ladder, 0 being whoever is on call and the team's leads; perhaps nobody."""
    team = incident.team
    match number:
        case 0:
            covering = on_call(team, at) if team else []
            people = [*covering, *members(team, Role.LEAD)] if covering else []
        case 1:
            people = list(members(team, Role.RESPONDER))
        case 2:
            people = list(members(team, Role.LEAD))
        case _:
            people = list(User.objects.active().filter(is_superuser=True))
    return seeing(incident, people)


def first_told(incident: Incident, *, at: datetime) -> tuple[int, list[User]]:
    """The rung that is told first, and who; nobody here where the team's pager is told instead."""
    return (0, []) if pager_for(incident) else first_rung(incident, at=at)


def first_rung(incident: Incident, *, at: datetime, above: int = -1) -> tuple[int, list[User]]:
    """The lowest rung above one on which anybody stands, and who. A private incident ends with the people it names.

    ([], beyond the last rung) only where nobody at all can be told.
    """
    for number in range(above + 1, len(RUNGS)):
        if people := rung(incident, number, at=at):
            return number, people
    named = list(incident.people.filter(is_active=True)) if incident.private else []
    return len(RUNGS) - 1, named


def members(team: Team | None, role: Role) -> QuerySet[User]:
    """The active members of a team with at least this role; nobody where there is no team."""
    people = User.objects.active()
    return people.filter(memberships__team=team, memberships__role__in=role.and_above()) if team else people.none()


def seeing(incident: Incident, people: Iterable[User]) -> list[User]:
    """Each of the people once who is active and may see it, in order."""
    once = {person.pk: person for person in people if person.is_active}
    if incident.private:
        named = set(incident.people.filter(pk__in=once).values_list("pk", flat=True))
        once = {pk: person for pk, person in once.items() if pk in named}
    return list(once.values())
