"""Messages leave in order, each at least once; what fails is tried again, given up, or pauses its channel and says so."""

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.utils import timezone
from standardwebhooks import Webhook

from incidents.notifications import lanes
from incidents.notifications.announcing import announce
from incidents.notifications.destinations import Destination
from incidents.notifications.messages import Notification
from incidents.notifications.transmissions import Transmission, owe_test, without_secrets
from incidents.people.models import User
from incidents.response.incident import Incident
from tests.notifications.receivers import Desk, desk

Connect = Callable[..., Destination]
NOW = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)


@pytest.fixture
def owed(incident: Incident) -> Callable[[], list[Transmission]]:
    """What is owed of the incident that Mara declared, and what came of it."""

    def look() -> list[Transmission]:
        announce()
        return list(Transmission.objects.order_by("pk"))

    return look


def test_a_message_arrives_and_the_log_says_so_without_secrets(
    receiver: Desk, connect: Connect, owed: Callable[[], list[Transmission]]
) -> None:
    row = connect(url=f"{receiver.url}/services/very-secret-path")
    owed()
    assert lanes.work() == 1
    (sent,) = owed()
    assert sent.outcome == "delivered"
    assert (sent.status, sent.answer, sent.attempts) == (200, "ok", 1)
    assert "retired pricing policy" in json.loads(receiver.got[0].body)["text"]
    assert "retired pricing policy" in sent.request
    assert "very-secret-path" not in sent.request
    row.refresh_from_db()
    assert row.last_success_at
    assert lanes.work() == 0


def test_a_routing_key_within_the_body_is_cut_from_the_log(
    receiver: Desk, connect: Connect, owed: Callable[[], list[Transmission]]
) -> None:
    receiver.status, receiver.body = 202, b'{"dedup_key": "x", "echo": "' + b"k" * 32 + b'"}'
    connect("pagerduty", routing_key="k" * 32, url=receiver.url)
    owed()
    lanes.work()
    (sent,) = owed()
    assert sent.outcome == "delivered"
    assert "k" * 32 in receiver.got[0].body.decode()
    assert "k" * 32 not in sent.request + sent.answer


def test_a_secret_is_cut_however_json_writes_it() -> None:
    assert without_secrets('{"a": "x\\"y"} x"y', ['x"y']) == '{"a": "•••"} •••'


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_fails_for_now_is_tried_again_later_and_later(
    status: int, receiver: Desk, connect: Connect, owed: Callable[[], list[Transmission]]
) -> None:
    row = connect(url=f"{receiver.url}/x")
    receiver.status = status
    waits = []
    with time_machine.travel(NOW, tick=False) as clock:
        owed()
        for _ in range(4):
            lanes.work()
            row.refresh_from_db()
            assert row.rests_until
            waits.append((row.rests_until - timezone.now()).total_seconds())
            assert lanes.work() == 0
            assert len(receiver.got) == len(waits)
            clock.move_to(row.rests_until)
        receiver.status = 200
        assert lanes.work() == 1
    assert waits == [10, 30, 60, 120]
    row.refresh_from_db()
    assert (row.failures, row.rests_until) == (0, None)


def test_a_receiver_that_asks_for_time_gets_it(
    receiver: Desk, connect: Connect, owed: Callable[[], list[Transmission]]
) -> None:
    row = connect(url=f"{receiver.url}/x")
    receiver.status, receiver.headers = 429, {"Retry-After": "1800"}
    with time_machine.travel(NOW, tick=False):
        owed()
        lanes.work()
        row.refresh_from_db()
        assert row.rests_until == timezone.now() + timedelta(minutes=30)


def test_after_three_days_it_is_given_up_and_the_leads_hear_of_it(
    receiver: Desk, connect: Connect, owed: Callable[[], list[Transmission]], jo: User
) -> None:
    connect(url=f"{receiver.url}/x")
    receiver.status = 500
    with time_machine.travel(NOW, tick=False) as clock:
        owed()
        lanes.work()
        clock.move_to(NOW + timedelta(days=2, hours=23))
        lanes.work()
        assert owed()[0].outcome == "trying again"
        clock.move_to(NOW + timedelta(days=3, hours=2))
        lanes.work()
    assert owed()[0].outcome == "failed"
    assert Notification.objects.filter(topic="channel.failed", person=jo).count() == 1


@pytest.mark.parametrize(("status", "word"), [(400, "400"), (403, "403"), (302, "redirect")])
def test_what_is_refused_is_not_tried_again(
    status: int, word: str, receiver: Desk, connect: Connect, owed: Callable[[], list[Transmission]]
) -> None:
    connect(url=f"{receiver.url}/x")
    receiver.status, receiver.body, receiver.headers = status, b"", {"Location": f"{receiver.url}/elsewhere"}
    owed()
    lanes.work()
    lanes.work()
    (row,) = owed()
    assert row.outcome == "failed"
    assert word in row.error
    assert len(receiver.got) == 1


def test_a_channel_that_is_gone_is_paused_and_the_leads_hear_of_it_once(
    receiver: Desk, connect: Connect, owed: Callable[[], list[Transmission]], jo: User, mara: User, incident: Incident
) -> None:
    row = connect(url=f"{receiver.url}/x")
    receiver.status = 410
    owed()
    incident.set_severity("sev1", by=mara)
    owed()
    lanes.work()
    row.refresh_from_db()
    assert row.paused_at
    assert "410" in row.pause_reason
    assert [one.outcome for one in owed()] == ["failed", "failed"]
    assert len(receiver.got) == 1
    assert [one.person for one in Notification.objects.filter(topic="channel.failed")] == [jo]
    incident.resolve(by=mara)
    assert len(owed()) == 2  # a paused channel is owed nothing


