"""The six clocks, corrected."""

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone

from incidents.errors import Refused
from incidents.people.models import User
from incidents.response.incident import Incident
from incidents.response.vocabulary import CLOCKS, year_question
from incidents.systems.models import System

Page = Callable[[User], Client]


class TestClocks:
    def test_the_start_may_be_a_range_and_so_is_the_silence(self, incident: Incident, mara: User) -> None:
        detected = incident.detected_at
        assert detected
        start, until = detected - timedelta(hours=5), detected - timedelta(hours=3)
        incident.set_clock("impact_started_at", start, until=until, by=mara, method="change")
        assert (incident.shortest_silence, incident.silence) == (timedelta(hours=3), timedelta(hours=5))
        assert incident.get_impact_method_display() == "A change"
        incident.set_clock("impact_started_at", None, by=mara)
        assert (incident.silence, incident.impact_started_until, incident.impact_method) == (None, None, "")

    def test_a_range_that_runs_backwards_is_refused(self, incident: Incident, mara: User) -> None:
        now = timezone.now()
        with pytest.raises(Refused, match="range"):
            incident.set_clock("impact_started_at", now, until=now - timedelta(hours=1), by=mara)


def address(incident: Incident, clock: str = "impact_started_at") -> str:
    return f"/incidents/{incident.number}/clocks/{clock}/"


def seen(page: str) -> str:
    return str(re.findall(r'name="seen" value="(\w+)"', page)[0])


class TestCorrecting:
    @pytest.mark.parametrize("clock", CLOCKS)
    def test_each_clock_is_corrected_by_itself_and_keeps_the_others(
        self, incident: Incident, mara: User, as_person: Page, clock: str
    ) -> None:
        before = {name: getattr(incident, name) for name in CLOCKS}
        at = incident.declared_at.replace(second=0, microsecond=0) - timedelta(hours=2)
        answer = as_person(mara).post(address(incident, clock), {"at": f"{at:%Y-%m-%d %H:%M}", "reason": "Log"})
        assert answer.status_code == 302
        incident.refresh_from_db()
        assert {name: getattr(incident, name) for name in CLOCKS} == before | {clock: at}
        detail = incident.events.latest("pk").detail
        assert (detail["reason"], detail["became"][clock]) == ("Log", at.isoformat())

    def test_without_a_change_nothing_is_recorded_and_no_second_is_lost(
        self, incident: Incident, mara: User, as_person: Page
    ) -> None:
        client, at = as_person(mara), incident.detected_at
        page = client.get(address(incident, "detected_at")).content.decode()
        value = re.findall(r'name="at" value="([^"]+)"', page)[0]
        assert value == f"{at:%Y-%m-%d %H:%M}"
        client.post(address(incident, "detected_at"), {"at": value, "seen": seen(page)})
        incident.refresh_from_db()
        assert (incident.detected_at, incident.events.filter(kind="clock").count()) == (at, 0)

    def test_what_somebody_else_corrected_meanwhile_is_not_overwritten_unasked(
        self, incident: Incident, mara: User, jo: User, as_person: Page
    ) -> None:
        client, at = as_person(mara), incident.declared_at - timedelta(hours=2)
        page = client.get(address(incident, "detected_at")).content.decode()
        incident.set_clock("detected_at", at, by=jo)
        typed = {"at": f"{at - timedelta(hours=1):%Y-%m-%d %H:%M}", "seen": seen(page)}
        conflict = client.post(address(incident, "detected_at"), typed)
        assert conflict.status_code == 409
        assert f"Somebody changed this to “{at:%-d %b %Y, %H:%M} UTC” meanwhile" in conflict.content.decode()
        assert typed["at"] in conflict.content.decode(), "what was typed is kept"

    @pytest.mark.parametrize(
        ("clock", "typed", "said"),
        [
            ("detected_at", {"at": "yesterday"}, "Type it as 2026-03-01 14:05"),
            ("detected_at", {"at": "2999-01-01 10:00"}, "between 2000 and 2200"),
            ("detected_at", {"at": "2199-01-01 10:00"}, "in the future"),
            ("impact_started_at", {"at": "1999-12-31 10:00"}, "between 2000 and 2200"),
            ("declared_at", {"at": ""}, "This field is required."),
            ("impact_started_at", {"at": "", "until": "2026-01-01 10:00"}, "runs from its earliest moment"),
            ("impact_started_at", {"at": "2026-01-02 10:00", "until": "2026-01-01 10:00"}, "runs from its earliest"),
            ("impact_started_at", {"at": "25:99"}, "Type it as"),
        ],
    )
    def test_what_is_no_moment_is_said_at_its_field_and_kept(
        self, incident: Incident, mara: User, as_person: Page, clock: str, typed: dict[str, str], said: str
    ) -> None:
        answer = as_person(mara).post(address(incident, clock), {"reason": "As I recall"} | typed)
        page = answer.content.decode()
        assert (answer.status_code, said in page) == (422, True), page
        assert all(text in page for text in ("As I recall", *typed.values()))

    def test_a_time_alone_is_the_last_such_one_in_ones_own_zone(
        self, incident: Incident, mara: User, as_person: Page
    ) -> None:
        User.objects.filter(pk=mara.pk).update(time_zone="America/New_York")
        mara.refresh_from_db()
        client = as_person(mara)
        assert "In America/New_York, 24 hours." in client.get(address(incident)).content.decode()
        there = timezone.now().astimezone(ZoneInfo("America/New_York"))
        for moment in (there - timedelta(minutes=10), there + timedelta(minutes=10)):
            client.post(address(incident), {"at": f"{moment:%H:%M}"})
            incident.refresh_from_db()
            last = moment if moment <= there else moment - timedelta(days=1)
            assert incident.impact_started_at == last.replace(second=0, microsecond=0)

    def test_there_are_six_clocks_and_a_stranger_corrects_none(
        self, incident: Incident, mara: User, rui: User, as_person: Page
    ) -> None:
        assert as_person(mara).get(address(incident, "changed_at")).status_code == 404
        assert as_person(rui).get(address(incident)).status_code == 403
        assert "clocks/" not in as_person(rui).get(incident.get_absolute_url()).content.decode()


