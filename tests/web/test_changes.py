"""A change that no pipeline announced is recorded by hand."""

from collections.abc import Callable

import pytest
from django.test import Client

from incidents.people.models import User
from incidents.response.incident import Incident
from incidents.systems.models import Change, System

Page = Callable[[User], Client]


def test_from_the_incident_that_misses_it_and_back(
    incident: Incident, support_assistant: System, mara: User, as_person: Page
) -> None:
    incident.set_system(support_assistant, by=mara)
    client, here = as_person(mara), incident.get_absolute_url()
    address = f"/systems/support-assistant/changes/new/?next={here}"
    assert f'href="{address}"' in client.get(here).text
    assert f'name="next" value="{here}"' in client.get(address).text
    sent = {"kind": "index", "title": "Rebuilt the index", "happened_at": "2026-11-01T10:00", "next": here}
    answer = client.post("/systems/support-assistant/changes/new/", sent)
    assert (answer.status_code, answer["Location"]) == (302, here)
    change = Change.objects.get(title="Rebuilt the index")
    assert (change.system, change.recorded_by) == (support_assistant, mara)


@pytest.mark.parametrize(
    ("typed", "error"),
    [
        ({"title": ""}, "This field is required."),
        ({"happened_at": "2190-01-01T10:00"}, "This is in the future."),
        ({"happened_at": "0001-01-01T10:00"}, "Enter a date between 2000 and 2200."),
        ({"url": "javascript:alert(1)"}, "Enter a valid URL."),
    ],
)
def test_what_is_wrong_is_said_at_the_field(
    support_assistant: System, mara: User, as_person: Page, typed: dict[str, str], error: str
) -> None:
    sent = {"kind": "model", "title": "New model", "version": "7"} | typed
    answer = as_person(mara).post("/systems/support-assistant/changes/new/", sent)
    assert answer.status_code == 422
    assert error in answer.text
    assert 'value="7"' in answer.text
    assert not Change.objects.exists()


def test_another_team_may_not(support_assistant: System, rui: User, as_person: Page) -> None:
    client = as_person(rui)
    assert client.get("/systems/support-assistant/changes/new/").status_code == 403
    assert "Record a change" not in client.get("/systems/support-assistant/").text


def test_it_leads_back_to_no_other_site(support_assistant: System, mara: User, as_person: Page) -> None:
    sent = {"kind": "model", "title": "New model", "next": "https://evil.example/"}
    answer = as_person(mara).post("/systems/support-assistant/changes/new/", sent)
    assert answer["Location"] == "/systems/support-assistant/"
