"""The buttons of what limits the harm."""

from incidents.errors import Refused
from incidents.response.buttons import at, valid, verb
from incidents.response.containments import Containment
from incidents.response.forms.containments import CheckForm, ContainForm
from incidents.response.incident import Incident
from incidents.web.request import Answer, Request, visible_or_404


@verb("contain it")
def contain(request: Request, incident: Incident) -> None:
    typed = request.POST.copy()
    typed.setdefault("action", typed.get("plan", ""))  # the short buttons say the action itself
    given = valid(ContainForm(typed, incident=incident))
    act = incident.plan_containment if "plan" in typed else incident.contain
    act(by=request.user, action=given["action"], note=given["note"], remove_by=given["remove_by"])


@verb("contain it")
def move_containment(request: Request, incident: Incident, *, pk: int) -> Answer:
    """Take one containment a step on: done, checked, removed, or not done after all."""
    row: Containment = visible_or_404(incident.containments.all(), pk=pk)
    row.incident = incident
    note = request.POST.get("result", "")[:2000]
    match request.POST.get("to"):
        case "done":
            row.do(by=request.user)
        case "verified":
            given = valid(CheckForm(request.POST))
            row.verify(by=request.user, worked=given["worked"] == "yes", result=given["result"])
        case "removed":
            row.remove(by=request.user, note=note)
        case "dropped":
            row.drop(by=request.user, note=note)
        case _:
            raise Refused("Say what became of it: done, checked, removed or not done.")
    return at(incident, "containment")