class TestUnknownBecause:
    def test_why_nobody_knows_a_clock_is_kept_and_shown_until_somebody_does(
        self, incident: Incident, mara: User, as_person: Page
    ) -> None:
        client = as_person(mara)

        def row() -> str:
            page = client.get(incident.get_absolute_url()).content.decode()
            return page.partition('id="fact-clock-impact_started_at"')[2].partition("</dl>")[0]

        assert "unknown: No logs were kept" not in row()
        client.post(address(incident), {"at": "", "reason": "No logs were kept"})
        assert incident.events.latest("pk").detail["reason"] == "No logs were kept"
        assert "unknown: No logs were kept" in row()
        incident.set_clock("impact_started_at", incident.declared_at, by=mara)
        assert "No logs were kept" not in row()

    def test_without_a_reason_nothing_is_recorded(self, incident: Incident, mara: User, as_person: Page) -> None:
        as_person(mara).post(address(incident), {"at": ""})
        assert not incident.events.filter(kind="clock").exists()

    def test_the_page_asks_for_the_start_only_while_nobody_gave_it(
        self, incident: Incident, mara: User, as_person: Page
    ) -> None:
        def panel() -> str:
            page = as_person(mara).get(incident.get_absolute_url()).content.decode()
            return page.partition('id="clocks"')[2].partition("<dl")[0]

        asks = "set when the impact started"
        assert asks in panel()
        incident.set_clock("impact_started_at", incident.declared_at - timedelta(hours=5), by=mara)
        assert asks not in panel()
        assert "5 h" in panel()
        incident.set_clock("detected_at", None, by=mara)
        assert asks not in panel(), "the start is known: it is the detection that is not"
        assert "unknown" in panel()

    def test_clocks_in_an_impossible_order_are_named_and_no_others(
        self, incident: Incident, mara: User, as_person: Page
    ) -> None:
        def panel() -> str:
            page = as_person(mara).get(incident.get_absolute_url()).content.decode()
            return " ".join(page.partition('id="clocks"')[2].partition('id="impact"')[0].split())

        assert " before " not in panel()
        incident.set_clock("impact_started_at", timezone.now(), by=mara)
        assert "Detected before impact started" in panel()


