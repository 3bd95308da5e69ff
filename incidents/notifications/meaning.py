"""What an Event means for whom: the one table. Each kind of Event has a function that says who is told what of it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from incidents.notifications import audience
from incidents.notifications.happened import SEVERE, came_back, headline, moved_to, raised_from, why
from incidents.notifications.topics import Urgency
from incidents.people.handles import people_with_handles
from incidents.people.models import Role, User
from incidents.response.events import Event
from incidents.response.followers import Follower
from incidents.response.incident import Incident
from incidents.response.vocabulary import IncidentKind, Severity, Status
from incidents.web.markdown import mentioned

_MINOR = (Severity.SEV3, Severity.UNKNOWN)  # somebody should look at these, in working hours


@dataclass(frozen=True, slots=True)
class Message:
    """What some people are told of an Event. Whoever did it is not told."""

    topic: str
    people: Iterable[User]
    subject: str
    text: str = ""
    urgency: Urgency | None = None
    fragment: str = field(default="")  # where on the incident's page


def of(event: Event) -> list[Message]:
    """Who is told what of an Event, the most urgent first. Tests and what was entered afterwards concern nobody but whom they name."""
    meaning = MEANINGS.get(Event.Kind(event.kind))
    return list(meaning(event, event.incident)) if meaning else []


def counts(incident: Incident) -> bool:
    return incident.kind == IncidentKind.REAL


def facts(incident: Incident) -> str:
    """What somebody needs at a glance: what, where, how it stands."""
    lines = [f"{incident.get_severity_display()}, {incident.get_status_display().lower()}"]
    if incident.system:
        lines.append(f"System: {incident.system} (tier {incident.system.tier})")
    if incident.team:
        lines.append(f"Team: {incident.team}")
    if incident.category:
        lines.append(f"Kind of failure: {incident.category_name}")
    lines.append(
        f"Detected: {incident.detected_at:%Y-%m-%d %H:%M} UTC" if incident.detected_at else "Detected: unknown"
    )
    lines.append(f"Lead: {incident.lead or 'nobody yet'}")
    return "\n".join(lines)


def _opened(event: Event, incident: Incident) -> Iterator[Message]:
    if not counts(incident) or "imported" in event.detail:
        return
    yield from _to_on_call(event, incident, "incident.opened", headline(incident))
    yield Message("incident.status", Follower.people_of(incident), f"Opened: {headline(incident)}", facts(incident))


def _to_on_call(event: Event, incident: Incident, topic: str, subject: str) -> Iterator[Message]:
    """Wake whoever is on call for something severe; tell them of the rest when they work; of SEV4 nobody."""
    severity = Severity(event.detail.get("severity") or incident.severity)
    _, people = audience.first_told(incident, at=event.at)
    if severity in SEVERE:
        yield Message(topic, people, subject, facts(incident), Urgency.PAGE)
    elif severity in _MINOR:
        yield Message(topic, people, subject, facts(incident), Urgency.WORKING_HOURS)


def _severity(event: Event, incident: Incident) -> Iterator[Message]:
    was = raised_from(event)
    if was is None or not counts(incident) or event.detail["became"]["severity"] not in SEVERE:
        return
    _, people = audience.first_told(incident, at=event.at)
    text = f"{f'It was {was.label}. {why(event)}'.strip()}\n\n{facts(incident)}"
    own = [incident.lead] if incident.lead else []
    yield Message("incident.raised", [*own, *people], f"Raised to {headline(incident)}", text, Urgency.PAGE)


def _moved(event: Event, incident: Incident) -> Iterator[Message]:
    """A change of status: who follows it hears of it; whoever is on call is called again to what comes back."""
    became = moved_to(event)
    if became is None or not counts(incident):
        return
    if came_back(event):
        yield from _to_on_call(event, incident, "incident.reopened", f"Open again: {headline(incident)}")
    text = f"{why(event)}\n\n{facts(incident)}".strip()
    yield Message("incident.status", Follower.people_of(incident), f"{became.label}: {headline(incident)}", text)


def _lead(event: Event, incident: Incident) -> Iterator[Message]:
    if incident.lead and str(incident.lead) == event.detail["became"]["lead"] and not event.detail.get("by_handover"):
        by = event.by or "Faultline"
        yield Message(
            "incident.lead", [incident.lead], f"{by} made you the lead of {headline(incident)}", facts(incident)
        )


def _role(event: Event, incident: Incident) -> Iterator[Message]:
    people = User.objects.filter(pk__in=event.detail.get("given", []))
    role = event.detail["role"].lower()
    yield Message("incident.role", people, f"You are {role} of {headline(incident)}", facts(incident))


def _handover(event: Event, incident: Incident) -> Iterator[Message]:
    handover = incident.handovers.filter(pk=event.detail.get("id")).select_related("giver", "taker", "role").first()
    if handover is None:
        return
    role, summary = handover.role.name.lower(), event.detail["summary"]
    match event.detail["state"]:
        case "offered":
            subject = f"{handover.giver} hands {incident} over to you ({role})"
            yield Message("incident.handover", [handover.taker], subject, f"{incident.title}\n\n{summary}")
        case "accepted" | "declined" as answer if handover.giver:
            subject = f"{handover.taker} {answer} the hand-over of {incident} ({role})"
            yield Message("incident.handover", [handover.giver], subject, incident.title)


def _task(event: Event, incident: Incident) -> Iterator[Message]:
    task = incident.tasks.filter(pk=event.detail["id"]).select_related("owner").first()
    if (
        task
        and task.owner
        and event.detail["became"] in {"added", "given"}
        and str(task.owner) == event.detail["owner"]
    ):
        by = event.by or "Faultline"
        yield Message(
            "incident.task", [task.owner], f"{by} gave you a task in {incident}: {task.title}", facts(incident)
        )


def _note(event: Event, incident: Incident) -> Iterator[Message]:
    if event.note:
        yield from _mentions(event, incident, event.note.text)


def _mentions(event: Event, incident: Incident, text: str) -> Iterator[Message]:
    people = people_with_handles(mentioned(text))
    yield Message("incident.mention", people, f"{event.by} mentioned you in {headline(incident)}", text)


def _update(event: Event, incident: Incident) -> Iterator[Message]:
    severity, status = Severity(event.detail["severity"]).label, Status(event.detail["status"]).label
    text, impact = event.detail["text"], event.detail["impact"]
    subject = f"Update: {incident} {severity} {status}: {incident.title}"
    body = text + (f"\n\nImpact: {impact}" if impact else "")
    yield from _mentions(event, incident, text)
    yield Message("incident.update", Follower.people_of(incident), subject, body)


def _overdue(event: Event, incident: Incident) -> Iterator[Message]:
    people = [assignment.person for assignment in incident.assignments.select_related("person")]
    people += [incident.lead] if incident.lead else []
    due = event.detail["due"][11:16]
    text = f"Stakeholders of “{incident.title}” were promised news by {due} UTC."
    yield Message("incident.update_overdue", people, f"{incident}: an update is overdue", text)


def _worse_alert(event: Event, incident: Incident) -> Iterator[Message]:
    severe = event.detail.get("suggests") in SEVERE
    people = [incident.lead] if incident.lead else audience.first_rung(incident, at=event.at)[1]
    text = f"{event.detail.get('reason', '')}\n\n{facts(incident)}".strip()
    urgency = Urgency.PAGE if severe and incident.is_open else None
    yield Message("incident.worse_alert", people, f"A worse alert came: {headline(incident)}", text, urgency)


def _cleared(_: Event, incident: Incident) -> Iterator[Message]:
    if incident.is_open and incident.status != Status.TRIAGE and incident.lead:
        text = "Look whether the output is right again. If it is, resolve it; only a person does."
        subject = f"All alerts of {incident} cleared: {incident.title}"
        yield Message("incident.alerts_cleared", [incident.lead], subject, text)


def _public(event: Event, incident: Incident) -> Iterator[Message]:
    if event.detail.get("became") == "written":
        people = audience.seeing(incident, audience.members(incident.team, Role.LEAD))
        subject = f"{event.by} wrote for the public page of {incident}: approve it or drop it"
        yield Message("incident.approval", people, subject, event.detail.get("text", ""))


MEANINGS: dict[Event.Kind, Callable[[Event, Incident], Iterator[Message]]] = {
    Event.Kind.OPENED: _opened,
    Event.Kind.SEVERITY: _severity,
    Event.Kind.ACKNOWLEDGED: _moved,
    Event.Kind.STATUS: _moved,
    Event.Kind.CONTAINMENT: _moved,
    Event.Kind.LEAD: _lead,
    Event.Kind.ROLE: _role,
    Event.Kind.HANDOVER: _handover,
    Event.Kind.TASK: _task,
    Event.Kind.NOTE: _note,
    Event.Kind.UPDATE: _update,
    Event.Kind.OVERDUE: _overdue,
    Event.Kind.WORSE_ALERT: _worse_alert,
    Event.Kind.ALERTS_CLEARED: _cleared,
    Event.Kind.PUBLIC: _public,
}
