"""What Faultline reminds of by itself: once, whoever can do something about it, and only while it is so."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from incidents.notifications.messages import Dispatch, Notification
from incidents.notifications.nudges import nudge
from incidents.notifications.preferences import Preference
from incidents.oncall.swaps import ShiftSwap
from incidents.people.models import Team, User
from incidents.postmortems.document import Postmortem
from incidents.postmortems.due import remind
from incidents.postmortems.reviews import Review
from incidents.response.incident import Incident
from incidents.response.vocabulary import IncidentKind

Page = Callable[[User], Client]


def nudged() -> list[tuple[str, str]]:
    for _ in range(2):
        nudge()
    rows = Notification.objects.filter(key__startswith="nudge:")
    return sorted((row.person.name, row.topic) for row in rows)


def test_an_incident_that_nobody_leads_is_offered_to_the_team(known: Incident, mara: User, jo: User) -> None:
    known.assign_lead(None, by=mara)
    assert nudged() == [], "not in the first ten minutes"
    Incident.objects.update(declared_at=timezone.now() - timedelta(minutes=11))
    assert nudged() == [("Jo Lindqvist", "incident.no_lead"), ("Mara Okafor", "incident.no_lead")]


def test_what_is_contained_for_a_week_is_not_over(known: Incident, mara: User) -> None:
    known.contain(by=mara, action="rollback_model")
    assert nudged() == []
    Incident.objects.update(contained_at=timezone.now() - timedelta(days=8))
    assert nudged() == [("Mara Okafor", "incident.contained_long")]


def test_a_containment_past_its_removal_is_reminded_of_until_it_is_rolled_back(known: Incident, mara: User) -> None:
    containment = known.contain(by=mara, action="rollback_model", remove_by=timezone.now() + timedelta(days=1))
    assert nudged() == []
    with time_machine.travel(timezone.now() + timedelta(days=2)):
        assert nudged() == [("Mara Okafor", "incident.containment_due")]
    Notification.objects.all().delete()
    containment.remove(by=mara)
    with time_machine.travel(timezone.now() + timedelta(days=2)):
        assert nudged() == []


def test_a_missing_clock_is_asked_for_unless_somebody_said_why_nobody_knows_it(known: Incident, mara: User) -> None:
    known.resolve(by=mara)
    assert nudged() == []
    Incident.objects.update(resolved_at=timezone.now() - timedelta(days=2))
    known.refresh_from_db()
    assert nudged() == [("Mara Okafor", "incident.clock_missing")]
    Notification.objects.all().delete()
    for clock in known.unknown_clocks:
        known.set_clock(clock, None, by=mara, reason="The logs are gone.")
    assert nudged() == []


@pytest.mark.parametrize("kind", [IncidentKind.TEST, IncidentKind.BACKFILLED])
def test_nobody_is_reminded_of_what_does_not_count(known: Incident, mara: User, kind: str) -> None:
    known.set_kind(kind, by=mara)
    Incident.objects.update(lead=None, declared_at=timezone.now() - timedelta(days=1))
    assert nudged() == []


def test_a_muted_reminder_is_shown_and_not_mailed(known: Incident, mara: User) -> None:
    Preference(person=mara).mute("incident.no_lead", "email")
    Incident.objects.update(lead=None, declared_at=timezone.now() - timedelta(days=1))
    assert nudged() == [("Mara Okafor", "incident.no_lead")]
    assert not Dispatch.objects.exists()


def test_whoever_is_offered_a_shift_is_told_and_so_is_who_offered_it(assistants: Team, mara: User, jo: User) -> None:
    now = timezone.now()
    swap = ShiftSwap.objects.create(
        team=assistants, giver=mara, taker=jo, gives_from=now, gives_until=now + timedelta(days=1), made_by=mara
    )
    for state in ("offered", "accepted"):
        ShiftSwap.objects.filter(pk=swap.pk).update(state=state)
        for _ in range(2):
            nudge()
    rows = Notification.objects.filter(topic="on_call.swap").order_by("made_at")
    assert [row.person for row in rows] == [jo, mara]


def test_owners_and_reviewers_hear_of_what_is_due(known: Incident, mara: User, rui: User) -> None:
    known.resolve(by=mara)
    postmortem = Postmortem.objects.begin(known)
    postmortem.assign(mara, by=mara)
    Review.objects.ask(postmortem, rui, by=mara)
    remind()
    assert not Notification.objects.filter(topic="postmortem.due").exists()
    Postmortem.objects.update(due_on=timezone.localdate() - timedelta(days=1), state=Postmortem.State.IN_REVIEW)
    Review.objects.update(asked_at=timezone.now() - timedelta(days=4))
    for _ in range(2):
        remind()
    assert sorted(Notification.objects.filter(topic="postmortem.due").values_list("person__name", flat=True)) == [
        "Mara Okafor",
        "Rui Costa",
    ]
