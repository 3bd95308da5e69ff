"""What a page says by itself is true, and what would be lost is asked about first."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from incidents.people.models import User
from incidents.response import impact as impacts
from incidents.response.containments import Containment
from incidents.response.incident import Incident
from incidents.response.public_pages import PublicPage
from incidents.response.roles import Assignment, Handover, ResponseRole
from incidents.response.tasks import Task
from incidents.systems.models import System
from incidents.taxonomy import all_containments

Page = Callable[[User], Client]


@pytest.fixture
def tried(incident: Incident, mara: User) -> list[Containment]:
    """Three containments: one that worked, one that failed, one that nobody checked."""
    codes = [action.code for action in all_containments()[:3]]
    done = [incident.contain(by=mara, action=code) for code in codes]
    done[0].verify(by=mara, worked=True)
    done[1].verify(by=mara, worked=False)
    incident.refresh_from_db()
    return done


class TestResolving:
    def test_lists_what_is_open_and_asks(
        self, incident: Incident, tried: list[Containment], mara: User, as_person: Page
    ) -> None:
        Task.objects.add(incident, title="Tell the customers", by=mara)
        client = as_person(mara)
        asked = client.post(f"{incident.get_absolute_url()}resolve/", {"note": ""})
        incident.refresh_from_db()
        assert (asked.status_code, incident.status) == (409, "contained")
        assert f"Nobody has checked whether this worked: {tried[2]}" in asked.text
        assert "Still to do: Tell the customers" in asked.text
        assert "Nobody has said what made the output right again." in asked.text
        assert str(tried[0]) not in asked.text.partition("This is still open")[2].partition("</ul>")[0]
        client.post(f"{incident.get_absolute_url()}resolve/", {"note": "", "anyway": "1"})
        incident.refresh_from_db()
        assert incident.status == "resolved"

    def test_keeps_what_was_typed(
        self, incident: Incident, tried: list[Containment], mara: User, as_person: Page
    ) -> None:
        asked = as_person(mara).post(f"{incident.get_absolute_url()}resolve/", {"note": "The old index is back."})
        assert "The old index is back.</textarea>" in asked.text

    def test_asks_nothing_where_nothing_is_open(self, incident: Incident, mara: User, as_person: Page) -> None:
        as_person(mara).post(f"{incident.get_absolute_url()}resolve/", {"note": "The old index is back."})
        incident.refresh_from_db()
        assert incident.status == "resolved"


class TestContaining:
    def test_records_nothing_that_nobody_chose(self, incident: Incident, mara: User, as_person: Page) -> None:
        client, here = as_person(mara), incident.get_absolute_url()
        page = client.get(here).text
        assert '<option value="" selected>Choose what was done</option>' in page
        refused = client.post(
            f"{here}contain/", {"action": ""}, follow=True, headers={"Referer": f"http://testserver{here}"}
        )
        assert "Choose what was done." in refused.text
        assert not incident.containments.exists()


class TestHandingOver:
    def test_says_of_each_containment_how_it_went(
        self, incident: Incident, tried: list[Containment], mara: User, as_person: Page
    ) -> None:
        page = as_person(mara).get(f"{incident.get_absolute_url()}hand-over/").text
        for words, containment in zip(("Worked", "Did not work", "Done, not checked yet"), tried, strict=True):
            assert f"{words}: {containment}" in page

    def test_a_lead_that_was_accepted_is_one_entry(
        self, incident: Incident, mara: User, jo: User, as_person: Page
    ) -> None:
        role = ResponseRole.objects.get(code="lead")
        handover = Handover.objects.offer(incident, role, to=jo, summary="Stale index.", by=mara)
        handover.accept(by=jo)
        assert incident.events.filter(kind="lead").count() == 1
        page = as_person(mara).get(incident.get_absolute_url()).text
        assert f"made {jo} the lead" not in page
        log = as_person(mara).get(f"{incident.get_absolute_url()}?show=log").text
        assert f"made {jo} the lead" in log

    def test_a_role_stands_in_the_story(self, incident: Incident, mara: User, jo: User, as_person: Page) -> None:
        role = ResponseRole.objects.exclude(code="lead")[0]
        Assignment.objects.give(incident, role, jo, by=mara)
        page = as_person(mara).get(incident.get_absolute_url()).text
        assert f"assigned {role.name.lower()} to {jo}" in " ".join(page.split())


class TestSuggestions:
    def test_unknown_harm_talks_no_severity_down_while_it_is_open(
        self, incident: Incident, support_assistant: System, mara: User
    ) -> None:
        incident.set_system(support_assistant, by=mara)
        incident.set_severity("sev1", by=mara)
        impacts.expose(incident, "actions", by=mara, estimate=140, how="Query log")

        def suggested() -> Any:
            incident.refresh_from_db()
            assessed = impacts.Impact.objects.filter(incident=incident).first()
            return impacts.suggested_for(incident, impact=assessed, exposures=list(incident.exposures.all()))

        assert suggested() is None
        impacts.assess(incident, by=mara, harm="near_miss", reversible="reversible")
        assert suggested().severity == "sev3"

    def test_more_harm_is_suggested_at_once(self, incident: Incident, support_assistant: System, mara: User) -> None:
        incident.set_system(support_assistant, by=mara)
        incident.set_severity("sev4", by=mara)
        impacts.expose(incident, "actions", by=mara, estimate=20_000, how="Query log")
        incident.refresh_from_db()
        found = impacts.suggested_for(incident, impact=None, exposures=list(incident.exposures.all()))
        assert found
        assert found.severity == "sev1"


class TestStatusPages:
    def test_a_system_with_something_in_triage_is_not_called_well(
        self, incident: Incident, support_assistant: System, policy_index: System, rui: User, as_person: Page
    ) -> None:
        Incident.objects.filter(pk=incident.pk).update(system=support_assistant, status="triage", acknowledged_at=None)
        page = as_person(rui).get("/status/").text
        in_doubt, _, well = page.partition("<h2>Nothing open</h2>")
        assert "Being looked at, not confirmed" in in_doubt
        assert support_assistant.get_absolute_url() in in_doubt
        assert support_assistant.get_absolute_url() not in well
        assert policy_index.get_absolute_url() in well
        listed = as_person(rui).get("/incidents/?status=triage&kind=real&system=support-assistant").text
        assert incident.title in listed

    def test_a_private_one_in_triage_is_not_told(
        self, incident: Incident, support_assistant: System, mara: User, rui: User, as_person: Page
    ) -> None:
        incident.restrict([], by=mara)
        Incident.objects.filter(pk=incident.pk).update(system=support_assistant, status="triage", acknowledged_at=None)
        assert "in triage</a>" not in as_person(rui).get("/status/").text

    def test_a_public_page_says_nothing_that_nobody_wrote(self, support_assistant: System, client: Client) -> None:
        PublicPage.objects.create(system=support_assistant, name="Assistant", is_on=True)
        page = client.get("/public/support-assistant/").text
        assert "Nothing has been published here yet." in page
        assert "problem" not in page.lower()

    def test_the_worst_stands_first_whatever_the_tier(
        self, mara: User, support_assistant: System, fraud_scorer: System, policy_index: System, as_person: Page
    ) -> None:
        Incident.objects.declare(title="Mild", by=mara, system=support_assistant, severity="sev3")  # tier 1
        Incident.objects.declare(title="Worst", by=mara, system=policy_index, severity="sev1")  # tier 2
        Incident.objects.declare(title="Mild too", by=mara, system=fraud_scorer, severity="sev3")  # tier 1
        page = as_person(mara).get("/status/").text
        assert page.index('id="policy-index"') < page.index('id="fraud-scorer"') < page.index('id="support-assistant"')
