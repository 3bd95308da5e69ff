"""Mattermost, by an incoming webhook: one attachment."""

from datetime import datetime

from incidents.notifications.channels import addresses
from incidents.notifications.channels.base import Announcement, Config, Field, Outgoing, Receiver, post_json
from incidents.notifications.channels.limits import clip, json_octets
from incidents.notifications.channels.marks import markdown, without_mentions

LARGEST = 8000  # characters of the attachments’ JSON: older servers keep no more
_TITLE, _TEXT, _FACT = 300, 3000, 150


class Mattermost(Receiver):
    kind = "mattermost"
    name = "Mattermost"
    group = "chat"
    about = "Messages in a channel of your own Mattermost"
    fields = (
        Field(
            name="url",
            label="Webhook address",
            help="In Mattermost: Integrations, Incoming Webhooks, Add. It looks like https://chat.example.com/hooks/….",
            check=addresses.address("a Mattermost webhook", path="/hooks/"),
            secret=True,
        ),
    )

    def request(self, config: Config, announcement: Announcement, *, now: datetime) -> Outgoing:
        links = " · ".join(f"[{_text(label, 80)}]({url})" for label, url in announcement.links())
        text = "\n\n".join(filter(None, (_text(announcement.body, _TEXT), links)))
        attachment = {
            "fallback": _text(announcement.headline, _TITLE),
            "color": announcement.colour,
            "title": _text(announcement.headline, _TITLE),
            "text": text,
            "fields": [
                {"title": label, "value": _text(value, _FACT), "short": True} for label, value in announcement.facts()
            ],
        }
        return post_json(config["url"], {"username": "Faultline", "attachments": [attachment]})


def _text(text: str, most: int) -> str:
    return _inert(clip(text, most, size=lambda part: json_octets(_inert(part))))


def _inert(text: str) -> str:
    return without_mentions(markdown(text))
