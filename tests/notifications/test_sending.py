"""Mail: one message for what belongs together, at the right time, with a way to stop it, and acted on from where it is read."""

import re
from collections.abc import Callable, Iterator
from datetime import time, timedelta
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
import time_machine
from django.core import mail
from django.db import connection
from django.test import Client
from django.utils import timezone

from incidents.notifications import sending
from incidents.notifications.acting import ActLink
from incidents.notifications.announcing import announce
from incidents.notifications.messages import Dispatch, Notification
from incidents.notifications.preferences import Preference, after_quiet, next_working_moment
from incidents.notifications.upkeep import notify
from incidents.people.models import User
from incidents.response.followers import Follower
from incidents.response.incident import Incident
from incidents.response.updates import Update
from incidents.systems.models import System

Page = Callable[[User], Client]


@pytest.fixture
def clock() -> Iterator[Any]:
    with time_machine.travel(timezone.now(), tick=False) as traveller:
        yield traveller


def storm(system: System, number: int) -> None:
    before = Incident.objects.count()
    for each in range(before, before + number):
        Incident.objects.declare(title=f"Feed {each} narrows", by=None, system=system, severity="sev2")


class TestBundles:
    def test_a_storm_of_five_hundred_is_three_messages_to_each(
        self, support_assistant: System, mara: User, jo: User, clock: Any
    ) -> None:
        for _ in range(50):
            storm(support_assistant, 10)
            notify()
            clock.shift(timedelta(seconds=1))
        for _ in range(60):
            notify()
            clock.shift(timedelta(seconds=2))
        mine = [letter for letter in mail.outbox if letter.to == [mara.email]]
        assert len(mine) == 3
        assert not Dispatch.objects.due().exists()
        named = {title for letter in mine for title in re.findall(r"Feed \d+ narrows", str(letter.body))}
        assert len(named) == 500, "every one of them is named in one of the three"
        assert "incidents:" in mine[-1].subject

    def test_two_that_open_at_once_are_both_told_within_ten_seconds(
        self, support_assistant: System, mara: User, clock: Any
    ) -> None:
        storm(support_assistant, 1)
        notify()
        clock.shift(timedelta(seconds=1))
        storm(support_assistant, 1)
        notify()
        clock.shift(timedelta(seconds=9))
        notify()
        assert len(mail.outbox) == 2

    def test_what_somebody_is_asked_is_never_held_back_by_a_storm(
        self, support_assistant: System, mara: User, jo: User, clock: Any
    ) -> None:
        storm(support_assistant, 20)
        notify()
        incident = Incident.objects.order_by("pk")[0]
        incident.assign_lead(mara, by=jo)
        notify()
        assert "made you the lead" in mail.outbox[-1].subject


def test_while_one_process_sends_another_leaves_it_alone(known: Incident, mara: User, jo: User) -> None:
    known.assign_lead(jo, by=mara)
    announce()
    with psycopg.connect(**connection.get_connection_params() | {"cursor_factory": psycopg.Cursor}) as another:
        another.execute("SELECT pg_advisory_lock(%s)", [sending.LOCK])
        assert sending.send() == 0
        another.execute("SELECT pg_advisory_unlock(%s)", [sending.LOCK])
        assert sending.send() == 1


