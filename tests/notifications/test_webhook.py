"""What one's own code gets: CloudEvents, signed so that the usual libraries can verify it."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
import time_machine
from cloudevents.core.bindings.http import HTTPMessage, from_http_event
from standardwebhooks import Webhook, WebhookVerificationError

from incidents.alerts.signatures import SCHEMES, verify
from incidents.notifications.channels.catalogue import RECEIVERS
from tests.notifications.announcements import CONFIGS, HOSTILE, NOW, OPENED, everywhere

CONFIG = CONFIGS["webhook"]


@pytest.fixture(autouse=True)
def _then() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.mark.parametrize("secret", [CONFIG["secret"], CONFIG["previous_secret"]])
def test_either_secret_verifies_it(secret: str) -> None:
    for text in HOSTILE:
        request = RECEIVERS["webhook"].request(CONFIG, everywhere(text), now=NOW)
        assert Webhook(secret).verify(request.body, dict(request.headers))["subject"] == "INC-57"
        verify(SCHEMES["standard"], [secret], request.body, request.headers, now=NOW)


def test_another_secret_or_another_body_does_not() -> None:
    request = RECEIVERS["webhook"].request(CONFIG, OPENED, now=NOW)
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_YW5vdGhlcmFub3RoZXJhbm90aGVyYW5vdGhlcg==").verify(request.body, dict(request.headers))
    with pytest.raises(WebhookVerificationError):
        Webhook(CONFIG["secret"]).verify(request.body + b" ", dict(request.headers))


def test_the_id_stays_and_the_time_moves_when_it_is_sent_again() -> None:
    first = RECEIVERS["webhook"].request(CONFIG, OPENED, now=NOW)
    again = RECEIVERS["webhook"].request(CONFIG, OPENED, now=NOW.replace(hour=11))
    assert first.headers["webhook-id"] == again.headers["webhook-id"] == "evt_4711"
    assert int(again.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) == 2 * 3600
    assert first.body == again.body


def test_without_a_former_secret_there_is_one_signature() -> None:
    alone = {name: value for name, value in CONFIG.items() if name != "previous_secret"}
    assert " " not in RECEIVERS["webhook"].request(alone, OPENED, now=NOW).headers["webhook-signature"]


def test_it_is_an_event_to_the_library_of_cloudevents() -> None:
    for text in HOSTILE:
        request = RECEIVERS["webhook"].request(CONFIG, everywhere(text), now=NOW)
        event = from_http_event(HTTPMessage({"content-type": request.headers["Content-Type"]}, request.body))
        assert event.get_type() == "faultline.incident.opened"
        assert event.get_source() == "https://faultline.example"
        assert event.get_subject() == "INC-57"


def test_it_has_what_code_wants_to_know() -> None:
    event = json.loads(RECEIVERS["webhook"].request(CONFIG, OPENED, now=NOW).body)
    assert event["data"]["incident"]["severity"] == "sev2"
    without = RECEIVERS["webhook"].request(CONFIG, replace(OPENED, incident=None), now=NOW)
    assert json.loads(without.body)["data"]["incident"] is None
