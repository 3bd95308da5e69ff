"""The list: several at once, views, the palette."""

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from incidents.people.models import User
from incidents.response.incident import Incident
from incidents.response.saved_views import SavedView
from incidents.systems.models import System

Page = Callable[[User], Client]


class TestList:
    def test_one_thing_is_done_to_several_and_each_refusal_is_said(
        self, mara: User, rui: User, support_assistant: System, fraud_scorer: System, as_person: Page
    ) -> None:
        mine = [Incident.objects.declare(title=f"From an alert {n}", by=None, system=support_assistant) for n in (1, 2)]
        theirs = Incident.objects.declare(title="Theirs", by=None, system=fraud_scorer)
        numbers = [row.number for row in (*mine, theirs)]
        answer = as_person(mara).post("/incidents/many/", {"act": "acknowledge", "number": numbers}, follow=True)
        page = answer.content.decode()
        assert "Acknowledge: done for 2." in page
        assert f"{theirs}: only responders of its team can do that." in page
        assert [Incident.objects.get(pk=row.pk).status for row in mine] == ["investigating", "investigating"]
        theirs.refresh_from_db()
        assert theirs.status == "triage"
        as_person(mara).post("/incidents/many/", {"act": "severity:sev1", "number": numbers[:2]})
        assert Incident.objects.filter(severity="sev1").count() == 2

    def test_several_are_assigned_declined_and_merged_at_once(
        self, mara: User, jo: User, rui: User, support_assistant: System, fraud_scorer: System, as_person: Page
    ) -> None:
        first, second, third = (
            Incident.objects.declare(title=f"From an alert {n}", by=None, system=support_assistant) for n in range(3)
        )
        theirs = Incident.objects.declare(title="Theirs", by=rui, system=fraud_scorer)
        client = as_person(mara)

        def done(address: str, *chosen: Incident, **sent: Any) -> str:
            numbers = [row.number for row in chosen]
            text: str = client.post(f"/incidents/{address}", {"number": numbers, **sent}, follow=True).text
            for row in (first, second, third, theirs):
                row.refresh_from_db()
            return text

        assert "Jo Lindqvist" in client.get("/incidents/many/people/").text
        assert "Choose who leads them." in done("many/", first, act="assign")
        assert "Assign the lead: done for 2." in done("many/", first, second, theirs, act="assign", lead=jo.pk)
        assert [row.lead for row in (first, second, theirs)] == [jo, jo, rui]
        assert "Say why they are declined." in done("many/", first, act="decline", reason=" ")
        done("many/", third, act="decline", reason="A test run")
        assert (third.status, first.status) == ("declined", "triage")
        assert "There is no INC-999." in done("many/merge/", first, into="INC-999")
        page = done("many/merge/", first, third, theirs, into=str(second))
        assert f"Merge into {second}: done for 1." in page
        assert f"{theirs}: only responders of its team can do that." in page
        assert (first.status, first.merged_into) == ("merged", second)
        assert theirs.merged_into is None

    def test_a_private_one_is_not_touched_by_whoever_may_not_see_it(
        self, incident: Incident, mara: User, jo: User, support_assistant: System, as_person: Page
    ) -> None:
        open_ = Incident.objects.declare(title="For everybody", by=jo, system=support_assistant)
        incident.restrict([], by=mara)
        numbers = {"number": [incident.number, open_.number]}
        client = as_person(jo)
        assert (
            f"There is no {incident}."
            in client.post("/incidents/many/merge/", numbers | {"into": str(incident)}, follow=True).text
        )
        client.post("/incidents/many/", numbers | {"act": "severity:sev4"})
        incident.refresh_from_db()
        open_.refresh_from_db()
        assert (incident.severity, open_.severity) == ("sev2", "sev4")

    @pytest.mark.parametrize(
        "data", [{}, {"act": "explode", "number": "1"}, {"act": "close", "number": ["x", "9" * 40]}]
    )
    def test_nonsense_changes_nothing(self, data: dict[str, Any], mara: User, as_person: Page) -> None:
        assert as_person(mara).post("/incidents/many/", data).status_code == 302

    def test_a_view_is_kept_shared_and_removed_by_its_owner(self, mara: User, jo: User, as_person: Page) -> None:
        as_person(mara).post("/incidents/views/", {"name": "Worst", "query": "severity=sev1&seen=1", "shared": "on"})
        view = SavedView.objects.get()
        assert view.get_absolute_url() == "/incidents/?severity=sev1"
        assert "Worst" in as_person(jo).get("/incidents/").content.decode()
        as_person(jo).post(f"/incidents/views/{view.pk}/drop/")
        assert SavedView.objects.exists()
        as_person(mara).post(f"/incidents/views/{view.pk}/drop/")
        assert not SavedView.objects.exists()

    def test_the_palette_finds_what_one_may_see(
        self, incident: Incident, mara: User, rui: User, as_person: Page
    ) -> None:
        for words in (f"#{incident.number}", "retired pric", "Support"):
            assert str(incident) in as_person(mara).get("/palette/", {"q": words}).content.decode()
        incident.restrict([], by=mara)
        assert incident.title not in as_person(rui).get("/palette/", {"q": "retired"}).content.decode()

    def test_the_palette_finds_people_and_for_administrators_their_site(
        self, incident: Incident, mara: User, ada: User, as_person: Page
    ) -> None:
        page = as_person(ada).get("/palette/", {"q": "okaf"}).text
        address = re.search(r'href="([^"]*lead=[^"]*)"[^>]*>.*?Mara Okafor', page, re.DOTALL)
        assert address
        incident.assign_lead(mara, by=mara)
        assert incident.title in as_person(ada).get(unescape(address[1])).text
        User.objects.filter(pk=mara.pk).update(is_active=False)
        assert "Mara Okafor" not in as_person(ada).get("/palette/", {"q": "okaf"}).text
        assert 'href="/admin/"' in as_person(ada).get("/palette/", {"q": "admin"}).text
        User.objects.filter(pk=mara.pk).update(is_active=True)
        assert 'href="/admin/"' not in as_person(mara).get("/palette/", {"q": "admin"}).text

    def test_open_ones_stand_under_their_state_the_worst_first_and_say_how_late_an_update_is(
        self, mara: User, support_assistant: System, as_person: Page
    ) -> None:
        fields: dict[str, Any] = {"system": support_assistant}
        taken = Incident.objects.declare(title="Taken and mild", by=mara, severity="sev3", **fields)
        Incident.objects.declare(title="Taken and bad", by=mara, severity="sev1", **fields)
        Incident.objects.declare(title="Nobody has it", by=None, severity="sev4", **fields)
        Incident.objects.filter(pk=taken.pk).update(next_update_at=timezone.now() - timedelta(minutes=190))
        page = as_person(mara).get("/incidents/").content.decode()
        order = ["<h2>Triage</h2>", "Nobody has it", "<h2>Investigating</h2>", "Taken and bad", "Taken and mild"]
        assert sorted(order, key=page.index) == order
        assert ">3 h late</time>" in page
        assert "<h2>Investigating</h2>" not in as_person(mara).get("/incidents/?status=all").content.decode()

    def test_one_that_happened_earlier_is_entered_with_its_time(self, mara: User, as_person: Page) -> None:
        client, at = as_person(mara), timezone.now() - timedelta(days=40)
        given = {"title": "In the spring", "severity": "sev2", "declared_at": f"{at:%Y-%m-%dT%H:%M}"}
        assert "choose “Backfilled”" in client.post("/incidents/new/", given).content.decode()
        client.post("/incidents/new/", given | {"kind": "backfilled"})
        made = Incident.objects.get()
        assert (made.kind, made.declared_at.date()) == ("backfilled", at.date())
