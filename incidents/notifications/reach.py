"""Who would be told of an incident that opened now: the same people, in the same order, without telling anybody."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from incidents.notifications import audience, escalation
from incidents.notifications.messages import Channel
from incidents.notifications.paging import pager_for
from incidents.notifications.preferences import Preference
from incidents.people.models import User
from incidents.response.incident import Incident
from incidents.systems.models import System


@dataclass(frozen=True, slots=True)
class Reached:
    """One rung: after how many minutes it is told if nobody acknowledged, who stands on it, and on which channels each is reached."""

    name: str
    minutes: int
    people: list[tuple[User, list[str]]]
    pager: str = ""  # the pager that is told instead of people


def who_would_be_told(system: System, severity: str, *, at: datetime) -> list[Reached]:
    """The rungs of the ladder that an incident of this severity on the system would climb, empty ones left out."""
    incident = Incident(system=system, team=system.team, severity=severity)
    patience, after, rungs = escalation.patience(incident), timedelta(), []
    for number, name in enumerate(audience.RUNGS):
        if number == 0 and (pager := pager_for(incident)):
            rungs.append(Reached(name, 0, [], f"{pager.receiver.name}: {pager}"))
            after += patience
            continue
        people = audience.rung(incident, number, at=at)
        if not people:
            continue
        preferences = Preference.of_people(people)
        reached = [(person, _channels(preferences[person.pk])) for person in people]
        rungs.append(Reached(name, int(after.total_seconds()) // 60, reached))
        after += patience
    return rungs


def _channels(preference: Preference) -> list[str]:
    return [channel.label for channel in Channel if preference.wants("incident.opened", channel)]
