"""The buttons of tasks."""

from incidents.errors import Refused
from incidents.response.buttons import at, valid, verb
from incidents.response.forms.roles import TaskForm
from incidents.response.incident import Incident
from incidents.response.tasks import Task
from incidents.web.request import Answer, Request, visible_or_404


@verb("add tasks")
def add_task(request: Request, incident: Incident) -> Answer:
    fields = valid(TaskForm(request.POST))
    Task.objects.add(incident, title=fields["title"], owner=request.user if fields["mine"] else None, by=request.user)
    return at(incident, "tasks")


@verb("change its tasks")
def move_task(request: Request, incident: Incident, *, pk: int) -> Answer:
    task: Task = visible_or_404(incident.tasks.all(), pk=pk)
    task.incident = incident
    match request.POST.get("to"):
        case "done":
            task.finish(by=request.user)
        case "open":
            task.reopen(by=request.user)
        case "mine":
            task.give(request.user, by=request.user)
        case _:
            raise Refused("Choose what became of the task.")
    return at(incident, "tasks")
