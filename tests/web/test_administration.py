"""The administrator's site asks in the order in which people think, and only for what they decide."""

from collections.abc import Callable

from django.test import Client

from incidents.people.models import User
from incidents.systems.models import Change, System, SystemName

Page = Callable[[User], Client]


def test_a_system_is_added_by_its_name_first(ada: User, as_person: Page) -> None:
    page = as_person(ada).get("/admin/incidents/system/add/").content.decode()
    assert page.index('name="name"') < page.index('name="slug"')
    assert "created_at" not in page
    assert "Dependencies" in page
    assert "dependencys" not in page.lower()


def test_a_team_is_added_by_its_name_first(ada: User, as_person: Page) -> None:
    page = as_person(ada).get("/admin/incidents/team/add/").content.decode()
    assert page.index('name="name"') < page.index('name="slug"')


def test_who_recorded_what_is_noted_not_asked(ada: User, support_assistant: System, as_person: Page) -> None:
    client = as_person(ada)
    client.post("/admin/incidents/systemname/add/", {"name": "helper", "system": support_assistant.pk})
    change = {"title": "New prompt", "system": support_assistant.pk, "kind": "prompt"}
    moment = {"happened_at_0": "2026-01-02", "happened_at_1": "03:04:05"}
    client.post("/admin/incidents/change/add/", change | moment)
    assert SystemName.objects.get().settled_by == ada
    assert Change.objects.get().recorded_by == ada
