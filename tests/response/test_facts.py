"""The facts of an incident, each asked for and saved by itself: in its place on the page, or on a page of its own."""

import re
from collections.abc import Callable

import pytest
from django.test import Client

from incidents.people.models import User
from incidents.response.incident import Incident
from incidents.response.roles import ResponseRole
from incidents.systems.models import System

Page = Callable[[User], Client]

IN_PLACE = {"HX-Request": "true"}
FACTS = "severity classify system lead noticed kind describe visibility call channel link roles/scribe".split()


def seen(page: str) -> str:
    """What a form says that it has seen."""
    found = re.search(r'name="seen" value="(\w+)"', page)
    assert found
    return found[1]


@pytest.mark.parametrize("fact", FACTS)
def test_each_is_asked_for_in_its_place_and_on_a_page_of_its_own_by_whoever_may_respond(
    incident: Incident, mara: User, rui: User, sam: User, as_person: Page, fact: str
) -> None:
    address = f"{incident.get_absolute_url()}{fact}/"
    alone = as_person(mara).get(address)
    assert alone.status_code == 200
    assert "<h1>" in alone.text
    assert "<label" in alone.text
    fragment = as_person(mara).get(address, headers=IN_PLACE)
    assert fragment.status_code == 200
    assert "data-editing" in fragment.text
    assert "<html" not in fragment.text
    assert as_person(rui).get(address).status_code == 403
    incident.restrict([], by=mara)
    assert as_person(sam).get(address).status_code == 404
    assert as_person(sam).post(address, {}).status_code == 404


def test_a_fact_is_saved_in_its_place_without_a_page_and_else_leads_back(
    incident: Incident, mara: User, as_person: Page
) -> None:
    address = f"{incident.get_absolute_url()}severity/"
    assert as_person(mara).post(address, {"severity": "sev1"}, headers=IN_PLACE).status_code == 204
    answer = as_person(mara).post(address, {"severity": "sev3"})
    assert (answer.status_code, answer["Location"]) == (302, incident.get_absolute_url())
    incident.refresh_from_db()
    assert incident.severity == "sev3"


@pytest.mark.parametrize(
    ("fact", "typed", "error"),
    [
        ("severity", {"severity": "sev9"}, "sev9"),
        ("describe", {"title": " ", "summary": "Half a thought"}, "Half a thought"),
        ("classify", {"failure": "weather.rain"}, "weather.rain"),
        ("call", {"url": "javascript:alert(1)"}, "javascript:alert(1)"),
        ("channel", {"channel": "#inc", "url": "https://"}, "#inc"),
        ("system", {"system": "nobody"}, "not one of the available choices"),
        ("link", {"kind": "related", "other": "INC-99"}, "There is no INC-99"),
        ("roles/scribe", {"people": "99999999"}, "not one of the available choices"),
        ("visibility", {"private": "yes", "people": ["x"]}, "not a valid value"),
    ],
)
def test_what_is_refused_says_so_at_the_field_and_changes_nothing(
    incident: Incident, mara: User, as_person: Page, fact: str, typed: dict[str, object], error: str
) -> None:
    before = incident.events.count()
    address = f"{incident.get_absolute_url()}{fact}/"
    for headers in ({}, IN_PLACE):
        answer = as_person(mara).post(address, typed, headers=headers)
        assert answer.status_code == 422
        assert "field__error" in answer.text
        assert error in answer.text
    assert incident.events.count() == before


def test_what_was_said_meanwhile_is_not_undone_unless_one_insists(
    incident: Incident, mara: User, jo: User, as_person: Page
) -> None:
    address = f"{incident.get_absolute_url()}severity/"
    shown = as_person(mara).get(address, headers=IN_PLACE).text
    incident.set_severity("sev1", by=jo)
    answer = as_person(mara).post(address, {"severity": "sev4", "seen": seen(shown)}, headers=IN_PLACE)
    assert answer.status_code == 409
    assert "“SEV1” meanwhile" in answer.text
    assert re.search(r'value="sev4"[^>]*checked', answer.text, re.DOTALL), "what was chosen stays chosen"
    incident.refresh_from_db()
    assert incident.severity == "sev1"
    again = as_person(mara).post(address, {"severity": "sev4", "seen": seen(answer.text)}, headers=IN_PLACE)
    assert again.status_code == 204
    incident.refresh_from_db()
    assert incident.severity == "sev4"


