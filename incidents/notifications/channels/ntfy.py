"""ntfy: a notification on phones that listen to a topic, by its JSON."""

from datetime import datetime
from typing import Any

from incidents.notifications.channels import addresses
from incidents.notifications.channels.base import Announcement, Config, Field, Outgoing, Receiver, post_json
from incidents.notifications.channels.limits import clip, octets

MESSAGE, TITLE, MOST_ACTIONS = 4096, 250, 3  # bytes, bytes, actions; a longer message becomes a file
_TAGS = {"sev1": "rotating_light", "sev2": "warning", "sev3": "large_yellow_circle"}


class Ntfy(Receiver):
    kind = "ntfy"
    name = "ntfy"
    group = "phone"
    about = "Push notifications on phones, by ntfy.sh or a server of your own"
    fields = (
        Field(
            name="url",
            label="Server",
            help="https://ntfy.sh, or the address of your own server.",
            check=addresses.server,
        ),
        Field(
            name="topic",
            label="Topic",
            help="The topic that the phones subscribe to. Whoever knows its name can read along, so choose one that cannot be guessed.",
            check=addresses.token("a topic of ntfy: letters, digits, _ and -, 64 at most", r"[-_A-Za-z0-9]{1,64}"),
            secret=True,
        ),
        Field(
            name="token",
            label="Access token",
            help="In ntfy: Account, Access tokens. Needed where the topic is reserved.",
            check=addresses.token("an access token of ntfy; it begins with tk_", r"tk_[A-Za-z0-9]{1,60}"),
            secret=True,
            required=False,
        ),
    )

    def request(self, config: Config, announcement: Announcement, *, now: datetime) -> Outgoing:
        links = announcement.links(most=MOST_ACTIONS)
        lines = [announcement.body, "\n".join(f"{label}: {text}" for label, text in announcement.facts())]
        message: dict[str, Any] = {
            "topic": config["topic"],
            "title": clip(announcement.headline, TITLE, size=octets),
            "message": clip("\n\n".join(filter(None, lines)) or announcement.headline, MESSAGE, size=octets),
            "priority": _priority(announcement),
            "tags": [
                "white_check_mark" if announcement.closing else _TAGS.get(announcement.severity, "information_source")
            ],
            "actions": [{"action": "view", "label": clip(label, 40), "url": url} for label, url in links],
        }
        if links:
            message["click"] = links[0][1]
        headers = {"Authorization": f"Bearer {config['token']}"} if config.get("token") else {}
        return post_json(config["url"] + "/", message, headers)


def _priority(announcement: Announcement) -> int:
    """From 1 to 5; 5 rings through “do not disturb”."""
    if announcement.urgent:
        return 5
    return 3 if announcement.closing or announcement.severity in {"sev3", "sev4"} else 4
