"""The six clocks, corrected."""

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from incidents.errors import Refused
from incidents.people.models import User
from incidents.response.incident import Incident
from incidents.response.vocabulary import year_question
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

    def test_the_page_offers_the_first_alert_and_the_changes_before_it(
        self, incident: Incident, mara: User, support_assistant: System, as_person: Page
    ) -> None:
        at = incident.declared_at - timedelta(hours=3)
        support_assistant.changes.create(kind="prompt", title="Prompt v9", happened_at=at)
        client = as_person(mara)
        page = client.get(f"/incidents/{incident.number}/clocks/").content.decode()
        offer = re.search(r'href="([^"]+)">\s*Change: Prompt v9', page)
        assert offer, page
        filled = client.get(f"/incidents/{incident.number}/clocks/{unescape(offer[1])}").content.decode()
        assert f'value="{at:%Y-%m-%dT%H:%M}"' in filled
        assert 'value="Change: Prompt v9"' in filled
        client.post(
            f"/incidents/{incident.number}/clocks/",
            {
                "impact_started_at": f"{at:%Y-%m-%dT%H:%M}",
                "impact_method": "change",
                "reason": "Prompt v9",
                "declared_at": f"{incident.declared_at:%Y-%m-%dT%H:%M}",
                "detected_at": f"{incident.detected_at:%Y-%m-%dT%H:%M}",
                "acknowledged_at": f"{incident.acknowledged_at:%Y-%m-%dT%H:%M}",
            },
        )
        incident.refresh_from_db()
        assert (incident.impact_method, incident.events.filter(kind="clock").count()) == ("change", 1)

    def test_the_first_alert_is_offered_to_whoever_may_see_it(
        self, mara: User, as_person: Page, tell: Callable[..., Any]
    ) -> None:
        alert = tell("Recall fell", system="support-assistant", metric="recall@10", severity="critical")
        client, address = as_person(mara), f"/incidents/{alert.incident.number}/clocks/"
        offer = re.search(r'href="([^"]+)">\s*First alert: Recall fell', client.get(address).content.decode())
        assert offer
        filled = client.get(address + unescape(offer[1])).content.decode()
        assert f'value="{alert.starts_at:%Y-%m-%dT%H:%M}"' in filled

    @pytest.mark.parametrize("start", ["", "x", "2026-02-31T25:00:00Z", "2026-02-01", "0", "9" * 30])
    def test_a_proposed_start_that_is_no_moment_proposes_nothing(
        self, incident: Incident, mara: User, as_person: Page, start: str
    ) -> None:
        page = as_person(mara).get(f"/incidents/{incident.number}/clocks/", {"impact_started_at": start})
        assert page.context["form"].initial == {}


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
        client, address = as_person(mara), f"/incidents/{incident.number}/clocks/"
        names = ("declared_at", "detected_at", "acknowledged_at")
        typed = {name: f"{getattr(incident, name):%Y-%m-%dT%H:%M}" for name in names}
        typed |= {"impact_started_at": f"{timezone.now() - LONG_AGO:%Y-%m-%dT%H:%M}", "reason": "An old log"}
        assert "the year is right" not in client.get(address).content.decode()
        asked = client.post(address, typed)
        page = asked.content.decode()
        assert (asked.status_code, "That is 6 years ago. Is the year right?" in page) == (422, True)
        assert "Yes, the year is right" in page
        assert typed["impact_started_at"] in page
        assert client.post(address, typed | {"confirm_old": "on"}).status_code == 302
        incident.refresh_from_db()
        assert incident.impact_started_at is not None
        assert client.post(address, typed | {"reason": "Again"}).status_code == 302, "what is known is not asked about"

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
        address = f"/api/v1/incidents/{incident.number}/clock/"
        sent = {"clock": "impact_started_at", "at": (timezone.now() - LONG_AGO).isoformat()}
        asked = client.post(address, sent, content_type="application/json", headers=key_of(mara))
        assert (asked.status_code, list(asked.json()["errors"])) == (400, ["at"])
        assert "6 years ago" in asked.json()["detail"]
        sure = sent | {"confirm_old": True}
        answer = client.post(address, sure, content_type="application/json", headers=key_of(mara))
        assert (answer.status_code, answer.json()["impact_started_at"] is not None) == (200, True)
