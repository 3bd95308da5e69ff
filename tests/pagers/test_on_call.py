"""A team that points at a pager: severe incidents go there first, and to people here when that does not help."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from incidents.notifications import lanes
from incidents.notifications.destinations import Destination
from incidents.notifications.escalation import Escalation
from incidents.notifications.messages import Notification
from incidents.notifications.paging import pager_of, trouble_of
from incidents.notifications.reach import who_would_be_told
from incidents.notifications.transmissions import Transmission
from incidents.notifications.upkeep import notify
from incidents.oncall.pointer import OnCall, OnCallKind
from incidents.people.models import ApiKey, Team, User
from incidents.response.incident import Incident
from incidents.systems.models import System
from tests.notifications.receivers import Desk
from tests.pagers.conftest import FIELDS, Pager

pytestmark = pytest.mark.django_db

SignIn = Callable[[User], Client]


@pytest.fixture
def clock() -> Iterator[Any]:
    with time_machine.travel(timezone.now(), tick=False) as traveller:
        yield traveller


def point(team: Team, channel: Destination) -> None:
    base = OnCall.of(team).version
    OnCall.point_at(team, OnCallKind.PAGER, base=base, by=None, pager_service=channel.name, pager_channel=channel.pk)


@pytest.fixture
def pointed(pager: Callable[..., Pager], assistants: Team, mara: User, jo: User, ada: User) -> Pager:
    """The assistants' pager, which their rules would send nothing to, and at which they point."""
    own = pager("pagerduty", weekdays=[0], from_time="03:00", until_time="03:01", least_severity="sev1")
    point(assistants, own.channel)
    return own


def declare(system: System, severity: str = "sev2") -> Incident:
    incident = Incident.objects.declare(title="Answers are stale", by=None, system=system, severity=severity)
    notify()
    return incident


def called() -> set[str]:
    return set(Notification.objects.filter(urgency="page").values_list("person__name", flat=True))


def test_the_pager_is_the_first_rung_and_people_are_the_next(
    pointed: Pager, support_assistant: System, clock: Any
) -> None:
    incident = declare(support_assistant)
    assert list(Transmission.objects.values_list("destination", "topic")) == [(pointed.channel.pk, "incident.opened")]
    assert called() == set(), "whoever is on call is found by the pager"
    clock.shift(timedelta(minutes=9))
    notify()
    assert called() == set()
    clock.shift(timedelta(minutes=1))
    notify()
    assert called() == {"Mara Okafor", "Jo Lindqvist"}, "the responders"
    pointed.acknowledges(incident)
    clock.shift(timedelta(minutes=120))
    notify()
    assert called() == {"Mara Okafor", "Jo Lindqvist"}
    assert Escalation.objects.get().ended_at


def test_acknowledged_in_the_pager_calls_nobody_here_at_all(
    pointed: Pager, support_assistant: System, clock: Any
) -> None:
    pointed.acknowledges(declare(support_assistant))
    clock.shift(timedelta(minutes=120))
    notify()
    assert called() == set()


def test_what_is_milder_goes_to_people(pointed: Pager, support_assistant: System) -> None:
    declare(support_assistant, "sev3")
    assert not Transmission.objects.exists()
    assert Notification.objects.filter(topic="incident.opened").exists()


def test_what_becomes_severe_goes_to_the_pager(pointed: Pager, support_assistant: System) -> None:
    incident = declare(support_assistant, "sev3")
    incident.set_severity("sev1", by=None)
    notify()
    assert list(Transmission.objects.values_list("topic", flat=True)) == ["incident.raised"]
    assert called() == set()


def test_a_private_one_goes_to_the_people_it_names(pointed: Pager, support_assistant: System, mara: User) -> None:
    incident = Incident.objects.declare(
        title="A leak", by=mara, system=support_assistant, severity="sev1", private=True
    )
    notify()
    assert incident.private
    assert not Transmission.objects.exists()


