"""Leads connect channels, see what was sent there, and send again; a secret is shown once at most."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from incidents.notifications import lanes
from incidents.notifications.announcing import announce
from incidents.notifications.channels.catalogue import RECEIVERS
from incidents.notifications.destinations import Destination
from incidents.notifications.rules import every_topic
from incidents.notifications.transmissions import Transmission
from incidents.people.models import Team, User
from incidents.response.incident import Incident
from tests.notifications.announcements import CONFIGS
from tests.notifications.receivers import Desk

Connect = Callable[..., Destination]
SignIn = Callable[[User], Client]
RULES = {"name": "#ai-incidents", "time_zone": "UTC", "topics": every_topic()}


def add(client: Client, kind: str, team: Team | None, **more: object) -> object:
    fields = {name: text for name, text in CONFIGS[kind].items() if name not in {"secret", "previous_secret"}}
    return client.post(f"/channels/new/{kind}/", RULES | fields | {"team": team.pk if team else ""} | more)


class TestConnecting:
    @pytest.mark.parametrize("kind", RECEIVERS)
    def test_a_lead_connects_each_kind_and_no_page_shows_its_secrets(
        self, kind: str, as_person: SignIn, jo: User, assistants: Team
    ) -> None:
        client = as_person(jo)
        assert client.get(f"/channels/new/{kind}/").status_code == 200
        answer = add(client, kind, assistants)
        row = Destination.objects.get()
        config = row.config() or {}
        secrets = [config[field.name] for field in row.receiver.fields if field.secret and config.get(field.name)]
        signing = [config["secret"]] if row.receiver.signs else []
        assert answer.status_code == (200 if signing else 302)  # type: ignore[attr-defined]
        assert all(secret in answer.content.decode() for secret in signing)  # type: ignore[attr-defined]
        for path in ("/channels/", f"/channels/{row.pk}/", f"/channels/{row.pk}/edit/", f"/channels/{row.pk}/week/"):
            page = client.get(path)
            assert page.status_code == 200
            assert not [secret for secret in (*secrets, *signing) if secret in page.content.decode()]

    def test_every_kind_is_offered(self, as_person: SignIn, jo: User) -> None:
        page = as_person(jo).get("/channels/new/").content.decode()
        assert all(receiver.name in page for receiver in RECEIVERS.values())

    def test_what_is_no_address_of_it_is_said_at_the_field_and_kept(
        self, as_person: SignIn, jo: User, assistants: Team
    ) -> None:
        answer = as_person(jo).post(
            "/channels/new/slack/", RULES | {"team": assistants.pk, "url": "https://x.example/"}
        )
        assert answer.status_code == 422
        assert "not an address of a Slack webhook" in answer.content.decode()
        assert not Destination.objects.exists()

    def test_a_lead_connects_for_their_team_alone_and_an_administrator_for_all(
        self, as_person: SignIn, jo: User, ada: User, risk: Team
    ) -> None:
        assert add(as_person(jo), "slack", risk).status_code == 422  # type: ignore[attr-defined]
        assert add(as_person(jo), "slack", None).status_code == 422  # type: ignore[attr-defined]
        assert add(as_person(ada), "slack", None).status_code == 302  # type: ignore[attr-defined]
        assert Destination.objects.get().team is None

    def test_who_leads_nothing_connects_nothing(self, as_person: SignIn, mara: User, assistants: Team) -> None:
        assert as_person(mara).get("/channels/new/").status_code == 403
        assert add(as_person(mara), "slack", assistants).status_code == 403  # type: ignore[attr-defined]

    def test_hours_have_two_ends(self, as_person: SignIn, jo: User, assistants: Team) -> None:
        answer = add(as_person(jo), "slack", assistants, from_time="09:00")
        assert "both ends" in answer.content.decode()  # type: ignore[attr-defined]


class TestOneChannel:
    def test_a_stranger_does_not_see_it_and_a_member_may_not_change_it(
        self, connect: Connect, as_person: SignIn, rui: User, mara: User
    ) -> None:
        row = connect(url=CONFIGS["slack"]["url"])
        assert as_person(rui).get(f"/channels/{row.pk}/").status_code == 404
        assert as_person(mara).get(f"/channels/{row.pk}/").status_code == 200
        assert as_person(mara).get(f"/channels/{row.pk}/edit/").status_code == 403
        for act in ("test", "pause", "remove", "rotate", "replay"):
            as_person(mara).post(f"/channels/{row.pk}/{act}/")
        row.refresh_from_db()
        assert row.paused_at is None

    def test_settings_keep_a_secret_that_is_left_empty(self, connect: Connect, as_person: SignIn, jo: User) -> None:
        row = connect(url=CONFIGS["slack"]["url"])
        answer = as_person(jo).post(f"/channels/{row.pk}/edit/", RULES | {"name": "#other", "url": ""})
        assert answer.status_code == 302
        row.refresh_from_db()
        assert (row.name, row.config()) == ("#other", {"url": CONFIGS["slack"]["url"]})

    def test_a_test_says_at_once_what_came_of_it(
        self, receiver: Desk, connect: Connect, as_person: SignIn, jo: User
    ) -> None:
        row = connect(url=f"{receiver.url}/x")
        assert "Delivered." in as_person(jo).post(f"/channels/{row.pk}/test/", follow=True).content.decode()
        receiver.status, receiver.body = 404, b"no_service"
        page = as_person(jo).post(f"/channels/{row.pk}/test/", follow=True).content.decode()
        assert "this webhook was removed" in page
        row.refresh_from_db()
        assert row.paused_at

    def test_a_paused_channel_gets_nothing_until_it_is_resumed(
        self, connect: Connect, as_person: SignIn, jo: User, incident: Incident, mara: User
    ) -> None:
        row, client = connect(url=CONFIGS["slack"]["url"]), as_person(jo)
        client.post(f"/channels/{row.pk}/pause/")
        announce()
        assert not Transmission.objects.exists()
        client.post(f"/channels/{row.pk}/resume/")
        incident.resolve(by=mara)
        announce()
        assert Transmission.objects.get().topic == "incident.status"

    def test_the_log_shows_what_was_sent_and_sends_it_again(
        self, receiver: Desk, connect: Connect, as_person: SignIn, jo: User, incident: Incident
    ) -> None:
        row, client = connect(url=f"{receiver.url}/secret-path"), as_person(jo)
        receiver.status, receiver.body = 400, b"invalid_payload"
        announce()
        lanes.work()
        sent = Transmission.objects.get()
        page = client.get(f"/channels/{row.pk}/log/{sent.pk}/").content.decode()
        assert "Slack did not understand the message." in page
        assert "retired pricing policy" in page
        assert "secret-path" not in page
        receiver.status, receiver.body = 200, b"ok"
        client.post(f"/channels/{row.pk}/replay/", {"one": sent.pk})
        assert lanes.work() == 1
        client.post(f"/channels/{row.pk}/replay/", {"which": "failed"})
        assert lanes.work() == 0
        today = f"{timezone.now():%Y-%m-%d}"
        client.post(f"/channels/{row.pk}/replay/", {"since": today, "until": today})
        assert lanes.work() == 1
        assert len(receiver.got) == 3

    @pytest.mark.parametrize("asked", [{"one": "x"}, {"one": "9" * 30}, {"since": "no day"}, {}])
    def test_nonsense_sends_nothing_again(
        self, asked: dict[str, str], connect: Connect, as_person: SignIn, jo: User, incident: Incident
    ) -> None:
        row = connect(url=CONFIGS["slack"]["url"])
        announce()
        Transmission.objects.update(failed_at=timezone.now())
        assert as_person(jo).post(f"/channels/{row.pk}/replay/", asked).status_code == 302
        assert Transmission.objects.failed().count() == 1

    def test_what_became_private_is_in_nobodys_log_but_theirs(
        self, connect: Connect, as_person: SignIn, jo: User, mara: User, incident: Incident
    ) -> None:
        row = connect(url=CONFIGS["slack"]["url"])
        announce()
        sent = Transmission.objects.get()
        incident.restrict([mara], by=mara)
        assert as_person(jo).get(f"/channels/{row.pk}/log/{sent.pk}/").status_code == 404
        assert "retired pricing policy" not in as_person(jo).get(f"/channels/{row.pk}/").content.decode()
        assert as_person(mara).get(f"/channels/{row.pk}/log/{sent.pk}/").status_code == 200

    def test_the_preview_shows_what_its_rules_would_have_sent(
        self, connect: Connect, as_person: SignIn, jo: User, mara: User, incident: Incident
    ) -> None:
        all_of_it = connect(url=CONFIGS["slack"]["url"])
        severe = connect(url=CONFIGS["slack"]["url"], least_severity="sev1")
        hidden = Incident.objects.declare(
            title="A hidden one", by=mara, team=incident.team, severity="sev1", private=True
        )
        page = as_person(jo).get(f"/channels/{all_of_it.pk}/week/").content.decode()
        assert incident.title in page
        assert hidden.title not in page
        assert incident.title not in as_person(jo).get(f"/channels/{severe.pk}/week/").content.decode()

    def test_a_new_secret_is_shown_once(self, connect: Connect, as_person: SignIn, jo: User) -> None:
        row = connect("webhook", url="https://hooks.example.com/in")
        page = as_person(jo).post(f"/channels/{row.pk}/rotate/")
        assert re.search(r"whsec_[A-Za-z0-9+/=]{40,}", page.content.decode())
        assert page["Cache-Control"] == "no-store"

    def test_it_says_that_nothing_private_is_sent(self, connect: Connect, as_person: SignIn, jo: User) -> None:
        row, client = connect(url=CONFIGS["slack"]["url"]), as_person(jo)
        for path in ("/channels/", f"/channels/{row.pk}/", f"/channels/{row.pk}/edit/", "/channels/new/slack/"):
            assert "private incidents" in client.get(path).content.decode()

    def test_removing_it_removes_its_log(
        self, connect: Connect, as_person: SignIn, jo: User, incident: Incident
    ) -> None:
        row = connect(url=CONFIGS["slack"]["url"])
        announce()
        as_person(jo).post(f"/channels/{row.pk}/remove/")
        assert not Destination.objects.exists()
        assert not Transmission.objects.exists()


def test_a_failing_channel_says_when_it_is_tried_again(
    receiver: Desk, connect: Connect, as_person: SignIn, jo: User, incident: Incident
) -> None:
    row = connect(url=f"{receiver.url}/x")
    receiver.status, receiver.headers = 503, {"Retry-After": "600"}
    announce()
    lanes.work()
    row.refresh_from_db()
    assert row.rests_until
    assert row.rests_until > timezone.now() + timedelta(minutes=9)
    assert "tries again" in as_person(jo).get(f"/channels/{row.pk}/").content.decode()
