"""Acting from Slack: buttons and /faultline, signed by Slack, as the person whom the sender is, and nothing else."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from incidents.notifications.announcing import announce
from incidents.notifications.channels.catalogue import RECEIVERS
from incidents.notifications.destinations import Destination
from incidents.notifications.slack.app import SlackApp, manifest
from incidents.notifications.slack.commands import Command, read
from incidents.notifications.slack.members import SlackMember
from incidents.notifications.slack.replies import SlackReply
from incidents.notifications.slack.signature import is_signed, sign
from incidents.notifications.transmissions import Transmission
from incidents.people.models import User
from incidents.response.events import Event
from incidents.response.incident import Incident
from incidents.response.updates import Update
from incidents.response.vocabulary import Status
from incidents.systems.models import System
from tests.notifications.announcements import CALLS, CONFIGS, FACTS, HOSTILE, NOW, OPENED, everywhere
from tests.notifications.receivers import Desk
from tests.notifications.test_channels import CONTRACTS

SignIn = Callable[[User], Client]
SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
WORKSPACE, MEMBER = "T012AB3C4", "U012AB3CD"
FORM = "application/x-www-form-urlencoded"
# What Slack publishes as an example of a signed request.
EXAMPLE = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar"
    b"&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com"
    b"%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
    b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)
EXAMPLE_AT = "1531420618"
EXAMPLE_SIGNATURE = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"


@pytest.fixture
def app(ada: User) -> SlackApp:
    return SlackApp.connect(signing_secret=SECRET, bot_token="", by=ada)


@pytest.fixture
def known(app: SlackApp, mara: User) -> User:
    SlackMember.objects.create(workspace=WORKSPACE, member=MEMBER, name="mara", person=mara)
    return mara


@pytest.fixture
def waiting(support_assistant: System) -> Incident:
    return Incident.objects.declare(title="Answers cite old prices", by=None, system=support_assistant, severity="sev2")


def post_signed(
    client: Client, path: str, fields: dict[str, str], *, secret: str = SECRET, age: int = 0
) -> HttpResponse:
    body, at = urlencode(fields).encode(), str(int(timezone.now().timestamp()) - age)
    headers = {"X-Slack-Signature": sign(secret, body, at), "X-Slack-Request-Timestamp": at}
    return client.post(path, body, content_type=FORM, headers=headers)  # type: ignore[return-value]  # a test's answer


def type_in(client: Client, text: str, *, trigger: str = "") -> dict[str, Any]:
    """Type something behind /faultline. Slack gives each time another `trigger`; a replay has the same."""
    fields = {"team_id": WORKSPACE, "user_id": MEMBER, "user_name": "mara", "command": "/faultline", "text": text}
    answer = post_signed(client, "/slack/commands/", fields | {"trigger_id": trigger or uuid4().hex})
    assert answer.status_code == 200, answer.content
    message: dict[str, Any] = json.loads(answer.content)
    assert message["response_type"] == "ephemeral"
    return message


def press(
    client: Client, action: str, value: str, url: str = "https://hooks.slack.com/actions/T/1/x", **more: Any
) -> None:
    payload = {
        "type": "block_actions",
        "user": {"id": MEMBER, "username": "mara", "team_id": WORKSPACE},
        "team": {"id": WORKSPACE, "domain": "example"},
        "container": {"type": "message", "is_ephemeral": False},
        "actions": [{"type": "button", "block_id": "x", "action_id": action, "value": value, "action_ts": "1.2"}],
        "response_url": url,
    }
    answer = post_signed(client, "/slack/interactions/", {"payload": json.dumps(payload | more)})
    assert (answer.status_code, answer.content) == (200, b"")


def words(message: dict[str, Any]) -> str:
    return json.dumps(message, ensure_ascii=False)


class TestSignature:
    def test_slacks_published_example_is_signed(self) -> None:
        at = datetime.fromtimestamp(int(EXAMPLE_AT) + 299, tz=UTC)
        assert is_signed(SECRET, EXAMPLE, timestamp=EXAMPLE_AT, signature=EXAMPLE_SIGNATURE, now=at)

    @pytest.mark.parametrize(
        ("body", "timestamp", "signature", "later"),
        [
            (EXAMPLE + b"x", EXAMPLE_AT, EXAMPLE_SIGNATURE, 0),
            (EXAMPLE, EXAMPLE_AT, EXAMPLE_SIGNATURE, 301),
            (EXAMPLE, EXAMPLE_AT, EXAMPLE_SIGNATURE, -301),
            (EXAMPLE, EXAMPLE_AT, EXAMPLE_SIGNATURE.removeprefix("v0="), 0),
            (EXAMPLE, EXAMPLE_AT, "", 0),
            (EXAMPLE, EXAMPLE_AT, "v0=ü", 0),
            (EXAMPLE, "", EXAMPLE_SIGNATURE, 0),
            (EXAMPLE, "nan", EXAMPLE_SIGNATURE, 0),
        ],
    )
    def test_anything_else_is_not(self, body: bytes, timestamp: str, signature: str, later: int) -> None:
        at = datetime.fromtimestamp(int(EXAMPLE_AT) + later, tz=UTC)
        assert not is_signed(SECRET, body, timestamp=timestamp, signature=signature, now=at)

    @pytest.mark.parametrize("path", ["/slack/commands/", "/slack/interactions/"])
    def test_what_nobody_signed_is_refused_and_does_nothing(
        self, path: str, client: Client, known: User, waiting: Incident
    ) -> None:
        fields = {"team_id": WORKSPACE, "user_id": MEMBER, "text": f"ack {waiting.number}", "payload": "{}"}
        assert post_signed(client, path, fields, secret="another-secret").status_code == 401
        assert post_signed(client, path, fields, age=301).status_code == 401
        assert client.post(path, fields).status_code == 401
        assert client.get(path).status_code == 405
        waiting.refresh_from_db()
        assert waiting.status == Status.TRIAGE

    def test_without_an_app_nothing_is_signed(self, client: Client, db: None) -> None:
        assert post_signed(client, "/slack/commands/", {"text": "help"}, secret="").status_code == 401

    @pytest.mark.parametrize(
        "payload", ["", "[]", "null", "{", '{"actions": [1]}', '{"type": "block_actions", "actions": {}}']
    )
    def test_no_payload_breaks_it(self, payload: str, client: Client, app: SlackApp) -> None:
        assert post_signed(client, "/slack/interactions/", {"payload": payload}).status_code in (200, 400)


class TestCommands:
    @pytest.mark.parametrize(
        ("typed", "meant"),
        [
            ("", Command("")),
            (" 57 ", Command("show", 57)),
            ("INC-57", Command("show", 57)),
            ("ack #57", Command("ack", 57)),
            ("LEAD inc57", Command("lead", 57)),
            ("update 57 Rolled back,\n watching.", Command("update", 57, "Rolled back,\n watching.")),
            ("open Answers cite  old prices", Command("open", text="Answers cite old prices")),
            ("connect", Command("connect")),
            ("ack", Command("help")),
            ("ack ٥٧", Command("help")),
            ("ack 99999999999999999999", Command("help")),
            ("whatever else", Command("help")),
        ],
    )
    def test_what_is_typed_is_understood(self, typed: str, meant: Command) -> None:
        assert read(typed) == meant

    def test_acknowledged_there_is_acknowledged_here(self, client: Client, known: User, waiting: Incident) -> None:
        assert "You acknowledged" in words(type_in(client, f"ack {waiting.number}"))
        waiting.refresh_from_db()
        assert (waiting.status, waiting.lead) == (Status.INVESTIGATING, known)
        event = waiting.events.get(kind=Event.Kind.ACKNOWLEDGED)
        assert (event.by, event.detail["via"]) == (known, "a command or button in Slack")

    def test_the_lead_and_an_update_go_by_the_same_verbs(
        self, client: Client, known: User, incident: Incident, jo: User
    ) -> None:
        incident.assign_lead(jo, by=jo)
        type_in(client, f"lead {incident.number}")
        type_in(client, f"update {incident.number} Rolled back, <!channel> watching.")
        incident.refresh_from_db()
        assert incident.lead == known
        assert Update.objects.get(incident=incident).text == "Rolled back, <!channel> watching."

    def test_the_same_request_again_changes_nothing(self, client: Client, known: User, incident: Incident) -> None:
        with time_machine.travel(NOW, tick=False):
            first = type_in(client, f"update {incident.number} Rolled back.", trigger="1.2.3")
            again = type_in(client, f"update {incident.number} Rolled back.", trigger="1.2.3")
        assert "Your update is posted" in words(first)
        assert "already" in words(again)
        assert Update.objects.filter(incident=incident).count() == 1

    def test_open_incidents_are_listed_and_one_is_shown(self, client: Client, known: User, waiting: Incident) -> None:
        assert "Answers cite old prices" in words(type_in(client, ""))
        shown = type_in(client, str(waiting.number))
        pressed = [part["action_id"] for block in shown["blocks"] for part in block.get("elements", [])]
        assert pressed == ["acknowledge", "open"]

    def test_nothing_private_is_shown_or_done_even_for_whom_it_names(
        self, client: Client, known: User, waiting: Incident
    ) -> None:
        waiting.restrict([known], by=known)
        answers = [type_in(client, text) for text in ("", str(waiting.number), f"ack {waiting.number}")]
        assert "old prices" not in "".join(map(words, answers))
        assert words(answers[1]).replace(str(waiting.number), "9999") == words(type_in(client, "9999"))
        waiting.refresh_from_db()
        assert waiting.status == Status.TRIAGE

    def test_who_may_not_is_told_who_may(self, client: Client, app: SlackApp, sam: User, waiting: Incident) -> None:
        SlackMember.objects.create(workspace=WORKSPACE, member=MEMBER, person=sam)
        answer = words(type_in(client, f"ack {waiting.number}"))
        assert f"Only a responder of {waiting.team} may acknowledge it. Ask one of them" in answer
        waiting.refresh_from_db()
        assert waiting.status == Status.TRIAGE

    def test_who_was_faster_is_named(self, client: Client, known: User, waiting: Incident, jo: User) -> None:
        waiting.acknowledge(by=jo)
        assert f"was taken already. {jo} leads it." in words(type_in(client, f"ack {waiting.number}"))

    def test_what_people_wrote_stays_text(self, client: Client, known: User, support_assistant: System) -> None:
        Incident.objects.declare(
            title=f"*bold* <https://evil.example|Open> {CALLS}"[:200], by=known, system=support_assistant
        )
        for block in type_in(client, "")["blocks"]:
            assert block["text"]["type"] == "plain_text"
            assert "<" not in block["text"]["text"]

    def test_opening_leads_to_the_form_with_its_title(self, client: Client, known: User, as_person: SignIn) -> None:
        answer = type_in(client, "open Answers cite “old” prices & more")
        url = answer["blocks"][-1]["elements"][0]["url"]
        page = as_person(known).get("/" + url.split("/", 3)[3]).content.decode()
        assert "Answers cite “old” prices &amp; more" in page
        assert not Incident.objects.exists()


class TestWhoItIs:
    def test_an_unknown_member_confirms_once_who_they_are(
        self, client: Client, app: SlackApp, mara: User, jo: User, waiting: Incident, as_person: SignIn
    ) -> None:
        answer = type_in(client, f"ack {waiting.number}")
        waiting.refresh_from_db()
        assert waiting.status == Status.TRIAGE
        path = "/" + answer["blocks"][-1]["elements"][0]["url"].split("/", 3)[3]
        assert client.get(path).status_code == 302  # sign in first
        mine = as_person(mara)
        assert "Go on only if you asked for this link" in mine.get(path).content.decode()
        assert not SlackMember.objects.filter(person=mara).exists()
        mine.post(path)
        assert as_person(jo).post(path).status_code == 404  # used
        assert SlackMember.objects.get().person == mara
        type_in(client, f"ack {waiting.number}")
        waiting.refresh_from_db()
        assert waiting.lead == mara

    def test_a_link_is_good_for_a_quarter_of_an_hour(
        self, client: Client, app: SlackApp, mara: User, as_person: SignIn
    ) -> None:
        path = "/" + type_in(client, "connect")["blocks"][-1]["elements"][0]["url"].split("/", 3)[3]
        with time_machine.travel(timezone.now() + timedelta(minutes=16)):
            assert as_person(mara).post(path).status_code == 404
        assert SlackMember.objects.get().person is None

    def test_who_left_acts_no_more(self, client: Client, known: User, waiting: Incident) -> None:
        known.is_active = False
        known.save()
        assert "Connect your account" in words(type_in(client, f"ack {waiting.number}"))

    def test_one_disconnects_ones_own_account_alone(self, known: User, jo: User, as_person: SignIn) -> None:
        row = SlackMember.objects.get()
        assert "mara" in as_person(known).get("/account/slack/").content.decode()
        assert as_person(jo).post(f"/account/slack/{row.pk}/remove/").status_code == 404
        as_person(known).post(f"/account/slack/{row.pk}/remove/")
        assert not SlackMember.objects.exists()

    @pytest.mark.parametrize(
        ("changed", "knows"),
        [
            ({}, True),
            ({"team_id": "T0OTHER"}, False),  # of another company, in a shared channel
            ({"deleted": True}, False),
            ({"is_bot": True}, False),
            ({"is_email_confirmed": False}, False),
            ({"profile": {}}, False),
            ({"profile": {"email": "nobody@example.com"}}, False),
        ],
    )
    def test_with_a_token_people_are_known_by_their_confirmed_address(
        self, changed: dict[str, Any], knows: bool, client: Client, receiver: Desk, settings: Any, ada: User, mara: User
    ) -> None:
        settings.SLACK_API = f"{receiver.url}/api"
        receiver.body = json.dumps({"ok": True, "team": "Example", "team_id": WORKSPACE, "user_id": "U0BOT"}).encode()
        SlackApp.connect(signing_secret=SECRET, bot_token="xoxb-1", by=ada)
        user = {
            "id": MEMBER,
            "team_id": WORKSPACE,
            "is_email_confirmed": True,
            "profile": {"email": mara.email.upper()},
        }
        receiver.body = json.dumps({"ok": True, "user": user | changed}).encode()
        answer = words(type_in(client, ""))
        assert ("No incident is open" in answer) is knows
        assert ("Connect your account" in answer) is not knows
        assert [got.path for got in receiver.got] == ["/api/auth.test", "/api/users.info"]
        assert receiver.got[-1].headers["authorization"] == "Bearer xoxb-1"
        type_in(client, "help me")
        type_in(client, " ")
        assert len(receiver.got) == (2 if knows else 3)  # who is known is not asked for again


class TestButtons:
    def test_a_channel_of_the_app_gets_buttons_and_another_links(self) -> None:
        with_buttons = CONFIGS["slack"] | {"buttons": "yes"}
        sent = json.loads(RECEIVERS["slack"].request(with_buttons, OPENED, now=NOW).body)
        assert [part["action_id"] for part in sent["blocks"][-1]["elements"]] == ["lead", "open"]
        assert sent["blocks"][-1]["elements"][0]["value"] == str(FACTS.number)
        plain = json.loads(RECEIVERS["slack"].request(CONFIGS["slack"], OPENED, now=NOW).body)
        assert plain["blocks"][-1]["type"] == "context"

    @pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
    def test_whatever_people_wrote_the_message_obeys_slacks_rules(self, text: str) -> None:
        config = CONFIGS["slack"] | {"buttons": "yes"}
        sent = json.loads(RECEIVERS["slack"].request(config, everywhere(text), now=NOW).body)
        assert not [error.message for error in CONTRACTS["slack"].iter_errors(sent)]

    def test_a_press_acts_and_the_message_changes(
        self, client: Client, known: User, waiting: Incident, receiver: Desk
    ) -> None:
        press(client, "acknowledge", str(waiting.number), receiver.url)
        waiting.refresh_from_db()
        assert waiting.lead == known
        assert SlackReply.objects.send() == 1
        message = json.loads(receiver.got[0].body)
        assert message["replace_original"] is True
        assert f"Acknowledged by {known} in Slack." in words(message)
        assert "acknowledge" not in [
            part.get("action_id") for block in message["blocks"] for part in block.get("elements", [])
        ]
        assert not SlackReply.objects.exists()

    def test_pressed_twice_it_is_done_once(self, client: Client, known: User, waiting: Incident) -> None:
        press(client, "acknowledge", str(waiting.number))
        press(client, "acknowledge", str(waiting.number), container={"is_ephemeral": False, "n": 1})
        assert waiting.events.filter(kind=Event.Kind.ACKNOWLEDGED).count() == 1

    def test_a_button_that_only_leads_somewhere_is_taken_and_means_nothing(self, client: Client, known: User) -> None:
        press(client, "open", "")
        assert not SlackReply.objects.exists()

    def test_who_may_not_hears_it_alone(
        self, client: Client, app: SlackApp, sam: User, waiting: Incident, receiver: Desk
    ) -> None:
        SlackMember.objects.create(workspace=WORKSPACE, member=MEMBER, person=sam)
        press(client, "acknowledge", str(waiting.number), receiver.url, container={"is_ephemeral": True})
        SlackReply.objects.send()
        (got,) = receiver.got
        message = json.loads(got.body)
        assert (message["response_type"], message["replace_original"]) == ("ephemeral", False)
        assert "Only a responder" in words(message)

    def test_an_answer_that_cannot_be_sent_waits_and_ends_after_half_an_hour(
        self, client: Client, known: User, waiting: Incident, receiver: Desk
    ) -> None:
        receiver.status = 500
        with time_machine.travel(NOW, tick=False) as clock:
            press(client, "acknowledge", str(waiting.number), receiver.url)
            assert SlackReply.objects.send() == 0
            assert SlackReply.objects.count() == 1
            receiver.status = 200
            clock.shift(6)
            assert SlackReply.objects.send() == 1
            press(client, "lead", str(waiting.number), receiver.url)
            clock.shift(1801)
            SlackReply.objects.send()
        assert len(receiver.got) == 2

    def test_what_became_private_is_not_answered(
        self, client: Client, known: User, waiting: Incident, receiver: Desk
    ) -> None:
        press(client, "acknowledge", str(waiting.number), receiver.url)
        waiting.restrict([known], by=known)
        assert SlackReply.objects.send() == 0
        assert not receiver.got

    def test_an_address_that_is_not_slacks_is_never_asked(self, client: Client, known: User, waiting: Incident) -> None:
        press(client, "acknowledge", str(waiting.number), "https://evil.example/x")
        assert not SlackReply.objects.exists()


class TestPages:
    def test_an_administrator_connects_the_app_and_its_secrets_are_sealed(
        self, as_person: SignIn, ada: User, jo: User
    ) -> None:
        assert as_person(jo).get("/channels/slack/").status_code == 403
        client = as_person(ada)
        assert "/slack/interactions/" in client.get("/channels/slack/").content.decode()
        client.post("/channels/slack/", {"signing_secret": SECRET})
        row = SlackApp.objects.get()
        assert SECRET.encode() not in bytes(row.sealed)
        assert SECRET not in client.get("/channels/slack/").content.decode()
        client.post("/channels/slack/", {"signing_secret": ""})
        assert (SlackApp.objects.get().secrets() or {})["signing_secret"] == SECRET
        client.post("/channels/slack/remove/")
        assert not SlackApp.objects.exists()

    def test_a_token_that_slack_does_not_know_is_refused(
        self, as_person: SignIn, ada: User, receiver: Desk, settings: Any
    ) -> None:
        settings.SLACK_API = receiver.url
        receiver.body = b'{"ok": false, "error": "invalid_auth"}'
        form = {"signing_secret": SECRET, "bot_token": "xoxb-0123456789"}
        page = as_person(ada).post("/channels/slack/", form, follow=True).content.decode()
        assert "Slack does not know this bot token" in page
        assert not SlackApp.objects.exists()

    def test_buttons_need_the_app(self, as_person: SignIn, jo: User, ada: User) -> None:
        form = {
            "name": "#ai-incidents",
            "team": str(jo.memberships.get().team_id),
            "time_zone": "UTC",
            "topics": ["incident.opened"],
            "url": "https://hooks.slack.com/services/T/B/x",
            "buttons": "yes",
        }
        assert "Connect your Slack app first" in as_person(jo).post("/channels/new/slack/", form).content.decode()
        SlackApp.connect(signing_secret=SECRET, bot_token="", by=ada)
        as_person(jo).post("/channels/new/slack/", form)
        row = Destination.objects.get()
        assert (row.config() or {})["buttons"] == "yes"
        as_person(jo).post(f"/channels/{row.pk}/edit/", form | {"buttons": "no", "url": ""})
        assert (Destination.objects.get().config() or {})["buttons"] == "no"

    def test_the_manifest_names_our_addresses(self) -> None:
        made = json.loads(manifest())
        assert made["settings"]["interactivity"]["request_url"].endswith("/slack/interactions/")
        assert made["features"]["slash_commands"][0]["url"].endswith("/slack/commands/")


def test_a_press_ends_the_escalation_and_channels_hear_of_it(
    client: Client, known: User, waiting: Incident, connect: Callable[..., Destination]
) -> None:
    row = connect(url="https://hooks.slack.com/services/T/B/x", buttons="yes")
    announce()
    press(client, "acknowledge", str(waiting.number))
    announce()
    assert list(Transmission.objects.filter(destination=row).order_by("pk").values_list("topic", flat=True)) == [
        "incident.opened",
        "incident.acknowledged",
    ]
    waiting.refresh_from_db()
    assert waiting.escalation.ended_at
