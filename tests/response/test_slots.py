"""What pages of lower slices show of incidents, and to whom."""

from collections.abc import Callable

from django.test import Client

from incidents.people.models import User
from incidents.response.followers import Follower
from incidents.response.incident import Incident
from incidents.systems.models import System

As = Callable[[User], Client]


def test_a_system_shows_and_counts_only_the_incidents_that_one_may_see(
    incident: Incident, support_assistant: System, mara: User, sam: User, as_person: As
) -> None:
    assert incident.system == support_assistant
    page = as_person(sam).get(f"/systems/{support_assistant.slug}/").content.decode()
    assert incident.title in page
    assert "1 open of 1" in page
    incident.restrict([], by=mara)
    page = as_person(sam).get(f"/systems/{support_assistant.slug}/").content.decode()
    assert incident.title not in page
    assert "0 open of 0" in page


def test_an_account_lists_what_is_followed_unless_it_is_hidden_now(
    incident: Incident, support_assistant: System, mara: User, sam: User, as_person: As
) -> None:
    for person in (mara, sam):
        Follower.toggle(person, incident=incident)
        Follower.toggle(person, system=support_assistant)
    assert incident.title in as_person(sam).get("/account/").content.decode()
    incident.restrict([], by=mara)
    page = as_person(sam).get("/account/").content.decode()
    assert incident.title not in page
    assert support_assistant.get_absolute_url() in page
    assert incident.title in as_person(mara).get("/account/").content.decode()


def test_a_system_says_whether_one_follows_it(support_assistant: System, mara: User, as_person: As) -> None:
    address = support_assistant.get_absolute_url()
    assert 'aria-pressed="false"' in as_person(mara).get(address).content.decode()
    Follower.toggle(mara, system=support_assistant)
    assert 'aria-pressed="true"' in as_person(mara).get(address).content.decode()
