"""Google Chat, by a space's webhook: a card, in one thread for each incident."""

from datetime import datetime
from typing import Any

from incidents.notifications.channels import addresses
from incidents.notifications.channels.answers import Judgement, gone, judge_status
from incidents.notifications.channels.base import Announcement, Config, Field, Outgoing, Receiver, post_json
from incidents.notifications.channels.limits import clip, json_octets, units
from incidents.notifications.channels.marks import angles, apart
from incidents.outgoing import Answer

LARGEST = 32_000  # bytes, of the whole message
_IN_THREAD = "messageReplyOption=REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD"


class GoogleChat(Receiver):
    kind = "google_chat"
    name = "Google Chat"
    group = "chat"
    about = "Cards in a space of Google Chat, a thread for each incident"
    fields = (
        Field(
            name="url",
            label="Webhook address",
            help="In Google Chat: the space’s menu, Apps & integrations, Webhooks, Add. It holds “key=” and “token=”.",
            check=addresses.address("a Google Chat webhook", "chat.googleapis.com", path="^/v1/spaces/"),
            secret=True,
        ),
    )

    def request(self, config: Config, announcement: Announcement, *, now: datetime) -> Outgoing:
        message = {
            "text": apart(clip(announcement.headline, 500, size=lambda part: units(apart(part)))),
            "cardsV2": [{"cardId": announcement.event_id[:64], "card": {"sections": _sections(announcement)}}],
            "thread": {"threadKey": announcement.key},
        }
        url = config["url"]
        return post_json(f"{url}{'&' if '?' in url else '?'}{_IN_THREAD}", message)

    def judge(self, answer: Answer, *, now: datetime) -> Judgement:
        if answer.status == 404:
            return gone("Google Chat says that this space or webhook does not exist.")
        return judge_status(answer, now=now)


def _sections(announcement: Announcement) -> list[dict[str, Any]]:
    told = clip(announcement.body, 12_000, size=lambda part: json_octets(angles(part)))
    widgets: list[dict[str, Any]] = [{"textParagraph": {"text": angles(told)}}] if told else []
    widgets += [{"decoratedText": {"topLabel": label, "text": _fact(text)}} for label, text in announcement.facts()]
    if buttons := [{"text": label, "onClick": {"openLink": {"url": url}}} for label, url in announcement.links()]:
        widgets.append({"buttonList": {"buttons": buttons}})
    return [{"widgets": widgets or [{"textParagraph": {"text": angles(clip(announcement.headline, 200))}}]}]


def _fact(text: str) -> str:
    return angles(clip(text, 900, size=lambda part: json_octets(angles(part))))
