"""The pages of who is on call: what they show, who may change it, and what is said when it cannot be done."""

import re
from collections.abc import Callable, Iterator
from datetime import date, time, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from icalendar import Calendar

from incidents.oncall.cover import on_call
from incidents.oncall.feeds import CalendarLink
from incidents.oncall.fetching import use_calendar
from incidents.oncall.overrides import Override
from incidents.oncall.pointer import OnCall
from incidents.oncall.reading import read_calendar
from incidents.oncall.rota import Rota
from incidents.oncall.swaps import ShiftSwap
from incidents.people.models import Team, User
from incidents.systems.models import System
from tests.oncall.conftest import at

WriteRota = Callable[..., Rota]
SignIn = Callable[[User], Client]
NOW = at("2026-01-07T12:00")  # in the first week of the rota
SECOND_WEEK = {"starts_at": "2026-01-12T08:00", "ends_at": "2026-01-19T08:00"}
IN_SECOND_WEEK = at("2026-01-14T12:00")


@pytest.fixture(autouse=True)
def _in_the_first_week() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def text(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", answer.content.decode()).split())


def rota_form(*people: User, **changes: str) -> dict[str, str]:
    turns = {f"person_{number}": str(person.pk) for number, person in enumerate(people, 1)}
    facts = {
        "version": "0",
        "name": "Assistants",
        "days": "7",
        "weekday": "0",
        "hands_over_at": "09:00",
        "time_zone": "Europe/Berlin",
        "starts_on": "2026-01-05",
    }
    return facts | turns | changes


class TestLooking:
    def test_everybody_sees_who_is_on_call_until_when_and_who_is_next(
        self, mara: User, jo: User, sam: User, risk: Team, write_rota: WriteRota, as_person: SignIn
    ) -> None:
        write_rota(mara, jo)
        shown = text(as_person(sam).get("/on-call/"))
        assert "Mara Okafor until Mon 12 Jan, 08:00 UTC then Jo Lindqvist covered for two weeks" in shown
        assert "Risk no rota" in shown

    def test_a_gap_in_the_next_two_weeks_stands_on_the_list(
        self, mara: User, jo: User, write_rota: WriteRota, as_person: SignIn
    ) -> None:
        write_rota(mara, jo)
        User.objects.filter(pk=jo.pk).update(is_active=False)
        assert "1 gap, Mon 12 Jan, 08:00 – Mon 19 Jan, 08:00" in text(as_person(mara).get("/on-call/"))
        assert "Nobody: Jo Lindqvist has left" in text(as_person(mara).get("/on-call/assistants/"))

    def test_double_cover_is_said_beside_the_shift(
        self, assistants: Team, mara: User, jo: User, write_rota: WriteRota, as_person: SignIn
    ) -> None:
        write_rota(mara)
        Override.objects.add(
            assistants, person=jo, starts_at=NOW, ends_at=NOW + timedelta(hours=1), by=jo, replaces=False
        )
        assert "double cover with Jo Lindqvist" in text(as_person(mara).get("/on-call/assistants/"))

    def test_times_are_in_the_readers_own_zone(self, mara: User, write_rota: WriteRota, as_person: SignIn) -> None:
        write_rota(mara)
        User.objects.filter(pk=mara.pk).update(time_zone="Asia/Tokyo")
        mara.refresh_from_db()
        assert "Mon 5 Jan, 17:00 – Mon 12 Jan, 17:00" in text(as_person(mara).get("/on-call/assistants/"))

    def test_the_page_of_a_system_and_ones_account_say_it_too(
        self, mara: User, jo: User, support_assistant: System, write_rota: WriteRota, as_person: SignIn
    ) -> None:
        write_rota(mara, jo)
        assert "On call MO Mara Okafor" in text(as_person(jo).get("/systems/support-assistant/"))
        assert "Assistants Mon 12 Jan, 08:00 – Mon 19 Jan, 08:00" in text(as_person(jo).get("/account/"))

    def test_a_calendar_that_was_not_read_for_a_day_says_so(
        self, assistants: Team, jo: User, as_person: SignIn
    ) -> None:
        pointer = use_calendar(assistants, "https://calendar.example.com/secret-part.ics", base=0, by=jo)
        OnCall.objects.filter(pk=pointer.pk).update(read_at=NOW - timedelta(hours=25), trouble="It answered 404.")
        page = as_person(jo).get("/on-call/assistants/")
        assert "could not be read. It answered 404. It was last read" in text(page)
        assert "calendar.example.com" in text(page)
        assert "secret-part" not in page.content.decode()
        assert "secret-part" not in as_person(jo).get("/on-call/assistants/edit/calendar/").content.decode()


class TestWritingTheRota:
    def test_a_lead_writes_it(self, assistants: Team, mara: User, jo: User, as_person: SignIn) -> None:
        answer = as_person(jo).post("/on-call/assistants/edit/rota/", rota_form(mara, jo, mara))
        assert answer["Location"] == "/on-call/assistants/"
        rota = Rota.objects.get()
        assert (rota.hands_over_at, rota.starts_on) == (time(9), date(2026, 1, 5))
        assert [turn.person for turn in rota.turns.all()] == [mara, jo, mara]
        assert on_call(assistants, NOW) == [mara]

    def test_nobody_else_does(self, mara: User, rui: User, lee: User, as_person: SignIn) -> None:
        for person in (mara, rui, lee):
            client = as_person(person)
            assert client.get("/on-call/assistants/edit/rota/").status_code == 403
            assert client.post("/on-call/assistants/edit/rota/", rota_form(mara)).status_code == 403
            assert client.post("/on-call/assistants/edit/nobody/", {"version": "0"}).status_code == 403
        assert not Rota.objects.exists()

    @pytest.mark.parametrize(
        ("field", "value", "why"),
        [
            ("time_zone", "Mars/Olympus", "Choose a time zone from the list"),
            ("hands_over_at", "25:00", "Enter a valid time"),
            ("name", "\u200b", "can be read"),
            ("starts_on", "1026-01-05", "between 2000 and 2200"),
            ("person_1", "999999", "Select a valid choice"),
            ("person_1", "", "Say who takes turns."),
        ],
    )
    def test_what_is_wrong_is_said_at_the_field_and_nothing_is_lost(
        self, mara: User, jo: User, as_person: SignIn, field: str, value: str, why: str
    ) -> None:
        form = rota_form(mara, **{"name": "Our own name for it", field: value})
        answer = as_person(jo).post("/on-call/assistants/edit/rota/", form)
        assert answer.status_code == 422
        assert why in answer.content.decode()
        assert field == "name" or "Our own name for it" in answer.content.decode()
        assert 'aria-invalid="true"' in answer.content.decode()

    def test_two_who_write_it_at_once_are_told(
        self, mara: User, jo: User, write_rota: WriteRota, as_person: SignIn
    ) -> None:
        write_rota(mara)
        answer = as_person(jo).post("/on-call/assistants/edit/rota/", rota_form(jo))
        assert answer.status_code == 422
        assert "Somebody else changed this meanwhile" in answer.content.decode()

    def test_the_next_shifts_are_shown_before_it_is_saved(
        self, assistants: Team, mara: User, jo: User, as_person: SignIn
    ) -> None:
        client = as_person(jo)
        sent = rota_form(mara, jo, days="1", preview="1")
        shown = text(client.post("/on-call/assistants/edit/rota/", sent, headers={"HX-Request": "true"}))
        assert "Mara Okafor Wed 7 Jan, 08:00 – Thu 8 Jan, 08:00" in shown or "Jo Lindqvist Wed 7 Jan, 08:00" in shown
        assert "Name of the rota" not in shown
        broken = client.post("/on-call/assistants/edit/rota/", {"preview": "1"}, headers={"HX-Request": "true"})
        assert "Fill in the form" in text(broken)
        assert not Rota.objects.exists()

    def test_somebody_who_left_can_stay_in_the_form_but_is_refused(
        self, mara: User, jo: User, write_rota: WriteRota, as_person: SignIn
    ) -> None:
        write_rota(mara, jo)
        User.objects.filter(pk=mara.pk).update(is_active=False)
        page = as_person(jo).get("/on-call/assistants/edit/rota/").content.decode()
        assert f'value="{mara.pk}" selected' in page
        answer = as_person(jo).post("/on-call/assistants/edit/rota/", rota_form(mara, jo, version="1"))
        assert "Mara Okafor may not respond for Assistants" in answer.content.decode()

    def test_it_can_stand_elsewhere(self, assistants: Team, jo: User, as_person: SignIn) -> None:
        client = as_person(jo)
        form = {"version": "0", "url": "webcal://calendar.example.com/a.ics"}
        assert client.post("/on-call/assistants/edit/calendar/", form).status_code == 302
        assert client.post("/on-call/assistants/edit/pager/", {"version": "1", "service": "P1"}).status_code == 302
        assert "The pager P1 says who is on call" in text(client.get("/on-call/assistants/"))
        assert client.post("/on-call/assistants/edit/nobody/", {"version": "2"}).status_code == 302
        assert OnCall.objects.get().kind == "nobody"
        wrong = client.post("/on-call/assistants/edit/calendar/", {"version": "3", "url": "ftp://example.com"})
        assert wrong.status_code == 422
        assert "ftp://example.com" in wrong.content.decode()


class TestOverriding:
    def test_a_responder_takes_a_shift_over(
        self, assistants: Team, mara: User, jo: User, write_rota: WriteRota, as_person: SignIn
    ) -> None:
        write_rota(mara, jo)
        client = as_person(mara)
        page = client.get("/on-call/assistants/").content.decode()
        [link] = re.findall(r'href="(/on-call/assistants/overrides/new/\?start=\d+&amp;end=\d+)"', page)[:1]
        form = client.get(link.replace("&amp;", "&")).content.decode()
        assert 'value="2026-01-12T08:00"' in form
        sent = SECOND_WEEK | {"person": mara.pk, "replaces": "instead", "note": "Jo is away"}
        assert client.post("/on-call/assistants/overrides/new/", sent).status_code == 302
        assert on_call(assistants, IN_SECOND_WEEK) == [mara]

    def test_only_a_lead_puts_others_on_call(
        self, assistants: Team, mara: User, jo: User, tom: User, lee: User, write_rota: WriteRota, as_person: SignIn
    ) -> None:
        write_rota(mara, jo)
        sent = SECOND_WEEK | {"person": tom.pk, "replaces": "instead"}
        assert as_person(mara).post("/on-call/assistants/overrides/new/", sent).status_code == 422
        assert as_person(lee).post("/on-call/assistants/overrides/new/", sent).status_code == 403
        assert as_person(jo).post("/on-call/assistants/overrides/new/", sent).status_code == 302
        assert on_call(assistants, IN_SECOND_WEEK) == [tom]
        override = Override.objects.get()
        for person, gone in ((mara, False), (tom, True)):
            as_person(person).post(f"/on-call/assistants/overrides/{override.pk}/remove/")
            assert Override.objects.exists() is not gone

    def test_wrong_times_are_said_at_the_field(self, mara: User, write_rota: WriteRota, as_person: SignIn) -> None:
        write_rota(mara)
        sent = {
            "person": mara.pk,
            "replaces": "instead",
            "starts_at": "2026-01-09T08:00",
            "ends_at": "2026-01-08T08:00",
        }
        answer = as_person(mara).post("/on-call/assistants/overrides/new/", sent)
        assert answer.status_code == 422
        assert "The end must be after the start." in answer.content.decode()
        assert 'value="2026-01-08T08:00"' in answer.content.decode()


class TestSwapping:
    def offer(self, client: Client, giver: User, taker: User, **more: str) -> Any:
        page = client.get("/on-call/assistants/swaps/new/").content.decode()
        gives = re.search(rf'name="gives".*?value="({giver.pk}_\d+_\d+)"', page, re.DOTALL)
        takes = re.search(rf'name="takes".*?value="({taker.pk}_\d+_\d+)"', page, re.DOTALL)
        assert gives
        assert takes
        return client.post("/on-call/assistants/swaps/new/", {"gives": gives[1], "takes": takes[1]} | more)

    def test_one_offers_and_the_other_accepts(
        self, assistants: Team, mara: User, jo: User, tom: User, write_rota: WriteRota, as_person: SignIn
    ) -> None:
        write_rota(mara, tom)
        assert self.offer(as_person(mara), mara, tom).status_code == 302
        swap = ShiftSwap.objects.get()
        accept = f"/on-call/assistants/swaps/{swap.pk}/accept/"
        assert "Mara Okafor offers you a swap" in text(as_person(tom).get("/on-call/"))
        as_person(mara).post(accept)
        assert on_call(assistants, NOW) == [mara]
        as_person(tom).post(accept)
        assert on_call(assistants, NOW) == [tom]
        assert on_call(assistants, IN_SECOND_WEEK) == [mara]

    def test_a_lead_swaps_at_once_and_others_only_offer(
        self, assistants: Team, mara: User, jo: User, tom: User, write_rota: WriteRota, as_person: SignIn
    ) -> None:
        write_rota(mara, tom)
        self.offer(as_person(mara), mara, tom, at_once="1")
        assert on_call(assistants, NOW) == [mara]
        self.offer(as_person(jo), mara, tom, at_once="1")
        assert on_call(assistants, NOW) == [tom]

    def test_nobody_gives_away_the_shift_of_another(
        self, mara: User, jo: User, tom: User, write_rota: WriteRota, as_person: SignIn
    ) -> None:
        write_rota(mara, tom)
        line = f"{mara.pk}_{at('2026-01-07T12:00').timestamp():.0f}_{at('2026-01-12T08:00').timestamp():.0f}"
        sent = {"gives": line, "takes": f"person_{tom.pk}"}
        assert as_person(tom).post("/on-call/assistants/swaps/new/", sent).status_code == 422
        swap = ShiftSwap.objects.all()
        assert not swap.exists()
        self.offer(as_person(mara), mara, tom)
        as_person(tom).post(f"/on-call/assistants/swaps/{swap.get().pk}/withdraw/")
        assert swap.get().state == "offered"
        as_person(mara).post(f"/on-call/assistants/swaps/{swap.get().pk}/withdraw/")
        assert swap.get().state == "withdrawn"
        assert as_person(mara).post(f"/on-call/assistants/swaps/{swap.get().pk}/explode/").status_code == 404


class TestSubscribing:
    def address(self, page: Any) -> str:
        found = re.search(r"/calendars/[\w-]{40,}\.ics", page.content.decode())
        assert found, text(page)
        return found[0]

    def test_a_calendar_elsewhere_reads_the_shifts_as_they_are(
        self, assistants: Team, mara: User, jo: User, write_rota: WriteRota, as_person: SignIn
    ) -> None:
        write_rota(mara, jo)
        Override.objects.add(assistants, person=jo, starts_at=NOW, ends_at=NOW + timedelta(days=1), by=jo)
        page = as_person(jo).post("/on-call/assistants/link/", follow=True)
        address = self.address(page)
        assert address not in as_person(jo).get("/on-call/assistants/").content.decode()
        answer = Client().get(address)
        assert answer["Content-Type"] == "text/calendar; charset=utf-8"
        entries = read_calendar(answer.content, NOW - timedelta(days=28), NOW + timedelta(days=28))
        assert [(entry.summary, entry.start, entry.end) for entry in entries[:4]] == [
            ("Mara Okafor is on call for Assistants", at("2026-01-05T08:00"), NOW),
            ("Jo Lindqvist is on call for Assistants", NOW, NOW + timedelta(days=1)),
            ("Mara Okafor is on call for Assistants", NOW + timedelta(days=1), at("2026-01-12T08:00")),
            ("Jo Lindqvist is on call for Assistants", at("2026-01-12T08:00"), at("2026-01-19T08:00")),
        ]
        calendar = Calendar.from_ical(answer.content)
        assert (calendar["VERSION"], bool(calendar["PRODID"])) == ("2.0", True)
        events = calendar.walk("VEVENT")
        assert len({event["UID"] for event in events}) == len(events)
        assert all({"DTSTAMP", "DTSTART", "DTEND", "SUMMARY"} <= set(event) for event in events)
        assert all(len(line) <= 75 for line in answer.content.split(b"\r\n"))
        assert calendar.to_ical() == answer.content

    def test_ones_own_link_has_ones_own_shifts(
        self, mara: User, jo: User, write_rota: WriteRota, as_person: SignIn
    ) -> None:
        write_rota(mara, jo)
        address = self.address(as_person(mara).post("/account/on-call-link/", follow=True))
        entries = read_calendar(Client().get(address).content, NOW, NOW + timedelta(days=8))
        assert [entry.summary for entry in entries] == ["On call for Assistants"]

    def test_a_link_ends_when_it_is_revoked_made_anew_or_its_owner_leaves(
        self, assistants: Team, mara: User, jo: User, write_rota: WriteRota, as_person: SignIn
    ) -> None:
        write_rota(mara)
        client = as_person(mara)
        first = self.address(client.post("/on-call/assistants/link/", follow=True))
        second = self.address(client.post("/on-call/assistants/link/", follow=True))
        assert (Client().get(first).status_code, Client().get(second).status_code) == (404, 200)
        link = CalendarLink.objects.in_force().get()
        assert as_person(jo).post(f"/account/on-call-links/{link.pk}/revoke/").status_code == 404
        client.post(f"/account/on-call-links/{link.pk}/revoke/")
        assert Client().get(second).status_code == 404
        third = self.address(client.post("/on-call/assistants/link/", follow=True))
        User.objects.filter(pk=mara.pk).update(is_active=False)
        assert Client().get(third).status_code == 404
