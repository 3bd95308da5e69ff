"""Somebody is told in their browsers: turned on by a button, shown what only that browser can read, forgotten when it is gone."""

import json
from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone
from py_vapid import Vapid02

from incidents.notifications.announcing import announce
from incidents.notifications.browsers import MOST, Browser, PushKey
from incidents.notifications.messages import Channel, Dispatch, Notification
from incidents.notifications.sending import send
from incidents.people.models import User
from incidents.response.incident import Incident
from incidents.systems.models import System
from tests.notifications.receivers import Desk
from tests.notifications.test_web_push import Example, decrypted

SignIn = Callable[[User], Client]
MOZILLA = "https://updates.push.services.mozilla.com/wpush/v2/secret-of-the-browser"
FIREFOX = {"HTTP_USER_AGENT": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}


def hand_over(client: Client, endpoint: str = MOZILLA, **more: str) -> str:
    form = {"endpoint": endpoint, "p256dh": Example.RECEIVER, "auth": Example.SECRET} | more
    return client.post("/account/browsers/add/", form, follow=True, **FIREFOX).content.decode()  # type: ignore[arg-type]  # a header


@pytest.fixture
def page_on_call(jo: User, mara: User, support_assistant: System) -> Callable[[], Incident]:
    """Let a monitor open something severe, which wakes whoever responds for the assistants."""

    def wake() -> Incident:
        incident = Incident.objects.declare(
            title="Answers cite old prices", by=None, system=support_assistant, severity="sev1"
        )
        announce()
        return incident

    return wake


def test_a_browser_is_turned_on_listed_and_removed(as_person: SignIn, mara: User) -> None:
    client = as_person(mara)
    assert "Firefox on Linux" in hand_over(client)
    page = client.get("/account/browsers/").content.decode()
    assert PushKey.public() in page
    assert "secret-of-the-browser" not in page
    client.post(f"/account/browsers/{Browser.objects.get().pk}/remove/")
    assert not Browser.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [{"endpoint": "https://push.example/x"}, {"endpoint": "http://127.0.0.1/"}, {"p256dh": "AAAA"}, {"auth": "?"}, {"auth": ""}],
)  # fmt: skip
def test_what_is_no_subscription_is_refused(wrong: dict[str, str], as_person: SignIn, mara: User) -> None:
    hand_over(as_person(mara), **wrong)
    assert not Browser.objects.exists()


def test_a_browser_belongs_to_whoever_turned_it_on_last(as_person: SignIn, mara: User, jo: User) -> None:
    hand_over(as_person(mara))
    hand_over(as_person(jo))
    assert Browser.objects.get().person == jo
    assert as_person(mara).post(f"/account/browsers/{Browser.objects.get().pk}/remove/").status_code == 404


def test_nobody_has_browsers_without_end(as_person: SignIn, mara: User) -> None:
    client = as_person(mara)
    for number in range(MOST + 1):
        hand_over(client, f"{MOZILLA}/{number}")
    assert Browser.objects.count() == MOST


def test_the_key_is_made_once_and_sealed(db: None) -> None:
    assert PushKey.public() == PushKey.public()
    assert PushKey.private().encode() not in bytes(PushKey.objects.get().sealed)


class TestTelling:
    def test_who_is_on_call_sees_it_in_the_browser_with_a_way_to_acknowledge(
        self, receiver: Desk, as_person: SignIn, mara: User, page_on_call: Callable[[], Incident]
    ) -> None:
        receiver.status = 201
        hand_over(as_person(mara), f"{receiver.url}/secret")
        incident = page_on_call()
        send()
        (got,) = receiver.got
        shown = json.loads(decrypted(got.body))
        assert incident.title in shown["title"]
        assert shown["urgent"] is True
        assert f"/incidents/{incident.number}/" in shown["url"]
        assert [act["title"] for act in shown["acts"]] == ["Acknowledge", "Snooze for 30 minutes"]
        page, _, act = shown["acts"][0]["url"].partition("#")
        path = "/" + page.split("/", 3)[3]
        worker = Client(enforce_csrf_checks=True)  # it has no session and no cookie; the secret is what allows it
        assert worker.get(path).status_code == 200
        incident.refresh_from_db()
        assert incident.lead is None
        assert worker.post(path, {"act": act}).status_code == 200
        assert worker.post(path, {"act": act}).status_code == 422
        incident.refresh_from_db()
        assert incident.lead == mara
        assert got.headers["topic"] == str(incident)
        assert Vapid02.verify(got.headers["authorization"])
        assert Browser.objects.get().sent_at

    def test_who_has_no_browser_is_owed_nothing_there(self, mara: User, page_on_call: Callable[[], Incident]) -> None:
        page_on_call()
        assert Notification.objects.filter(person=mara).exists()
        assert not Dispatch.objects.filter(channel=Channel.BROWSER).exists()

    @pytest.mark.parametrize("status", [404, 410])
    def test_a_browser_that_is_gone_is_forgotten(
        self, status: int, receiver: Desk, as_person: SignIn, mara: User, page_on_call: Callable[[], Incident]
    ) -> None:
        hand_over(as_person(mara), f"{receiver.url}/gone")
        receiver.status = status
        page_on_call()
        send()
        assert not Browser.objects.exists()
        assert Dispatch.objects.get(channel=Channel.BROWSER).outcome == "failed"

    def test_what_fails_is_tried_again_and_said(
        self, receiver: Desk, as_person: SignIn, mara: User, page_on_call: Callable[[], Incident]
    ) -> None:
        client = as_person(mara)
        hand_over(client, f"{receiver.url}/x")
        receiver.status, receiver.body = 503, b"later"
        page_on_call()
        send()
        dispatch = Dispatch.objects.get(channel=Channel.BROWSER, notification__person=mara)
        assert dispatch.outcome == "trying again"
        assert dispatch.due_at > timezone.now()
        assert "503" in dispatch.error

    def test_a_test_says_whether_it_went_out(self, receiver: Desk, as_person: SignIn, mara: User) -> None:
        client = as_person(mara)
        hand_over(client, f"{receiver.url}/x")
        receiver.status = 201
        assert "It shows in a few seconds" in client.post("/account/browsers/test/", follow=True).content.decode()
        assert json.loads(decrypted(receiver.got[0].body))["title"] == "Test from Faultline"
        receiver.status = 500
        assert "500" in client.post("/account/browsers/test/", follow=True).content.decode()