def test_messages_to_one_channel_keep_their_order(
    receiver: Desk, connect: Connect, owed: Callable[[], list[Transmission]], mara: User, incident: Incident
) -> None:
    """A pager that got the end before the beginning would ring for ever."""
    connect("pagerduty", routing_key="0" * 32, url=receiver.url)
    receiver.status = 500
    owed()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        lanes.work()
        incident.resolve(by=mara)
        owed()
        receiver.status = 202
        clock.shift(timedelta(hours=1))
        assert lanes.work() == 2
    acts = [json.loads(got.body)["event_action"] for got in receiver.got]
    assert acts == ["trigger", "trigger", "resolve"]


def test_what_became_private_meanwhile_is_not_sent(
    receiver: Desk, connect: Connect, owed: Callable[[], list[Transmission]], incident: Incident
) -> None:
    connect(url=f"{receiver.url}/x")
    owed()
    Incident.objects.filter(pk=incident.pk).update(private=True)
    lanes.work()
    (row,) = owed()
    assert (row.outcome, row.error, receiver.got) == ("failed", lanes.PRIVATE, [])


def test_an_address_inside_the_network_is_not_asked(
    connect: Connect, owed: Callable[[], list[Transmission]], settings: object
) -> None:
    connect(url="https://127.0.0.1/services/x")
    owed()
    lanes.work()
    (row,) = owed()
    assert row.outcome == "failed"
    assert "OUTGOING_ALLOW" in row.error


def test_secrets_that_cannot_be_read_any_more_say_so(
    connect: Connect, owed: Callable[[], list[Transmission]], settings: object
) -> None:
    connect(url="https://hooks.slack.com/services/T/B/x")
    owed()
    settings.SECRET_KEY = "another"  # type: ignore[attr-defined]
    lanes.work()
    assert owed()[0].error == lanes.UNREADABLE


def test_a_webhook_is_signed_when_it_leaves(
    receiver: Desk, connect: Connect, owed: Callable[[], list[Transmission]]
) -> None:
    row = connect("webhook", url=f"{receiver.url}/in")
    owed()
    lanes.work()
    event = Webhook((row.config() or {})["secret"]).verify(receiver.got[0].body, receiver.got[0].headers)
    assert event["type"] == "faultline.incident.opened"
    assert event["id"] == receiver.got[0].headers["webhook-id"] == owed()[0].key


class TestReplay:
    def test_what_failed_is_sent_again_as_it_was_under_the_same_id(
        self, receiver: Desk, connect: Connect, owed: Callable[[], list[Transmission]]
    ) -> None:
        connect("webhook", url=f"{receiver.url}/in")
        receiver.status = 422
        owed()
        lanes.work()
        receiver.status = 200
        assert Transmission.objects.failed().replay() == 1
        assert lanes.work() == 1
        first, second = receiver.got
        assert first.body == second.body
        assert first.headers["webhook-id"] == second.headers["webhook-id"]
        assert owed()[0].replays == 1

    def test_what_waits_is_left_alone(self, connect: Connect, owed: Callable[[], list[Transmission]]) -> None:
        connect(url="https://hooks.slack.com/services/T/B/x")
        owed()
        assert Transmission.objects.replay() == 0


class TestTests:
    def test_a_test_of_a_pager_closes_what_it_opened(self, receiver: Desk, connect: Connect) -> None:
        row = connect("pagerduty", routing_key="0" * 32, url=receiver.url)
        receiver.status = 202
        for message in owe_test(row):
            lanes.attempt(message, row)
        events = [json.loads(got.body) for got in receiver.got]
        assert [event["event_action"] for event in events] == ["trigger", "resolve"]
        assert events[0]["dedup_key"] == events[1]["dedup_key"]

    def test_a_test_that_fails_tells_nobody_else_and_is_not_tried_again(
        self, receiver: Desk, connect: Connect, jo: User
    ) -> None:
        row = connect(url=f"{receiver.url}/x")
        receiver.status = 500
        for message in owe_test(row):
            lanes.attempt(message, row)
        assert Transmission.objects.get().outcome == "failed"
        assert not Notification.objects.exists()


def test_old_messages_are_forgotten_and_waiting_ones_are_not(
    connect: Connect, owed: Callable[[], list[Transmission]], receiver: Desk
) -> None:
    connect(url=f"{receiver.url}/x")
    owed()
    Transmission.objects.update(made_at=timezone.now() - timedelta(days=91))
    assert Transmission.objects.prune() == 0
    lanes.work()
    assert Transmission.objects.prune() == 1


@pytest.mark.django_db(transaction=True)
def test_a_receiver_that_hangs_delays_no_other(
    allowed: None, connect: Connect, mara: User, support_assistant: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one that hangs is let go only once the other has its message: in one lane that would never be."""
    with desk(hangs=True) as slow, desk() as quick:
        monkeypatch.setattr(lanes, "SECONDS", 60.0)
        connect(url=f"{slow.url}/x", name="slow")
        connect(url=f"{quick.url}/x", name="quick")
        Incident.objects.declare(title="Answers cite old prices", by=mara, system=support_assistant, severity="sev2")  # type: ignore[arg-type]  # a system
        announce()

        def release() -> None:
            while not quick.got:
                threading.Event().wait(0.01)
            slow.let_go.set()

        watcher = threading.Thread(target=release, daemon=True)
        watcher.start()
        assert lanes.deliver() == 1
        watcher.join(60)
        assert len(slow.got) == len(quick.got) == 1
