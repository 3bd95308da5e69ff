"""One's own code: an event in CloudEvents 1.0, signed as Standard Webhooks has it."""

from datetime import datetime
from typing import Any

from standardwebhooks import Webhook

from incidents.notifications.channels import addresses
from incidents.notifications.channels.answers import Judgement, Reception, judge_status, retry
from incidents.notifications.channels.base import Announcement, Config, Field, Outgoing, Receiver
from incidents.notifications.channels.limits import clip, json_bytes, one_line, plain
from incidents.outgoing import Answer

TYPE = "faultline."  # before the topic
_TEXT, _NAME = 20_000, 1000
_ITEM = ("kind", "title", "state", "owner", "due_on", "url")
_TEXTS = ("title", "severity", "status", "category", "system", "team", "lead", "url")
# That it did not understand the message will be the same tomorrow; the rest of what is wrong there is mended by somebody.
_FINAL = frozenset({400, 413, 415, 422})


class SignedWebhook(Receiver):
    kind = "webhook"
    name = "Webhook"
    group = "code"
    about = "Signed events for your own code, in CloudEvents 1.0"
    signs = True
    fields = (
        Field(
            name="url",
            label="Address",
            help="Faultline posts each event there, as JSON. Answer with 2xx within 5 seconds.",
            check=addresses.address("a webhook"),
        ),
    )

    def request(self, config: Config, announcement: Announcement, *, now: datetime) -> Outgoing:
        body = json_bytes(cloud_event(announcement))
        headers = {
            "Content-Type": "application/cloudevents+json; charset=utf-8",
            "webhook-id": announcement.event_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": _signatures(config, announcement.event_id, body, now=now),
        }
        return Outgoing("POST", config["url"], headers, body)

    def judge(self, answer: Answer, *, now: datetime) -> Judgement:
        judgement = judge_status(answer, now=now)
        again = judgement.reception is Reception.REFUSED and answer.status >= 400 and answer.status not in _FINAL
        return retry(judgement.reason) if again else judgement


def _signatures(config: Config, event_id: str, body: bytes, *, now: datetime) -> str:
    """One for each secret that is valid now, so that a receiver can change over in its own time."""
    secrets = filter(None, (config.get("secret"), config.get("previous_secret")))
    return " ".join(Webhook(secret).sign(event_id, now, body.decode()) for secret in secrets)


def cloud_event(announcement: Announcement) -> dict[str, Any]:
    """The event as receivers get it; its shape is in the API's description, under `webhooks`."""
    event = {
        "specversion": "1.0",
        "id": announcement.event_id,
        "source": announcement.source or "urn:faultline",
        "type": TYPE + announcement.topic,
        "time": announcement.at.isoformat().replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "subject": announcement.key,
    }
    incident, item = announcement.incident, announcement.item
    data: dict[str, Any] = {
        "title": announcement.headline,
        "text": clip(plain(announcement.text), _TEXT),
        "urgent": announcement.urgent,
        "closing": announcement.closing,
        "incident": incident
        and {
            "number": incident.number,
            "reference": incident.reference,
            **{name: clip(one_line(getattr(incident, name)), _NAME) for name in _TEXTS},
        },
        "item": item and {name: clip(one_line(getattr(item, name)), _NAME) for name in _ITEM},
        "links": [{"label": label, "url": url} for label, url in announcement.links()],
    }
    return event | {"data": data}