@pytest.mark.parametrize(
    ("change", "why"), [("pause", "is paused"), ("remove", "was removed"), ("give away", "is another team’s now")]
)
def test_a_pager_that_cannot_be_used_leaves_people_to_be_found_here(
    pointed: Pager,
    support_assistant: System,
    assistants: Team,
    other_team: Team,
    as_person: SignIn,
    change: str,
    why: str,
) -> None:
    match change:
        case "pause":
            Destination.objects.update(paused_at=timezone.now())
        case "remove":
            Destination.objects.all().delete()
        case "give away":
            Destination.objects.update(team=other_team)
    declare(support_assistant)
    assert called() == {"Mara Okafor", "Jo Lindqvist"}
    assert why in trouble_of(assistants)
    client = as_person(User.objects.get(name="Mara Okafor"))
    for path in ("/on-call/assistants/", support_assistant.get_absolute_url()):
        assert why in client.get(path).content.decode()


@pytest.mark.parametrize("answer", [410, 400])
def test_a_pager_that_refuses_hands_it_on_at_once(
    connect: Callable[..., Destination],
    receiver: Desk,
    support_assistant: System,
    assistants: Team,
    mara: User,
    answer: int,
) -> None:
    channel = connect("pagerduty", **FIELDS["pagerduty"] | {"url": receiver.url})
    point(assistants, channel)
    receiver.status = answer
    declare(support_assistant)
    assert called() == set()
    lanes.work()
    assert Transmission.objects.get(topic="incident.opened").failed_at
    notify()
    assert called() == {"Mara Okafor"}


def test_who_would_be_told_says_the_pager(
    pointed: Pager, support_assistant: System, as_person: SignIn, mara: User, key_of: Callable[[User], ApiKey]
) -> None:
    [first, second, *_] = who_would_be_told(support_assistant, "sev1", at=timezone.now())
    assert (first.name, first.pager, first.people, first.minutes) == ("on call", "PagerDuty: PagerDuty", [], 0)
    assert (second.name, second.pager, second.minutes) == ("responders", "", 5)
    assert "PagerDuty: PagerDuty" in as_person(mara).get(support_assistant.get_absolute_url()).content.decode()
    [mild, *_] = who_would_be_told(support_assistant, "sev3", at=timezone.now())
    assert mild.pager == ""


def test_a_lead_points_at_a_pager_of_the_team(
    pager: Callable[..., Pager], assistants: Team, as_person: SignIn, jo: User, mara: User
) -> None:
    own = pager("pagerduty")
    act, sent = f"/channels/{own.channel.pk}/on-call/", {"team": "assistants", "version": "0"}
    as_person(mara).post(act, sent)
    assert pager_of(assistants) is None
    assert "Page through it" in as_person(jo).get("/on-call/assistants/edit/pager/").content.decode()
    as_person(jo).post(act, sent | {"version": "7"})
    assert pager_of(assistants) is None, "somebody changed it meanwhile"
    as_person(jo).post(act, sent)
    assert pager_of(assistants) == own.channel
    assert "goes there first" in as_person(jo).get("/on-call/assistants/").content.decode()
    named = {"version": "1", "service": "The other pager"}
    as_person(jo).post("/on-call/assistants/edit/pager/", named)
    assert pager_of(assistants) is None
    assert "sends nothing there" in as_person(jo).get("/on-call/assistants/").content.decode()


def test_neither_a_chat_nor_the_pager_of_another_team_can_be_pointed_at(
    connect: Callable[..., Destination], assistants: Team, risk: Team, as_person: SignIn, ada: User
) -> None:
    for channel in (
        connect("slack", url="https://hooks.slack.com/services/T/B/x"),
        connect("pagerduty", team=risk, **FIELDS["pagerduty"]),
    ):
        as_person(ada).post(f"/channels/{channel.pk}/on-call/", {"team": "assistants", "version": "0"})
        assert pager_of(assistants) is None


def test_the_incident_says_that_the_pager_was_told_and_who_took_it_there(
    pointed: Pager, support_assistant: System, as_person: SignIn, mara: User
) -> None:
    incident = declare(support_assistant)
    pointed.acknowledges(incident)
    shown = " ".join(as_person(mara).get(incident.get_absolute_url()).content.decode().split())
    assert "Acknowledged by Jo Doe in PagerDuty," in shown
    assert 'PagerDuty <span class="muted">An incident opened</span>' in shown
