"""Microsoft Teams, by the address of a workflow: an adaptive card. Runs of text mark nothing; facts are escaped."""

import re
from datetime import datetime
from typing import Any

from incidents.notifications.channels import addresses
from incidents.notifications.channels.answers import Judgement, Reception, judge_status, retry_after, said
from incidents.notifications.channels.base import Announcement, Config, Field, Outgoing, Receiver, post_json
from incidents.notifications.channels.limits import clip, json_octets
from incidents.notifications.channels.marks import markdown
from incidents.outgoing import Answer

LARGEST = 28 * 1024  # bytes, of the whole message
_TEXT, _MOST_LINES = 10_000, 60
_COLOURS = {"sev1": "Attention", "sev2": "Attention", "sev3": "Warning"}


class Teams(Receiver):
    kind = "teams"
    name = "Microsoft Teams"
    group = "chat"
    about = "Cards in a channel of Teams, by a workflow"
    fields = (
        Field(
            name="url",
            label="Address of the workflow",
            help="In Teams: the channel’s menu, Workflows, “Send webhook alerts to a channel”. Copy the address that it shows at the end.",
            check=addresses.address(
                "a Teams workflow",
                "*.api.powerplatform.com",
                "*.logic.azure.com",
                "*.logic.azure.us",
                path="/triggers/",
            ),
            secret=True,
        ),
    )

    def request(self, config: Config, announcement: Announcement, *, now: datetime) -> Outgoing:
        card = {
            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
            "type": "AdaptiveCard",
            "version": "1.4",
            "msteams": {"width": "Full"},
            "body": _body(announcement),
            "actions": [{"type": "Action.OpenUrl", "title": label, "url": url} for label, url in announcement.links()],
        }
        attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
        return post_json(config["url"], {"type": "message", "attachments": [attachment]})

    def judge(self, answer: Answer, *, now: datetime) -> Judgement:
        """A connector answers 200 to everything and says in words what Teams answered; a workflow says what it is."""
        body = answer.body[:2000].decode("utf-8", "replace")
        if answer.status == 200 and (failed := re.search(r"returned HTTP error (\d{3})", body)):
            again = failed[1] == "429" or failed[1] >= "500"
            return Judgement(
                Reception.RETRY if again else Reception.REFUSED, said(answer), retry_after(answer, now=now)
            )
        if "WorkflowTriggerIsNotEnabled" in body or "WorkflowNotFound" in body:
            return Judgement(Reception.GONE, "Teams says that the workflow was switched off or deleted.")
        return judge_status(answer, now=now)


def _body(announcement: Announcement) -> list[dict[str, Any]]:
    colour = "Good" if announcement.closing else _COLOURS.get(announcement.severity, "Default")
    heading = {"size": "Large", "weight": "Bolder", "color": colour}
    lines = clip(announcement.body, _TEXT, size=json_octets).split("\n")
    if len(lines) > _MOST_LINES:
        lines = [*lines[:_MOST_LINES], "…"]
    body = [_run(clip(announcement.headline, 1000, size=json_octets), **heading)]
    body += [_run(line) for line in lines if line.strip()]
    if facts := announcement.facts():
        body.append({"type": "FactSet", "facts": [{"title": label, "value": _fact(text)} for label, text in facts]})
    return body


def _run(text: str, **style: str) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **style}]}


def _fact(text: str) -> str:
    return markdown(clip(text, 600, size=lambda part: json_octets(markdown(part))))
