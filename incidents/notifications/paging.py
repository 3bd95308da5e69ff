"""A pager that says who is on call: which channel a team points at, and for what it stands on the first rung."""

from incidents.notifications.destinations import Destination
from incidents.notifications.happened import SEVERE
from incidents.oncall.pointer import OnCall, OnCallKind
from incidents.people.models import Team
from incidents.response.incident import Incident


def points_at(team: Team | None) -> int | None:
    """The id of the channel that a team points at, whether it can still be used or not; None where it points at none."""
    pointers = OnCall.objects.filter(team=team, kind=OnCallKind.PAGER) if team else OnCall.objects.none()
    return pointers.values_list("pager_channel", flat=True).first()


def pager_of(team: Team | None) -> Destination | None:
    """The pager through which the pages of a team go; None where it points at none, or at one that cannot be used."""
    pk = points_at(team)
    row = Destination.objects.filter(pk=pk, paused_at=None).first() if pk else None
    return row if row and row.is_pager and row.team_id in (None, team.pk if team else None) else None


def pager_for(incident: Incident) -> Destination | None:
    """The pager that is told first of an incident, instead of people who are found here: of SEV1 and SEV2.

    Nothing about a private incident leaves, so its people are found here.
    """
    if incident.private or incident.severity not in SEVERE:
        return None
    return pager_of(incident.team)


def trouble_of(team: Team) -> str:
    """Why the pager that a team points at cannot be used, in a sentence; "" where it can, or there is none."""
    pk = points_at(team)
    if not pk or pager_of(team):
        return ""
    row = Destination.objects.filter(pk=pk).first()
    why = "was removed" if row is None else "is paused" if row.paused_at else "is another team’s now"
    return f"The pager that says who is on call for {team} {why}. Until that is mended, people are found here."
