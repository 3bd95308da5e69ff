"""Web Push: a notification of one browser, which the push service of its maker delivers and cannot read."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from py_vapid import Vapid02

from incidents.notifications.channels import addresses
from incidents.notifications.channels.answers import Judgement, gone, judge_status, said
from incidents.notifications.channels.base import Announcement, Config, Field, Outgoing, Receiver
from incidents.notifications.channels.encryption import decoded, encrypt
from incidents.notifications.channels.limits import clip, json_bytes, json_octets
from incidents.outgoing import Answer

# Those of the makers of browsers. Others must be in OUTGOING_ALLOW: anybody who signs in may hand an address over.
_SERVICES = (
    "fcm.googleapis.com",
    "updates.push.services.mozilla.com",
    "*.push.services.mozilla.com",
    "*.push.apple.com",
    "*.notify.windows.com",
)
_KEPT = timedelta(hours=4)  # for a browser that is not running; later the news is none
_VALID = timedelta(hours=12)


def _key(length: int, what: str) -> addresses.Check:
    def check(text: str) -> str:
        if len(text) > 200 or len(decoded(text.strip())) != length:
            raise ValueError(f"This is not {what} of a browser.")
        return text.strip()

    return check


class WebPush(Receiver):
    """`config` has the browser's subscription, and the keys of this Faultline: `vapid_key` and `vapid_subject`."""

    kind = "web_push"
    name = "Browser"
    group = "phone"
    about = "Notifications of a browser on a phone or a computer"
    fields = (
        Field(
            name="endpoint",
            label="Address",
            help="",
            check=addresses.address("a push service", *_SERVICES),
            secret=True,
        ),
        Field(name="p256dh", label="Key", help="", check=_key(65, "a key"), secret=True),
        Field(name="auth", label="Secret", help="", check=_key(16, "a secret"), secret=True),
    )

    def request(self, config: Config, announcement: Announcement, *, now: datetime) -> Outgoing:
        parts = urlsplit(config["endpoint"])
        claims = {
            "sub": config["vapid_subject"],
            "aud": f"{parts.scheme}://{parts.netloc}",
            "exp": int((now + _VALID).timestamp()),
        }
        key = Vapid02.from_raw(config["vapid_key"].encode())
        key.conf = {"no-strict": True}  # else it refuses hosts of one word
        headers = key.sign(claims) | {
            "Content-Type": "application/octet-stream",
            "Content-Encoding": "aes128gcm",
            "TTL": str(int(_KEPT.total_seconds())),
            "Urgency": "high" if announcement.urgent else "normal",
            "Topic": announcement.key[:32],  # a newer message about the same takes the place of one not yet delivered
        }
        message = json_bytes(shown(announcement))
        body = encrypt(message, receiver=config["p256dh"], secret=config["auth"])
        return Outgoing("POST", config["endpoint"], headers, body)

    def judge(self, answer: Answer, *, now: datetime) -> Judgement:
        """A browser that was reset or took its permission back is answered 404 or 410."""
        return gone(said(answer)) if answer.status == 404 else judge_status(answer, now=now)


def shown(announcement: Announcement) -> dict[str, Any]:
    """What the service worker shows: a title, a text, and where a click leads."""
    links = announcement.links()
    return {
        "title": clip(announcement.headline, 300, size=json_octets),
        "body": clip(announcement.body, 1500, size=json_octets),
        "tag": announcement.key[:64],
        "url": links[0][1] if links else "",
        "urgent": announcement.urgent,
        "acts": [{"title": clip(label, 40), "url": url} for label, url in links[1:3]],
    }