class TestMail:
    def test_mails_of_one_incident_form_a_thread_and_have_both_forms(
        self, known: Incident, mara: User, jo: User
    ) -> None:
        Follower.toggle(jo, incident=known)
        for text in ("We look into it.", "<b>Better</b> now."):
            Update.objects.post(known, text=text, by=mara)
        notify()
        first, second = (letter.message() for letter in mail.outbox)
        assert first["References"] == second["References"]
        assert first["Message-ID"] != second["Message-ID"]
        assert "&lt;b&gt;Better&lt;/b&gt; now." in mail.outbox[1].message().as_string()
        assert "<b>Better</b> now." in mail.outbox[1].body

    def test_what_may_be_stopped_is_stopped_by_one_click_without_signing_in(
        self, known: Incident, mara: User, jo: User, client: Client
    ) -> None:
        Follower.toggle(jo, incident=known)
        Update.objects.post(known, text="News.", by=mara)
        notify()
        address = urlsplit(str(mail.outbox[0].message()["List-Unsubscribe"]).strip("<>")).path
        assert "Stop these emails?" in client.get(address).text
        assert not Preference.objects.exists(), "reading it changes nothing: scanners follow links"
        assert client.post(address, {"List-Unsubscribe": "One-Click"}).status_code == 200
        Update.objects.post(known, text="More news.", by=mara)
        notify()
        assert len(mail.outbox) == 1
        assert Notification.objects.filter(person=jo, topic="incident.update").count() == 2, "it is still shown"

    def test_a_link_that_nobody_signed_stops_nothing(self, client: Client, db: None) -> None:
        answer = client.post("/unsubscribe/abc:def/")
        assert (answer.status_code, Preference.objects.count()) == (404, 0)

    def test_what_somebody_waits_for_cannot_be_stopped(self, support_assistant: System, mara: User) -> None:
        Incident.objects.declare(title="Stale", by=None, system=support_assistant, severity="sev1")
        notify()
        assert "List-Unsubscribe" not in mail.outbox[0].message()


class TestQuiet:
    def test_quiet_hours_hold_back_everything_but_a_page(
        self, known: Incident, support_assistant: System, mara: User, jo: User
    ) -> None:
        now = timezone.now()
        Preference.objects.create(
            person=jo, quiet_from=(now - timedelta(hours=1)).time(), quiet_until=(now + timedelta(hours=1)).time()
        )
        Follower.toggle(jo, incident=known)
        Update.objects.post(known, text="News.", by=mara)
        Incident.objects.declare(title="Stale", by=mara, system=support_assistant, severity="sev1")
        announce()
        due = {row.notification.topic: row.due_at for row in Dispatch.objects.filter(notification__person=jo)}
        assert due["incident.opened"] <= timezone.now() < due["incident.update"]

    @pytest.mark.parametrize(
        ("at", "until"),
        [("21:59", "21:59"), ("22:00", "07:00"), ("23:30", "07:00"), ("06:59", "07:00"), ("07:00", "07:00")],
    )
    def test_quiet_hours_may_run_over_midnight(self, at: str, until: str) -> None:
        moment = timezone.now().replace(hour=int(at[:2]), minute=int(at[3:]), second=0, microsecond=0)
        assert f"{after_quiet(moment, time(22), time(7)):%H:%M}" == until

    @pytest.mark.parametrize(
        ("day", "at", "then"),
        [
            (2, "10:00", "2 10:00"),
            (2, "08:59", "2 09:00"),
            (2, "17:00", "3 09:00"),
            (6, "18:00", "9 09:00"),
            (7, "10:00", "9 09:00"),
        ],
    )
    def test_what_can_wait_is_sent_when_work_begins(self, day: int, at: str, then: str) -> None:
        # March 2026 begins on a Sunday: the 2nd is a Monday, the 6th a Friday.
        moment = timezone.now().replace(year=2026, month=3, day=day, hour=int(at[:2]), minute=int(at[3:]))
        found = next_working_moment(moment)
        assert f"{found.day} {found:%H:%M}" == then


