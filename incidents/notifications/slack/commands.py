"""/faultline: what somebody typed, and what it does. It reads and does what the pages do, with the rights of the pages."""

import re
from dataclasses import dataclass
from urllib.parse import urlencode

from django.conf import settings
from django.core.exceptions import ValidationError
from django.urls import reverse

from incidents.errors import Refused, WrongStatus
from incidents.notifications import announced
from incidents.notifications.acting import MessageAct, perform
from incidents.notifications.channels.limits import clip
from incidents.notifications.channels.slack import blocks
from incidents.notifications.slack.app import SlackApp
from incidents.notifications.slack.members import Sender, SlackMember, person_of
from incidents.notifications.slack.words import Message, ephemeral, listed, sentence
from incidents.people.models import User
from incidents.people.permissions import NotAllowed
from incidents.response.incident import Incident
from incidents.response.permissions import require_change
from incidents.response.vocabulary import IncidentKind, Status

LISTED = 10
LONGEST_UPDATE = 5000
VIA = "a command or button in Slack"
_ACTS = {"ack": MessageAct.ACKNOWLEDGE, "lead": MessageAct.LEAD, "update": MessageAct.UPDATE}
_TO = {
    MessageAct.ACKNOWLEDGE: "acknowledge it",
    MessageAct.LEAD: "lead it",
    MessageAct.UPDATE: "post updates",
}
_DONE = {
    MessageAct.ACKNOWLEDGE: "You acknowledged",
    MessageAct.LEAD: "You lead",
    MessageAct.UPDATE: "Your update is posted:",
}
HELP = """/faultline lists open incidents
/faultline 57 shows INC-57
/faultline ack 57 acknowledges it, and you lead it unless somebody does
/faultline lead 57 makes you the lead
/faultline update 57 Rolled back, watching. tells everybody who follows it
/faultline open Answers cite old prices leads to the form that opens an incident
/faultline connect says who you are in Faultline

Only you see the answers. Private incidents are in Faultline alone."""


@dataclass(frozen=True, slots=True)
class Command:
    """`verb` is "" to list, and "help" where nobody understands it."""

    verb: str
    number: int | None = None
    text: str = ""


def read(typed: str) -> Command:
    """Understand what stands behind /faultline."""
    words = typed.strip().split(maxsplit=2)
    verb = words[0].lower() if words else ""
    if not verb:
        return Command("")
    if len(words) == 1 and (number := _number(verb)) is not None:
        return Command("show", number)
    if verb in _ACTS and len(words) > 1 and (number := _number(words[1])) is not None:
        return Command(verb, number, words[2].strip() if len(words) > 2 else "")
    if verb == "open":
        return Command("open", text=" ".join(" ".join(words[1:]).split()))
    return Command(verb if verb in {"connect", "help"} and len(words) == 1 else "help")


def _number(word: str) -> int | None:
    found = re.fullmatch(r"(?:inc-?|#)?([0-9]{1,9})", word, re.ASCII | re.IGNORECASE)
    return int(found[1]) if found else None


def answer(app: SlackApp, sender: Sender, typed: str) -> Message:
    """Do what was typed, as the person whom the sender is here, and say what came of it. Only the sender reads that."""
    command = read(typed)
    if command.verb == "connect":
        return ask_who(sender)
    if command.verb == "help":
        return sentence(HELP)
    person = person_of(app, sender)
    if person is None:
        return ask_who(sender)
    if command.number is not None:
        return _about(command, command.number, person)
    return _form(command.text) if command.verb == "open" else _open_incidents(person)


def ask_who(sender: Sender) -> Message:
    link = settings.BASE_URL + SlackMember.objects.link_for(sender)
    text = "Faultline does not act for somebody it does not know. Connect your account: you confirm it in Faultline."
    return sentence(f"{text} The link works once, for 15 minutes.", ("Connect your account", link))


def find(number: int, person: User) -> Incident | None:
    """An incident that may be shown in Slack: one that the person sees and that is not private."""
    rows = Incident.objects.visible_to(person).filter(private=False).select_related("system", "team", "lead")
    return rows.filter(number=number).first()


def absent(number: int) -> Message:
    return sentence(f"There is no INC-{number} that can be shown here. Private incidents are in Faultline alone.")


def act(which: MessageAct, incident: Incident, *, by: User, text: str = "") -> str:
    """Do it, and say in a sentence why it cannot be done; "" where it was."""
    try:
        require_change(incident, by, to=_TO[which])
        if which is not MessageAct.UPDATE and not incident.is_open:
            return f"{incident} is {incident.get_status_display().lower()} already. Nothing is left to take."
        perform(which, incident, by=by, via=VIA, text=text)
    except NotAllowed as refusal:
        return f"{refusal} Ask one of them, or ask a lead to add you to the team."
    except WrongStatus:
        incident.refresh_from_db()
        return f"{incident} was taken already. {_lead(incident)}"
    except (Refused, ValidationError) as refusal:
        return " ".join(refusal.messages)
    return ""


def _about(command: Command, number: int, person: User) -> Message:
    incident = find(number, person)
    if incident is None:
        return absent(number)
    if command.verb == "show":
        return show(incident)
    if len(command.text) > LONGEST_UPDATE:
        return sentence(f"An update has {LONGEST_UPDATE} characters at most.")
    which = _ACTS[command.verb]
    if which is MessageAct.UPDATE and not command.text:
        return sentence(f"Say what stakeholders should know: /faultline update {number} Rolled back, watching.")
    refusal = act(which, incident, by=person, text=command.text)
    if refusal:
        return sentence(refusal, (f"Open {incident}", url_of(incident)))
    return sentence(f"{_DONE[which]} {incident}: {incident.title}", (f"Open {incident}", url_of(incident)))


def show(incident: Incident) -> Message:
    announcement = announced.standing(incident)
    return ephemeral(announcement.headline, blocks(announcement, buttons=True))


def _form(title: str) -> Message:
    query = f"?{urlencode({'title': clip(title, 120)})}" if title else ""
    text = "Open it in Faultline, where you choose the system, so that the right people are told."
    return sentence(text, ("Open an incident", settings.BASE_URL + reverse("declare") + query))


def _open_incidents(person: User) -> Message:
    rows = Incident.objects.visible_to(person).open().filter(private=False, kind=IncidentKind.REAL)
    count = rows.count()
    if not count:
        return sentence("No incident is open. Private incidents are in Faultline alone.")
    heading = f"{count} open {'incident' if count == 1 else 'incidents'}"
    more = f", the {LISTED} that come first" if count > LISTED else ""
    shown = rows.select_related("lead", "system").worst_first()[:LISTED]
    return listed(f"{heading}{more}.", [(_line(row), f"Open {row}", url_of(row)) for row in shown])


def _line(incident: Incident) -> str:
    status = Status(incident.status).label.lower()
    return f"{incident.get_severity_display()} {incident}: {incident.title}\n{status}. {_lead(incident)}"


def _lead(incident: Incident) -> str:
    return f"{incident.lead} leads it." if incident.lead else "Nobody leads it."


def url_of(incident: Incident) -> str:
    return settings.BASE_URL + incident.get_absolute_url()
