"""Slack, by an incoming webhook: blocks of plain text, so that nothing people wrote marks, links or calls anybody."""

from datetime import datetime
from typing import Any

from incidents.notifications.channels import addresses
from incidents.notifications.channels.answers import Judgement, Reception, judge_status, said
from incidents.notifications.channels.base import (
    Announcement,
    Config,
    Field,
    IncidentFacts,
    Outgoing,
    Receiver,
    post_json,
)
from incidents.notifications.channels.limits import clip, units
from incidents.notifications.channels.marks import angles
from incidents.outgoing import Answer

HEADER, SECTION, FALLBACK = 150, 3000, 1000
_TAKEN = ("investigating", "contained")

# What Slack answers in a word, at whatever status.
_ANSWERS = {
    "no_service": (Reception.GONE, "Slack says that this webhook was removed or switched off."),
    "no_service_id": (Reception.GONE, "Slack says that this webhook does not exist."),
    "no_active_hooks": (Reception.GONE, "Slack says that this webhook was switched off."),
    "invalid_token": (Reception.GONE, "Slack says that this webhook’s address is no longer valid."),
    "no_team": (Reception.GONE, "Slack says that the workspace does not exist."),
    "team_disabled": (Reception.GONE, "Slack says that the workspace was closed."),
    "channel_not_found": (Reception.GONE, "Slack says that the channel does not exist."),
    "channel_is_archived": (Reception.GONE, "Slack says that the channel is archived."),
    "user_not_found": (Reception.GONE, "Slack says that the person does not exist."),
    "action_prohibited": (Reception.REFUSED, "Slack says that the workspace’s rules forbid this webhook to post."),
    "posting_to_general_channel_denied": (Reception.REFUSED, "Slack says that this webhook may not post in #general."),
    "invalid_payload": (Reception.REFUSED, "Slack did not understand the message."),
    "invalid_blocks": (Reception.REFUSED, "Slack did not understand the message."),
    "no_text": (Reception.REFUSED, "Slack found no text in the message."),
    "rollup_error": (Reception.RETRY, "Slack had a fault of its own."),
}


class Slack(Receiver):
    kind = "slack"
    name = "Slack"
    group = "chat"
    about = "Messages in a channel of Slack"
    fields = (
        Field(
            name="url",
            label="Webhook address",
            help="In Slack: your app’s settings, Incoming Webhooks, Add New Webhook. It begins with https://hooks.slack.com/services/.",
            check=addresses.address("a Slack webhook", "hooks.slack.com", "hooks.slack-gov.com", path="^/services/"),
            secret=True,
        ),
        Field(
            name="buttons",
            label="Buttons",
            help="They need your own Slack app, and a webhook of that app.",
            required=False,
            choices=(("no", "Links only"), ("yes", "Buttons to acknowledge and take the lead")),
        ),
    )

    def request(self, config: Config, announcement: Announcement, *, now: datetime) -> Outgoing:
        message = {
            "text": escaped(announcement.headline, FALLBACK),
            "blocks": blocks(announcement, buttons=config.get("buttons") == "yes"),
            "unfurl_links": False,
            "unfurl_media": False,
        }
        return post_json(config["url"], message)

    def judge(self, answer: Answer, *, now: datetime) -> Judgement:
        word = answer.body[:100].decode("utf-8", "replace").strip()
        if word in _ANSWERS:
            outcome, reason = _ANSWERS[word]
            return Judgement(outcome, reason)
        if answer.status == 200 and word not in {"", "ok"} and b'"ok":true' not in answer.body.replace(b" ", b""):
            return Judgement(Reception.REFUSED, said(answer))
        return judge_status(answer, now=now)


def blocks(announcement: Announcement, *, buttons: bool = False) -> list[dict[str, Any]]:
    """The message; with buttons for what can be done where it is posted by an app that hears of them."""
    parts: list[dict[str, Any]] = [{"type": "header", "text": plain_text(announcement.headline, HEADER)}]
    if announcement.body:
        parts.append({"type": "section", "text": plain_text(announcement.body, SECTION)})
    if facts := announcement.facts():
        fields = [plain_text(f"{label}: {text}", 200) for label, text in facts]
        parts.append({"type": "section", "fields": fields})
    links = announcement.links()
    if buttons and not announcement.item and (pressed := _acts(announcement.incident)):
        elements = [*pressed, *(button(label, "open", url=url) for label, url in links[:1])]
        parts.append({"type": "actions", "elements": elements})
    elif links:
        marked = " · ".join(f"<{url}|{escaped(label, 80).replace('|', '/')}>" for label, url in links)
        parts.append({"type": "context", "elements": [{"type": "mrkdwn", "text": marked, "verbatim": True}]})
    return parts


def _acts(incident: IncidentFacts | None) -> list[dict[str, Any]]:
    """What somebody may do next: take it, or take it over. Whoever acknowledges what nobody leads leads it."""
    acts: list[dict[str, Any]] = []
    if incident is None:
        return acts
    if incident.status == "triage":
        acts.append(button("Acknowledge", "acknowledge", value=str(incident.number), style="primary"))
    if incident.status in _TAKEN or (incident.status == "triage" and incident.lead):
        acts.append(button("Take the lead", "lead", value=str(incident.number)))
    return acts


def button(label: str, action: str, **more: str) -> dict[str, Any]:
    """`more` is its value, style, or the address that it opens. Slack sends `action` when it is pressed."""
    return {"type": "button", "text": plain_text(label, 75), "action_id": action} | more


def plain_text(text: str, most: int) -> dict[str, Any]:
    return {"type": "plain_text", "text": escaped(text, most), "emoji": False}


def escaped(text: str, most: int) -> str:
    return angles(clip(text, most, size=lambda part: units(angles(part))))