class TestActing:
    @pytest.fixture
    def link(self, support_assistant: System, mara: User) -> str:
        Incident.objects.declare(title="Answers are stale", by=None, system=support_assistant, severity="sev1")
        notify()
        found = re.search(r"/act/[\w-]+/", str(mail.outbox[0].body))
        assert found
        return found[0]

    def test_a_page_is_acknowledged_from_the_mail_without_signing_in_once(
        self, link: str, mara: User, client: Client
    ) -> None:
        incident = Incident.objects.get()
        assert "Answers are stale" in client.get(link).text
        client.head(link)
        incident.refresh_from_db()
        assert incident.status == "triage", "reading it changes nothing: scanners follow links"
        assert "Acknowledge: done, as Mara Okafor" in client.post(link, {"act": "acknowledge"}).text
        incident.refresh_from_db()
        assert (incident.status, incident.lead) == ("investigating", mara)
        assert incident.events.get(kind="acknowledged").detail["via"] == "a link in a message"
        again = client.post(link, {"act": "update", "text": "Again"})
        assert (again.status_code, Update.objects.count()) == (422, 0)

    def test_an_update_is_posted_from_it_and_its_text_survives_a_refusal(self, link: str, client: Client) -> None:
        refused = client.post(link, {"act": "update", "text": "  "})
        assert refused.status_code == 422
        assert not ActLink.objects.filter(used_at__isnull=False).exists()
        client.post(link, {"act": "update", "text": "We rebuild the index."})
        assert Update.objects.get().text == "We rebuild the index."

    @pytest.mark.parametrize("gone", ["old", "inactive", "private", "left"])
    def test_it_does_nothing_for_whoever_may_not_act_any_more(
        self, link: str, mara: User, jo: User, client: Client, gone: str
    ) -> None:
        match gone:
            case "old":
                ActLink.objects.update(expires_at=timezone.now())
            case "inactive":
                User.objects.filter(pk=mara.pk).update(is_active=False)
            case "private":
                incident = Incident.objects.get()
                incident.restrict([jo], by=jo)
            case "left":
                mara.memberships.all().delete()
        answer = client.post(link, {"act": "acknowledge"})
        assert answer.status_code == (422 if gone == "old" else 404)
        assert Incident.objects.get().status == "triage"

    def test_a_made_up_link_leads_nowhere(self, client: Client, db: None) -> None:
        assert client.get(f"/act/{'x' * 43}/").status_code == 404


class TestPages:
    def test_the_bell_counts_what_is_unread_and_leads_to_it(
        self, known: Incident, mara: User, jo: User, as_person: Page
    ) -> None:
        known.assign_lead(jo, by=mara)
        announce()
        page = as_person(jo).get("/notifications/").text
        assert "Mara Okafor made you the lead" in page
        mine = Notification.objects.get()
        answer = as_person(jo).get(mine.get_absolute_url())
        assert answer["Location"] == known.get_absolute_url()
        assert "Nothing unread" in as_person(jo).get("/notifications/").text
        assert "made you the lead" in as_person(jo).get("/notifications/?show=all").text
        assert as_person(mara).get(mine.get_absolute_url()).status_code == 404

    def test_what_became_private_is_shown_no_more(
        self, known: Incident, mara: User, sam: User, as_person: Page
    ) -> None:
        Follower.toggle(sam, incident=known)
        Update.objects.post(known, text="News.", by=mara)
        announce()
        assert known.title in as_person(sam).get("/notifications/").text
        known.restrict([mara], by=mara)
        assert known.title not in as_person(sam).get("/notifications/?show=all").text
        assert as_person(sam).get(Notification.objects.get(person=sam).get_absolute_url()).status_code == 404

    def test_a_list_of_many_asks_no_more_queries(
        self, known: Incident, mara: User, jo: User, as_person: Page, django_assert_max_num_queries: Any
    ) -> None:
        Follower.toggle(jo, incident=known)
        for number in range(60):
            Update.objects.post(known, text=f"News {number}.", by=mara)
        announce()
        client = as_person(jo)
        with django_assert_max_num_queries(14):
            page = client.get("/notifications/")
        assert "Older" in page.text
        assert page.text.count("data-row") == 50
        assert client.get("/notifications/?page=2").text.count("data-row") == 10

    def test_choices_are_kept_and_bad_ones_are_refused_at_their_field(self, jo: User, as_person: Page) -> None:
        client = as_person(jo)
        client.post(
            "/account/notifications/", {"email": ["incident.task"], "quiet_from": "22:00", "quiet_until": "07:00"}
        )
        chosen = Preference.objects.get(person=jo)
        assert chosen.wants("incident.task", "email")
        assert not chosen.wants("incident.update", "email")
        assert chosen.wants("incident.opened", "email"), "whoever is waited for cannot look away"
        refused = client.post("/account/notifications/", {"quiet_from": "22:00"})
        assert refused.status_code == 422
        assert "Give both ends" in refused.text
