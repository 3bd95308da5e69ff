"""What people enter to connect a channel is checked when they enter it."""

import pytest

from incidents.notifications.channels.catalogue import RECEIVERS
from tests.notifications.announcements import CONFIGS


def check(kind: str, name: str, text: str) -> str:
    return next(field for field in RECEIVERS[kind].fields if field.name == name).check(text)


def test_what_each_receiver_gives_is_taken() -> None:
    for kind, config in CONFIGS.items():
        for field in RECEIVERS[kind].fields:
            if field.name in config:
                assert check(kind, field.name, f" {config[field.name]} ") == config[field.name]


@pytest.mark.parametrize(
    ("kind", "name", "text"),
    [
        ("slack", "url", "https://discord.com/api/webhooks/1/abc"),
        ("slack", "url", "https://hooks.slack.com/"),
        ("slack", "url", "https://hooks.slack.com.evil.example/services/T/B/x"),
        ("slack", "url", "http://hooks.slack.com/services/T/B/x"),
        ("teams", "url", "https://example.webhook.office.com/webhookb2/abc"),
        ("discord", "url", "https://evil-discord.com/api/webhooks/1/abc"),
        ("google_chat", "url", "https://chat.googleapis.com/"),
        ("mattermost", "url", "https://chat.example.com/"),
        ("ntfy", "topic", "a/b"),
        ("ntfy", "topic", ""),
        ("ntfy", "token", "abc"),
        ("ntfy", "url", "https://ntfy.sh/?x=1"),
        ("pagerduty", "routing_key", "abc"),
        ("pagerduty", "routing_key", "é" * 32),
        ("opsgenie", "key", "x"),
        ("webhook", "url", "https://user:password@hooks.example.com/"),
        ("webhook", "url", "https://hooks.example.com:22/"),
        ("webhook", "url", "javascript:alert(1)"),
    ],
)
def test_what_is_none_is_refused_in_words(kind: str, name: str, text: str) -> None:
    with pytest.raises(ValueError, match=r"\w+ .+\."):
        check(kind, name, text)


def test_a_relay_of_ones_own_may_stand_in_for_any_of_them(settings: object) -> None:
    settings.OUTGOING_ALLOW = ["relay.internal"]  # type: ignore[attr-defined]
    assert check("slack", "url", "http://relay.internal:8080/slack")
