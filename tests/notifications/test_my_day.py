"""Home is what waits for whoever is signed in, and nothing that they may not see."""

from collections.abc import Callable
from datetime import timedelta

from django.test import Client
from django.utils import timezone

from incidents.followups.models import FollowUp
from incidents.notifications.announcing import announce
from incidents.people.models import User
from incidents.response.followers import Follower
from incidents.response.incident import Incident
from incidents.response.roles import Handover, ResponseRole
from incidents.response.tasks import Task
from incidents.systems.models import System

Page = Callable[[User], Client]


def test_it_shows_what_one_leads_is_asked_and_owes(incident: Incident, mara: User, jo: User, as_person: Page) -> None:
    Handover.objects.offer(incident, ResponseRole.objects.get(code="lead"), to=jo, summary="Sampling.", by=mara)
    Task.objects.add(incident, title="Sample fifty answers", by=mara, owner=jo)
    FollowUp.objects.add(
        incident, title="Alert on index age", by=mara, owner=jo, due_on=timezone.localdate() - timedelta(days=400)
    )
    hers, his = (as_person(person).get("/").text for person in (mara, jo))
    assert "you lead it" in hers
    assert "Sample fifty answers" not in hers
    for wanted in ("hands INC-1 over to you", "Sample fifty answers", "Alert on index age"):
        assert wanted in his


def test_whoever_was_called_finds_what_nobody_has_taken(
    support_assistant: System, mara: User, jo: User, as_person: Page
) -> None:
    incident = Incident.objects.declare(title="Stale", by=None, system=support_assistant, severity="sev1")
    announce()
    assert "you were called" in as_person(mara).get("/").text
    incident.acknowledge(by=jo)
    assert "Nothing waits for you" in as_person(mara).get("/").text


def test_it_shows_nothing_of_a_private_incident_to_whom_it_does_not_name(
    incident: Incident, mara: User, jo: User, as_person: Page
) -> None:
    Follower.toggle(jo, system=incident.system)
    Task.objects.add(incident, title="Sample fifty answers", by=mara, owner=jo)
    assert incident.title in as_person(jo).get("/").text
    incident.restrict([mara], by=mara)
    Incident.people.through.objects.filter(user=jo).delete()
    page = as_person(jo).get("/").text
    assert incident.title not in page
    assert "Sample fifty answers" not in page
    assert "Nothing waits for you" in page
