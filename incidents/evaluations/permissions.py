"""Who may write evaluation cases and report runs of them."""

from incidents.evaluations.cases import EvaluationCase
from incidents.people.models import Role, User
from incidents.people.permissions import has_role, require_role
from incidents.systems.models import System
from incidents.web.request import visible_or_404


def may_write(user: User, system: System) -> bool:
    return has_role(user, Role.RESPONDER, team=system.team)


def require_write(user: User, system: System, *, to: str) -> None:
    """See that the person responds for the system’s team. Raises NotAllowed, which says who may."""
    require_role(user, Role.RESPONDER, team=system.team, to=to)


def get_system(user: User, slug: str) -> System:
    """Find the system. Raises Http404 where there is none that the person may see."""
    system: System = visible_or_404(System.objects.visible_to(user).select_related("team"), slug=slug)
    return system


def get_case(user: User, slug: str, number: int) -> EvaluationCase:
    """Find the case. Raises Http404 where the person may not see the incident from which it came."""
    rows = EvaluationCase.objects.visible_to(user).for_list()
    case: EvaluationCase = visible_or_404(rows, system__slug=slug, number=number)
    return case