class TestOnRecord:
    def test_a_change_before_it_began_is_taken_with_one_press(
        self, incident: Incident, mara: User, support_assistant: System, as_person: Page
    ) -> None:
        at = incident.declared_at - timedelta(hours=3)
        support_assistant.changes.create(kind="prompt", title="Prompt “v9” & more", happened_at=at)
        client = as_person(mara)
        page = client.get(address(incident)).content.decode()
        offer = unescape(re.findall(r'name="offer" value="([^"]+)"', page)[0])
        answer = client.post(address(incident), {"offer": offer, "at": "", "seen": seen(page)})
        assert answer.status_code == 302
        incident.refresh_from_db()
        assert (incident.impact_started_at, incident.impact_method) == (at, "change")
        assert incident.events.latest("pk").detail["reason"] == "Change: Prompt “v9” & more"
        assert "On record" not in client.get(address(incident, "detected_at")).content.decode()

    def test_the_first_alert_is_offered_to_whoever_may_see_it(
        self, mara: User, as_person: Page, tell: Callable[..., Any]
    ) -> None:
        alert = tell("Recall fell", system="support-assistant", metric="recall@10", severity="critical")
        client = as_person(mara)
        page = client.get(address(alert.incident)).content.decode()
        offer = unescape(re.findall(r'name="offer" value="([^"]+)"', page)[0])
        assert "First alert: Recall fell" in offer
        client.post(address(alert.incident), {"offer": offer})
        alert.incident.refresh_from_db()
        assert alert.incident.impact_started_at == alert.starts_at

    def test_where_nothing_is_on_record_nothing_is_offered(
        self, incident: Incident, mara: User, as_person: Page
    ) -> None:
        page = as_person(mara).get(address(incident)).content.decode()
        assert "On record" not in page
        assert "Use it" not in page

    @pytest.mark.parametrize(
        "offer", ["x", "2026-02-31T25:00:00Z change", "0 0 0", "9" * 30, "2026-01-01T00:00:00Z nobody"]
    )
    def test_an_offer_that_is_none_is_refused(
        self, incident: Incident, mara: User, as_person: Page, offer: str
    ) -> None:
        assert as_person(mara).post(address(incident), {"offer": offer}).status_code == 422
        incident.refresh_from_db()
        assert incident.impact_started_at is None


LONG_AGO = timedelta(days=6.5 * 365)


class TestStartsLongAgo:
    def test_only_what_is_more_than_five_years_ago_is_asked_about(self) -> None:
        now = timezone.now()
        assert year_question(now - LONG_AGO) == "That is 6 years ago. Is the year right?"
        assert [year_question(start) for start in (None, now, now - timedelta(days=4.9 * 365.25))] == ["", "", ""]

    def test_a_start_long_ago_is_refused_until_somebody_confirms_it(self, incident: Incident, mara: User) -> None:
        start = timezone.now() - LONG_AGO
        with pytest.raises(Refused, match="6 years ago"):
            incident.set_clock("impact_started_at", start, by=mara)
        assert incident.impact_started_at is None
        incident.set_clock("detected_at", start, by=mara)
        incident.set_clock("impact_started_at", start, by=mara, confirm_old=True)
        assert incident.impact_started_at == start
        with pytest.raises(Refused, match="before 2000"):
            incident.set_clock("impact_started_at", start.replace(year=1999), by=mara, confirm_old=True)

    def test_the_page_asks_at_the_field_and_keeps_what_was_typed(
        self, incident: Incident, mara: User, as_person: Page
    ) -> None:
        client, typed = as_person(mara), {"at": f"{timezone.now() - LONG_AGO:%Y-%m-%d %H:%M}", "reason": "An old log"}
        assert "the year is right" not in client.get(address(incident)).content.decode()
        asked = client.post(address(incident), typed)
        page = asked.content.decode()
        assert (asked.status_code, "That is 6 years ago. Is the year right?" in page) == (422, True)
        assert "Yes, the year is right" in page
        assert typed["at"] in page
        assert client.post(address(incident), typed | {"confirm_old": "on"}).status_code == 302
        incident.refresh_from_db()
        assert incident.impact_started_at is not None
        again = typed | {"reason": "Again", "until": f"{timezone.now():%Y-%m-%d %H:%M}"}
        assert client.post(address(incident), again).status_code == 302, "what is known is not asked about"

    def test_opening_one_that_happened_long_ago_asks_too(self, mara: User, as_person: Page) -> None:
        typed = {"title": "Old", "severity": "sev3", "kind": "backfilled"}
        typed["declared_at"] = f"{timezone.now() - LONG_AGO:%Y-%m-%dT%H:%M}"
        client = as_person(mara)
        asked = client.post("/incidents/new/", typed)
        assert (asked.status_code, "Is the year right?" in asked.content.decode()) == (422, True)
        client.post("/incidents/new/", typed | {"confirm_old": "on"})
        assert Incident.objects.get().declared_at < timezone.now() - timedelta(days=2000)

    def test_a_program_is_asked_in_the_field_and_answers_with_a_flag(
        self, incident: Incident, mara: User, client: Client, key_of: Callable[..., Any]
    ) -> None:
        door = f"/api/v1/incidents/{incident.number}/clock/"
        sent = {"clock": "impact_started_at", "at": (timezone.now() - LONG_AGO).isoformat()}
        asked = client.post(door, sent, content_type="application/json", headers=key_of(mara))
        assert (asked.status_code, list(asked.json()["errors"])) == (400, ["at"])
        assert "6 years ago" in asked.json()["detail"]
        sure = sent | {"confirm_old": True}
        answer = client.post(door, sure, content_type="application/json", headers=key_of(mara))
        assert (answer.status_code, answer.json()["impact_started_at"] is not None) == (200, True)
