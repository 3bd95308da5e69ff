"""The ladder: an incident that nobody acknowledges reaches more and more people, and never goes quiet."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from incidents.errors import Refused
from incidents.notifications import escalation
from incidents.notifications.escalation import Escalation
from incidents.notifications.messages import Notification
from incidents.notifications.upkeep import notify
from incidents.people.models import Team, User
from incidents.response.incident import Incident
from incidents.systems.models import System

Page = Callable[[User], Client]


@pytest.fixture
def clock() -> Iterator[Any]:
    with time_machine.travel(timezone.now(), tick=False) as traveller:
        yield traveller


@pytest.fixture
def waiting(support_assistant: System, mara: User, jo: User, ada: User) -> Incident:
    """A SEV1 of a tier-1 system that an alert opened; nobody has taken it."""
    return Incident.objects.declare(title="Answers are stale", by=None, system=support_assistant, severity="sev1")


def called(clock: Any, minutes: int = 0) -> set[str]:
    """Who is called when that many more minutes have passed."""
    before = set(Notification.objects.values_list("pk", flat=True))
    clock.shift(timedelta(minutes=minutes))
    notify()
    rows = Notification.objects.exclude(pk__in=before).filter(urgency="page")
    return set(rows.values_list("person__name", flat=True))


def test_it_climbs_from_rung_to_rung_and_repeats_the_last(waiting: Incident, clock: Any) -> None:
    assert called(clock) == {"Mara Okafor", "Jo Lindqvist"}
    assert called(clock, 4) == set()
    assert called(clock, 1) == {"Jo Lindqvist"}, "the leads; the responders were told at once, as nobody is on call"
    assert called(clock, 5) == {"Ada Admin"}
    for _ in range(3):
        assert called(clock, 5) == {"Ada Admin"}, "the last rung repeats: it never ends in silence"


def test_acknowledging_it_ends_the_calls(waiting: Incident, mara: User, clock: Any) -> None:
    assert called(clock)
    waiting.acknowledge(by=mara)
    assert called(clock, 60) == set()
    assert Escalation.objects.get().ended_at


@pytest.mark.parametrize(
    ("severity", "tier", "minutes"), [("sev1", 1, 5), ("sev1", 3, 10), ("sev2", 1, 10), ("sev2", 2, 20)]
)
def test_the_worse_it_is_the_sooner_it_climbs(
    support_assistant: System, mara: User, ada: User, clock: Any, severity: str, tier: int, minutes: int
) -> None:
    System.objects.update(tier=tier)
    support_assistant.refresh_from_db()
    Incident.objects.declare(title="Stale", by=None, system=support_assistant, severity=severity)
    called(clock)
    assert called(clock, minutes - 1) == set()
    assert called(clock, 1) == {"Ada Admin"}


@pytest.mark.parametrize("end", ["decline", "merge", "lower"])
def test_what_nobody_needs_to_take_any_more_calls_nobody(
    waiting: Incident, incident: Incident, mara: User, clock: Any, end: str
) -> None:
    called(clock)
    match end:
        case "decline":
            waiting.decline(by=mara, reason="A false alarm.")
        case "merge":
            waiting.merge_into(incident, by=mara)
        case "lower":
            waiting.set_severity("sev4", by=mara)
    assert called(clock, 60) == set()


def test_one_that_becomes_severe_in_triage_begins_to_climb(
    support_assistant: System, mara: User, ada: User, clock: Any
) -> None:
    incident = Incident.objects.declare(title="Stale", by=None, system=support_assistant, severity="sev4")
    assert called(clock, 60) == set()
    incident.set_severity("sev1", by=None)
    assert called(clock) == {"Mara Okafor"}
    assert called(clock, 5) == {"Ada Admin"}


def test_snoozing_it_calls_nobody_for_that_long(waiting: Incident, mara: User, clock: Any) -> None:
    called(clock)
    escalation.snooze(waiting, by=mara, minutes=30)
    assert called(clock, 29) == set()
    assert called(clock, 1) == {"Jo Lindqvist"}
    waiting.acknowledge(by=mara)
    notify()
    with pytest.raises(Refused, match="Nobody is being called"):
        escalation.snooze(waiting, by=mara, minutes=30)


def test_a_private_one_calls_only_whom_it_names(waiting: Incident, mara: User, jo: User, clock: Any) -> None:
    waiting.restrict([mara], by=mara)
    assert called(clock) == {"Mara Okafor"}
    for _ in range(4):
        assert called(clock, 5) <= {"Mara Okafor"}
    assert called(clock, 5) == {"Mara Okafor"}


def test_the_page_says_who_was_told_and_who_is_next_and_snoozes(
    waiting: Incident, mara: User, sam: User, as_person: Page
) -> None:
    notify()
    page = as_person(mara).get(waiting.get_absolute_url()).text
    assert "2 messages to" in page
    assert "Not acknowledged: the leads" in page
    assert "Snooze for 30 minutes" in page
    assert "Snooze for 30 minutes" not in as_person(sam).get(waiting.get_absolute_url()).text
    as_person(mara).post(f"{waiting.get_absolute_url()}snooze/")
    assert "Snoozed by Mara Okafor" in as_person(mara).get(waiting.get_absolute_url()).text


def test_a_systems_page_says_whom_a_sev1_would_reach(
    support_assistant: System, assistants: Team, mara: User, jo: User, ada: User, as_person: Page
) -> None:
    page = as_person(mara).get(support_assistant.get_absolute_url()).text
    reach = page[page.index("A SEV1 now would reach") :]
    assert reach.index("Mara Okafor") < reach.index("After 5 min") < reach.index("Ada Admin")