def test_another_fact_said_meanwhile_stands_in_nobodys_way(
    incident: Incident, mara: User, jo: User, as_person: Page
) -> None:
    address = f"{incident.get_absolute_url()}noticed/"
    shown = as_person(mara).get(address).text
    incident.set_severity("sev1", by=jo)
    assert as_person(mara).post(address, {"noticed_by": "user", "seen": seen(shown)}).status_code == 302


def test_all_failure_modes_are_offered_by_category(incident: Incident, mara: User, as_person: Page) -> None:
    page = as_person(mara).get(f"{incident.get_absolute_url()}classify/", headers=IN_PLACE).text
    assert page.count('name="failure"') == 59 + 7 + 1, "the modes, their categories and none"
    assert page.count('role="group"') == 7


class TestRoles:
    def test_several_people_have_a_role_that_allows_it_and_the_story_says_so(
        self, incident: Incident, mara: User, jo: User, rui: User, as_person: Page
    ) -> None:
        address = f"{incident.get_absolute_url()}roles/investigator/"
        as_person(mara).post(address, {"people": [jo.pk, rui.pk]})
        as_person(mara).post(address, {"people": [rui.pk]})
        assert [row.person for row in incident.assignments.all()] == [rui]
        page = as_person(mara).get(incident.get_absolute_url()).text
        assert "assigned investigator to Jo Lindqvist and Rui Costa" in page
        assert "assigned investigator to Rui Costa" in page

    def test_only_one_has_another(self, incident: Incident, mara: User, jo: User, rui: User, as_person: Page) -> None:
        assert ResponseRole.objects.get(code="scribe").several is False
        address = f"{incident.get_absolute_url()}roles/scribe/"
        for person in (jo, rui):
            as_person(mara).post(address, {"people": person.pk})
        assert [row.person for row in incident.assignments.all()] == [rui]
        as_person(mara).post(address, {"people": ""})
        assert not incident.assignments.exists()

    @pytest.mark.parametrize("code", ["lead", "nobody"])
    def test_the_lead_and_what_is_no_role_are_not_among_them(
        self, incident: Incident, mara: User, as_person: Page, code: str
    ) -> None:
        assert as_person(mara).get(f"{incident.get_absolute_url()}roles/{code}/").status_code == 404

    def test_whoever_may_not_see_it_gets_no_role(
        self, incident: Incident, mara: User, rui: User, as_person: Page
    ) -> None:
        incident.restrict([], by=mara)
        answer = as_person(mara).post(f"{incident.get_absolute_url()}roles/scribe/", {"people": rui.pk})
        assert answer.status_code == 422
        assert "may not see" in answer.text


class TestVisibility:
    def test_people_who_are_named_see_it_and_nobody_else(
        self, incident: Incident, mara: User, jo: User, sam: User, rui: User, as_person: Page
    ) -> None:
        address = f"{incident.get_absolute_url()}visibility/"
        as_person(jo).post(address, {"private": "yes", "people": [sam.pk]})
        assert set(incident.people.all()) == {sam, jo, mara}
        assert not Incident.objects.visible_to(rui).exists()
        page = as_person(jo).get(f"{incident.get_absolute_url()}?show=log").text
        assert "Jo Lindqvist, Mara Okafor, Sam Outsider may see it" in page
        as_person(jo).post(address, {"private": "", "people": [sam.pk, jo.pk, mara.pk]})
        assert Incident.objects.visible_to(rui).exists()

    def test_naming_people_of_what_everybody_sees_hides_nothing_and_says_so(
        self, incident: Incident, jo: User, sam: User, as_person: Page
    ) -> None:
        address = f"{incident.get_absolute_url()}visibility/"
        answer = as_person(jo).post(address, {"private": "", "people": [sam.pk]})
        assert answer.status_code == 422
        assert "choose “Only these people” too" in answer.text


def test_the_head_links_to_the_call_and_the_channel_for_whoever_may_see_it(
    incident: Incident, mara: User, lee: User, as_person: Page
) -> None:
    incident.set_call("https://meet.example/inc-1?a=1&b=\"2'", by=mara)
    incident.set_channel("#inc-<1>", "", by=mara)
    page = as_person(lee).get(incident.get_absolute_url()).text
    assert 'rel="noopener" href="https://meet.example/inc-1?a=1&amp;b=&quot;2&#x27;"' in page
    assert "#inc-&lt;1&gt;" in page


def test_a_reader_sees_the_facts_and_no_button(
    incident: Incident, support_assistant: System, lee: User, as_person: Page
) -> None:
    page = as_person(lee).get(incident.get_absolute_url()).text
    about = page.partition('id="about"')[2].partition("</details>")[0]
    assert support_assistant.name in about
    assert "<button" not in about
