"""A failure that comes back reopens what should have kept it away, in the transaction that shows it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from incidents.followups import proofs
from incidents.followups.models import FollowUp
from incidents.followups.recurrences import Recurrence
from incidents.notifications.messages import Notification
from incidents.people.models import User
from incidents.response.events import Event
from incidents.response.incident import Incident
from incidents.response.links import Link
from incidents.systems.models import System

MODE = "retrieval.stale_index"


@pytest.fixture
def first(incident: Incident, mara: User) -> Incident:
    incident.classify("retrieval", MODE, by=mara)
    return incident


@pytest.fixture
def follow_up(first: Incident, mara: User, jo: User) -> FollowUp:
    """Done 30 days ago, and verified."""
    made = FollowUp.objects.add(first, title="Alert on index age", by=mara, owner=mara)
    made.complete(by=mara, outcome="It is live")
    proofs.look(made, by=jo, holds=True, note="Fresh for a week")
    FollowUp.objects.filter(pk=made.pk).update(finished_at=timezone.now() - timedelta(days=30))
    made.refresh_from_db()
    Notification.objects.all().delete()
    return made


def again(by: User | None, system: System | None, **facts: Any) -> Incident:
    usual: dict[str, Any] = {"failure_mode": MODE, "category": "retrieval"}
    return Incident.objects.declare(title="Stale again", by=by, system=system, **usual | facts)


def test_a_repeat_reopens_what_was_verified_and_says_so_everywhere(
    follow_up: FollowUp, mara: User, jo: User, as_person: Callable[[User], Client]
) -> None:
    repeat = again(None, follow_up.incident.system)
    follow_up.refresh_from_db()
    assert (follow_up.state, follow_up.is_open, follow_up.verified_at) == ("did_not_hold", True, None)
    assert Recurrence.objects.get().incident == repeat
    people = Notification.objects.filter(topic="follow_up.did_not_hold").values_list("person__name", flat=True)
    assert sorted(people) == ["Jo Lindqvist", "Mara Okafor"]
    page = as_person(mara).get(follow_up.get_absolute_url()).text
    assert f'Came back as <a class="link" href="{repeat.get_absolute_url()}">{repeat}</a>' in page
    event = follow_up.incident.events.filter(kind=Event.Kind.FOLLOW_UP).latest("pk")
    assert (event.detail["became"], event.detail["other"]) == ("did_not_hold", repeat.number)
    assert "Alert on index age" in as_person(mara).get(repeat.get_absolute_url()).text


def test_it_is_reopened_with_the_incident_or_not_at_all(follow_up: FollowUp) -> None:
    with transaction.atomic():
        again(None, follow_up.incident.system)
        assert FollowUp.objects.get().state == "did_not_hold"
        transaction.set_rollback(True)
    follow_up.refresh_from_db()
    assert (follow_up.state, Recurrence.objects.count()) == ("verified", 0)


def test_an_incident_that_is_found_to_be_this_failure_or_a_repeat_reopens_it_then(
    follow_up: FollowUp, mara: User, fraud_scorer: System
) -> None:
    later = again(mara, None, failure_mode="", category="")
    later.set_system(follow_up.incident.system, by=mara)
    follow_up.refresh_from_db()
    assert follow_up.state == "verified"
    later.classify("retrieval", MODE, by=mara)
    follow_up.refresh_from_db()
    assert follow_up.state == "did_not_hold"
    later.classify("drift", "drift.covariate", by=mara)
    follow_up.refresh_from_db()
    assert (follow_up.state, follow_up.verified_because) != ("did_not_hold", ""), "it was another failure"
    elsewhere = again(mara, fraud_scorer, failure_mode="drift.covariate", category="drift")
    Link.objects.link(elsewhere, follow_up.incident, Link.Kind.REPEAT_OF, by=mara)
    follow_up.refresh_from_db()
    assert follow_up.state == "did_not_hold", "somebody says that it is a repeat"


@pytest.mark.parametrize(
    "facts",
    [
        {"kind": "test"},
        {"private": True},
        {"failure_mode": "retrieval.missing_documents"},
        {"detected_at": timezone.now() - timedelta(days=40)},
        {"impact_started_at": timezone.now() - timedelta(days=40)},
    ],
)
def test_what_is_no_recurrence_leaves_it_as_it_is(follow_up: FollowUp, mara: User, facts: dict[str, Any]) -> None:
    again(mara, follow_up.incident.system, **facts)
    follow_up.refresh_from_db()
    assert follow_up.state == "verified"


def test_after_its_window_a_recurrence_says_nothing_of_it(follow_up: FollowUp, mara: User) -> None:
    long_ago = timezone.now() - timedelta(days=300)
    FollowUp.objects.update(finished_at=long_ago, verified_at=long_ago)
    again(mara, follow_up.incident.system)
    follow_up.refresh_from_db()
    assert follow_up.state == "verified"


def test_what_should_only_show_it_sooner_is_not_disproved_by_it(follow_up: FollowUp, mara: User) -> None:
    FollowUp.objects.update(kind="detect")
    again(mara, follow_up.incident.system)
    follow_up.refresh_from_db()
    assert follow_up.state == "verified"


def test_a_false_alarm_gives_the_proof_back(follow_up: FollowUp, mara: User) -> None:
    because = follow_up.verified_because
    alarm = again(None, follow_up.incident.system)
    alarm.decline(by=mara, reason="A test of the monitor")
    follow_up.refresh_from_db()
    assert (follow_up.state, follow_up.verified_because, Recurrence.objects.count()) == ("verified", because, 0)


def test_what_is_made_private_later_tells_of_nothing_any_more(follow_up: FollowUp, mara: User) -> None:
    repeat = again(mara, follow_up.incident.system)
    repeat.restrict([], by=mara)
    follow_up.refresh_from_db()
    assert (follow_up.state, Recurrence.objects.count()) == ("verified", 0)
