"""Who may see an incident and who may change it: the one shape that pages and the API use."""

from incidents.errors import Refused
from incidents.people.models import Role, User
from incidents.people.permissions import require_role
from incidents.response.incident import Incident
from incidents.web.request import visible_or_404


def get_incident(user: User, number: int) -> Incident:
    """Find the incident, with what its page shows of it. Raises Http404 where the person may not see it."""
    rows = Incident.objects.visible_to(user).select_related(
        "system", "system__team", "team", "lead", "opened_by", "merged_into"
    )
    incident: Incident = visible_or_404(rows, number=number)
    return incident


def visible_merge(incident: Incident, user: User) -> Incident | None:
    """Into which incident it was merged, where the person may see that one; asks only where that one is private."""
    into: Incident | None = incident.merged_into
    if into and into.private and not Incident.objects.visible_to(user).filter(pk=into.pk).exists():
        return None
    return into


def require_change(incident: Incident, user: User, *, to: str) -> None:
    """See that the person may do `to`, such as “resolve it”. Raises NotAllowed, which says who may."""
    if not incident.is_changeable_by(user):
        require_role(user, Role.RESPONDER, team=incident.team, to=to)


def get_incident_to_change(user: User, number: int, *, to: str) -> Incident:
    """Find the incident and see that the person may do `to`. Raises Http404 and NotAllowed."""
    incident = get_incident(user, number)
    require_change(incident, user, to=to)
    return incident


def require_visible(incident: Incident, person: User | None) -> None:
    """See that somebody may see the incident before they take part in it. Raises Refused; None may always."""
    if person and not Incident.objects.visible_to(person).filter(pk=incident.pk).exists():
        raise Refused(f"{person} may not see this incident, so they cannot take part in it.")
