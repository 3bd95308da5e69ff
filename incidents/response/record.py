"""What stands on record of an incident's work, a line each: to hand it over with, and to ask about before it is resolved."""

from incidents.response.containments import Containment
from incidents.response.incident import Incident

_State = Containment.State


def on_record(incident: Incident) -> list[str]:
    """What whoever takes over has to know: how it stands, what was tried and how that went, what is left to do."""
    tried = [f"{_outcome(containment)}: {containment}" for containment in incident.containments.all()]
    left = [f"To do: {task}" for task in incident.tasks.filter(done_at=None)]
    return [f"{incident.get_status_display()}, {incident.get_severity_display()}", *tried, *left]


def _outcome(containment: Containment) -> str:
    """Say what became of a containment; one that failed is not merely “checked”."""
    if containment.worked is False:
        return "Did not work"
    if containment.state == _State.DONE:
        return "Done, not checked yet"
    if containment.state == _State.VERIFIED:
        return "Worked"
    return containment.get_state_display()


def unfinished(incident: Incident, *, note: str) -> list[str]:
    """What would be left open if it were resolved now, with this note; empty where nothing would."""
    unchecked = [str(containment) for containment in incident.containments.filter(state=_State.DONE, worked=None)]
    tasks = [str(task) for task in incident.tasks.filter(done_at=None)]
    left = [f"Nobody has checked whether this worked: {name}" for name in unchecked]
    left += [f"Still to do: {title}" for title in tasks]
    return left if note.strip() else [*left, "Nobody has said what made the output right again."]
