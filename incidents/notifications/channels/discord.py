"""Discord, by a channel's webhook: one embed, which may mention nobody."""

from datetime import datetime, timedelta
from typing import Any

from incidents.notifications.channels import addresses
from incidents.notifications.channels.answers import LONGEST_WAIT, Judgement, gone, json_of, judge_status, retry, said
from incidents.notifications.channels.base import Announcement, Config, Field, Outgoing, Receiver, post_json
from incidents.notifications.channels.limits import clip, units
from incidents.notifications.channels.marks import markdown
from incidents.outgoing import Answer

TITLE, DESCRIPTION, VALUE, ALL = 256, 4096, 1024, 6000
_TEXT, _FACT = 2000, 200
_UNKNOWN_WEBHOOK, _WRONG_TOKEN = 10015, 50027


class Discord(Receiver):
    kind = "discord"
    name = "Discord"
    group = "chat"
    about = "Messages in a channel of Discord"
    fields = (
        Field(
            name="url",
            label="Webhook address",
            help="In Discord: the channel’s settings, Integrations, Webhooks, New Webhook, Copy Webhook URL.",
            check=addresses.address(
                "a Discord webhook", "discord.com", "*.discord.com", "discordapp.com", path="^/api/(v[0-9]+/)?webhooks/"
            ),
            secret=True,
        ),
    )

    def request(self, config: Config, announcement: Announcement, *, now: datetime) -> Outgoing:
        links = " · ".join(f"[{_text(label, 80)}]({url})" for label, url in announcement.links())
        embed: dict[str, Any] = {
            "title": _text(announcement.headline, TITLE),
            "description": "\n\n".join(filter(None, (_text(announcement.body, _TEXT), links))),
            "color": int(announcement.colour[1:], 16),
            "timestamp": announcement.at.isoformat(),
            "fields": [
                {"name": label, "value": _text(value, _FACT), "inline": True} for label, value in announcement.facts()
            ],
        }
        return post_json(config["url"], {"username": "Faultline", "embeds": [embed], "allowed_mentions": {"parse": []}})

    def judge(self, answer: Answer, *, now: datetime) -> Judgement:
        said_in_json = json_of(answer)
        if said_in_json.get("code") in {_UNKNOWN_WEBHOOK, _WRONG_TOKEN}:
            return gone("Discord says that this webhook was deleted.")
        seconds = said_in_json.get("retry_after")
        if answer.status == 429 and isinstance(seconds, int | float) and 0 <= seconds < 1e9:
            return retry(said(answer), after=min(timedelta(seconds=seconds), LONGEST_WAIT))
        return judge_status(answer, now=now)


def _text(text: str, most: int) -> str:
    return markdown(clip(text, most, size=lambda part: units(markdown(part))))
