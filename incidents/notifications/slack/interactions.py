"""A button that somebody pressed in Slack: the act, at once, and the answer, as a row that a worker sends."""

from typing import Any

from incidents.notifications import announced
from incidents.notifications.acting import MessageAct
from incidents.notifications.channels.slack import blocks
from incidents.notifications.slack.app import SlackApp
from incidents.notifications.slack.commands import absent, act, ask_who, find, url_of
from incidents.notifications.slack.members import Sender, person_of
from incidents.notifications.slack.replies import SlackReply
from incidents.notifications.slack.words import replacing, sentence
from incidents.response.incident import Incident

_ACTS = {"acknowledge": MessageAct.ACKNOWLEDGE, "lead": MessageAct.LEAD}
_DONE = {MessageAct.ACKNOWLEDGE: "Acknowledged by", MessageAct.LEAD: "Led by"}


def press(app: SlackApp, payload: dict[str, Any]) -> None:
    """Do what the pressed button says. Buttons that only lead somewhere are sent too, and mean nothing here."""
    which, number = _pressed(payload)
    sender = sender_of(payload)
    url = payload.get("response_url")
    if which is None or number is None or sender is None or not isinstance(url, str):
        return
    person = person_of(app, sender)
    if person is None:
        SlackReply.objects.owe(url, ask_who(sender))
        return
    incident = find(number, person)
    if incident is None:
        SlackReply.objects.owe(url, absent(number))
        return
    if refusal := act(which, incident, by=person):
        SlackReply.objects.owe(url, sentence(refusal, (f"Open {incident}", url_of(incident))), incident=incident)
    if not refusal or _is_of_channel(payload):
        _renew(url, incident, f"{_DONE[which]} {person} in Slack." if not refusal else "")


def _renew(url: str, incident: Incident, text: str) -> None:
    """Let the message say how it stands now, with the buttons that are left."""
    announcement = announced.standing(incident, text)
    SlackReply.objects.owe(url, replacing(announcement.headline, blocks(announcement, buttons=True)), incident=incident)


def _is_of_channel(payload: dict[str, Any]) -> bool:
    """Whether everybody in the channel reads the message, and should not be led to press what is done."""
    container = payload.get("container")
    return isinstance(container, dict) and container.get("is_ephemeral") is False


def sender_of(payload: dict[str, Any]) -> Sender | None:
    user, team = payload.get("user"), payload.get("team")
    if not isinstance(user, dict):
        return None
    workspace = user.get("team_id") or (team.get("id") if isinstance(team, dict) else None)
    return known_sender(workspace, user.get("id"), user.get("username") or user.get("name"))


def known_sender(workspace: object, member: object, name: object) -> Sender | None:
    """A sender whose ids are ids; None where they are not."""
    ids = [text for text in (workspace, member) if isinstance(text, str) and text.isalnum() and len(text) <= 30]
    return Sender(ids[0], ids[1], name if isinstance(name, str) else "") if len(ids) == 2 else None


def _pressed(payload: dict[str, Any]) -> tuple[MessageAct | None, int | None]:
    actions = payload.get("actions")
    if payload.get("type") != "block_actions" or not isinstance(actions, list) or not actions:
        return None, None
    first = actions[0] if isinstance(actions[0], dict) else {}
    value = str(first.get("value", ""))
    number = int(value) if value.isascii() and value.isdigit() and len(value) < 10 else None
    return _ACTS.get(str(first.get("action_id"))), number
