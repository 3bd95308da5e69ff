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
    fields = valid(ContainForm(typed, incident=incident))
    act = incident.plan_containment if "plan" in typed else incident.contain
    act(by=request.user, action=fields["action"], note=fields["note"], remove_by=fields["remove_by"])


@verb("contain it")
def move_containment(request: Request, incident: Incident, *, pk: int) -> Answer:
    """Take one containment a step on: done, checked, removed, or not done after all."""
    containment: Containment = visible_or_404(incident.containments.all(), pk=pk)
    containment.incident = incident
    note = request.POST.get("result", "")[:2000]
    match request.POST.get("to"):
        case "done":
            containment.do(by=request.user)
        case "verified":
            fields = valid(CheckForm(request.POST))
            containment.verify(by=request.user, worked=fields["worked"] == "yes", result=fields["result"])
        case "removed":
            containment.remove(by=request.user, note=note)
        case "dropped":
            containment.drop(by=request.user, note=note)
        case _:
            raise Refused("Choose what became of it: done, checked, rolled back or not done.")
    return at(incident, "containment")
