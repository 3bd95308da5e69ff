"""Acknowledged there is acknowledged here, whoever did it, in whatever order it comes, once."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from incidents.notifications.escalation import Escalation
from incidents.notifications.messages import Notification
from incidents.notifications.transmissions import Transmission, owe_test
from incidents.notifications.upkeep import notify
from incidents.pagers.acting import hear
from incidents.pagers.models import PagerDelivery, PagerPerson
from incidents.people.models import Membership, Team, User
from incidents.response.events import Event
from incidents.response.incident import Incident
from tests.pagers import words
from tests.pagers.conftest import Pager

pytestmark = pytest.mark.django_db

Paged = Callable[..., tuple[Pager, Incident]]
THERE = {"pagerduty": "PagerDuty", "opsgenie": "Opsgenie", "grafana_oncall": "Grafana OnCall"}


@pytest.fixture
def clock() -> Iterator[Any]:
    with time_machine.travel(timezone.now(), tick=False) as traveller:
        yield traveller


def taken(incident: Incident) -> Event | None:
    return incident.events.filter(kind="acknowledged").first()


def pages(clock: Any, minutes: int) -> int:
    before = Notification.objects.filter(urgency="page").count()
    clock.shift(timedelta(minutes=minutes))
    notify()
    return Notification.objects.filter(urgency="page").count() - before


@pytest.mark.parametrize("kind", words.KINDS)
def test_the_ladder_stops_once_it_is_acknowledged_in_the_pager(paged: Paged, ada: User, clock: Any, kind: str) -> None:
    own, incident = paged(kind)
    assert pages(clock, 5) > 0
    delivery = own.acknowledges(incident)
    assert (delivery.status, delivery.incident) == ("acknowledged", incident)
    assert pages(clock, 120) == 0
    assert Escalation.objects.get().ended_at
    incident.refresh_from_db()
    assert incident.status == "investigating"
    assert incident.acknowledged_at == timezone.now() - timedelta(minutes=120)


@pytest.mark.parametrize("kind", words.KINDS)
def test_somebody_who_is_nobody_here_counts_and_is_named(paged: Paged, kind: str) -> None:
    own, incident = paged(kind)
    own.acknowledges(incident)
    event, listed = taken(incident), PagerPerson.objects.get()
    assert event is not None
    assert event.by is None
    assert event.detail["pager"] == THERE[kind]
    assert event.detail["who"] == listed.name
    incident.refresh_from_db()
    assert incident.lead is None


@pytest.mark.parametrize("kind", ["opsgenie", "grafana_oncall"])
def test_people_are_known_by_their_address(paged: Paged, mara: User, kind: str) -> None:
    own, incident = paged(kind)
    own.acknowledges(incident, who=mara.email.upper())
    incident.refresh_from_db()
    event = taken(incident)
    assert event is not None
    assert event.by == mara
    assert "who" not in event.detail
    assert incident.lead == mara


def test_people_of_a_pager_without_addresses_are_whom_somebody_said(paged: Paged, mara: User) -> None:
    own, incident = paged("pagerduty")
    PagerPerson.objects.create(address=own.address, ref="PJODOE1", name="jd", person=mara)
    own.acknowledges(incident)
    incident.refresh_from_db()
    assert incident.lead == mara
    assert PagerPerson.objects.get().name == "Jo Doe"


@pytest.mark.parametrize("unfit", ["left", "responds for nothing"])
def test_somebody_who_may_not_respond_counts_and_leads_nothing(paged: Paged, mara: User, unfit: str) -> None:
    own, incident = paged("opsgenie")
    if unfit == "left":
        User.objects.filter(pk=mara.pk).update(is_active=False)
    else:
        Membership.objects.filter(user=mara).delete()
    own.acknowledges(incident, who=mara.email)
    incident.refresh_from_db()
    event = taken(incident)
    assert event is not None
    assert (event.by, event.detail["who"], incident.lead) == (None, mara.email, None)


def test_it_is_not_told_back_to_the_pager_it_came_from(paged: Paged, pager: Callable[..., Pager]) -> None:
    other = pager("opsgenie")
    own, incident = paged("pagerduty")
    own.acknowledges(incident)
    notify()
    told = Transmission.objects.filter(incident=incident, topic="incident.acknowledged")
    assert [row.destination for row in told] == [other.channel]
    assert told[0].subject.startswith("Acknowledged by Jo Doe in PagerDuty: ")


def test_our_own_acknowledgement_comes_back_and_changes_nothing(paged: Paged, mara: User) -> None:
    own, incident = paged("pagerduty")
    incident.acknowledge(by=mara)
    delivery = own.acknowledges(incident, who=None)
    assert (delivery.status, delivery.reason) == ("nothing", f"{incident} was investigating already.")
    incident.undo(by=mara)
    late = own.acknowledges(incident, who=None)
    assert "No person did it" in late.reason
    incident.refresh_from_db()
    assert incident.status == "triage"


def test_what_opsgenie_says_of_our_own_request_is_no_acknowledgement(paged: Paged) -> None:
    own, incident = paged("opsgenie")
    delivery = own.acknowledges(incident, source="Faultline")
    assert delivery.status == "nothing"
    assert taken(incident) is None


def test_an_acknowledgement_from_before_it_was_taken_back_comes_too_late(paged: Paged, mara: User) -> None:
    own, incident = paged("pagerduty")
    before = timezone.now()
    incident.acknowledge(by=mara)
    incident.undo(by=mara)
    late = own.acknowledges(incident, at=before)
    assert "came late" in late.reason
    assert own.acknowledges(incident, at=timezone.now()).status == "acknowledged"


@pytest.mark.parametrize("kind", words.KINDS)
def test_what_comes_twice_counts_once(paged: Paged, kind: str) -> None:
    own, incident = paged(kind)
    word = words.acknowledged(kind, f"INC-{incident.number}")
    first = own.says(word)
    again = own.says(word | {"sent": "again"})
    assert (first.status, again.status) == ("acknowledged", "nothing")
    assert again.reason == "It came before, and counts once."
    assert incident.events.filter(kind="acknowledged").count() == 1


def test_the_order_does_not_matter(paged: Paged) -> None:
    own, incident = paged("pagerduty")
    name = f"INC-{incident.number}"
    order = ["incident.unacknowledged", "incident.resolved", "incident.acknowledged"]
    got = [own.says(words.pagerduty(kind, name)).status for kind in order]
    assert got == ["noted", "acknowledged", "nothing"]
    incident.refresh_from_db()
    assert incident.status == "investigating", "a resolve there takes it, and does not resolve it"
    assert [event.detail["did"] for event in incident.events.filter(kind="pager")] == ["unacknowledged", "resolved"]


@pytest.mark.parametrize(
    ("kind", "word", "did"),
    [
        ("pagerduty", words.pagerduty("incident.escalated", "INC-1"), "escalated"),
        ("pagerduty", words.pagerduty("incident.reassigned", "INC-1"), "reassigned"),
        ("pagerduty", words.pagerduty("incident.unacknowledged", "INC-1", who=None), "unacknowledged"),
        ("opsgenie", words.opsgenie("UnAcknowledge", "INC-1"), "unacknowledged"),
        ("opsgenie", words.opsgenie("EscalateNext", "INC-1"), "escalated"),
        ("opsgenie", words.opsgenie("AddNote", "INC-1", note="Looking at the index"), "noted"),
        ("opsgenie", words.opsgenie("Close", "INC-1"), "resolved"),
        ("grafana_oncall", words.oncall("unacknowledge", "INC-1"), "unacknowledged"),
        ("grafana_oncall", words.oncall("unresolve", "INC-1"), "reopened"),
    ],
)
def test_what_else_happens_there_is_noted(paged: Paged, kind: str, word: dict[str, Any], did: str) -> None:
    own, incident = paged(kind)
    text = json.dumps(word).replace("INC-1", f"INC-{incident.number}")
    own.says(json.loads(text))
    event = incident.events.get(kind="pager")
    assert (event.detail["did"], event.detail["pager"]) == (did, THERE[kind])
    assert event.detail.get("text", "") == ("Looking at the index" if did == "noted" else "")


def test_a_note_of_pagerduty_belongs_to_the_alert_that_was_heard_of_before(paged: Paged) -> None:
    own, incident = paged("pagerduty")
    note = {"id": "P2LA89X", "type": "incident_note", "content": "On it", "incident": {"id": "QALERT1"}}
    assert own.says(words.pagerduty("incident.annotated", None, data=note)).status == "nothing"
    own.says(words.pagerduty("incident.triggered", f"INC-{incident.number}", who=None))
    assert own.says(words.pagerduty("incident.annotated", None, data=note)).status == "noted"
    assert incident.events.get(kind="pager").detail["text"] == "On it"


def test_an_alert_of_pagerduty_without_its_key_is_known_by_its_title(paged: Paged) -> None:
    own, incident = paged("pagerduty")
    data = {"id": "Q1", "type": "incident", "incident_key": None, "title": f"Opened: SEV1 {incident}: as in INC-1999"}
    assert own.says(words.pagerduty("incident.acknowledged", None, data=data)).status == "acknowledged"


def test_of_what_the_channel_was_not_told_it_acknowledges_nothing(
    paged: Paged, pager: Callable[..., Pager], other_team: Team
) -> None:
    _, incident = paged("pagerduty")
    stranger = pager("opsgenie", team=other_team)
    delivery = stranger.acknowledges(incident)
    assert (delivery.status, delivery.incident) == ("nothing", None)
    assert "names no incident that this channel was told of" in delivery.reason
    assert taken(incident) is None


def test_of_what_never_arrived_there_it_acknowledges_nothing(paged: Paged) -> None:
    own, incident = paged("pagerduty")
    Transmission.objects.update(failed_at=timezone.now())
    assert own.acknowledges(incident).status == "nothing"
    assert taken(incident) is None


@pytest.mark.parametrize(("named", "takes"), [(False, False), (True, True)])
def test_a_private_incident_is_taken_by_whom_it_names_alone(
    paged: Paged, mara: User, jo: User, named: bool, takes: bool
) -> None:
    own, incident = paged("opsgenie")
    incident.restrict([jo, mara] if named else [jo], by=jo)
    delivery = own.acknowledges(incident, who=mara.email)
    assert (taken(incident) is not None) == takes
    assert PagerDelivery.objects.visible_to(mara).filter(pk=delivery.pk).exists() == named
    assert PagerDelivery.objects.visible_to(jo).filter(pk=delivery.pk).exists()


def test_tests_are_known_as_tests(paged: Paged) -> None:
    own, _ = paged("pagerduty")
    ping = {"message": "Hello", "type": "ping"}
    assert "reaches this address" in own.says(words.pagerduty("pagey.ping", None, data=ping)).reason
    [opened, _] = owe_test(own.channel)
    assert "the way back works" in own.says(words.pagerduty("incident.acknowledged", opened.key)).reason


@pytest.mark.parametrize("kind", words.KINDS)
@pytest.mark.parametrize(
    "word", [[], {}, {"event": None}, {"event": []}, {"alert": 1, "action": {}}, {"event": {"event_type": []}}, "x"]
)
def test_what_is_no_word_of_the_pager_is_kept_as_not_understood(
    pager: Callable[..., Pager], kind: str, word: Any
) -> None:
    delivery = pager(kind).says(word)
    assert delivery.status == "dead"
    assert delivery.reason.startswith(("There is no", "The body is"))


def test_strange_values_raise_nothing(paged: Paged) -> None:
    own, incident = paged("pagerduty")
    word = words.pagerduty("incident.acknowledged", f"INC-{incident.number}")
    word["event"]["agent"] = {"type": "user_reference", "id": "x" * 5000, "summary": "\x00\ud800" * 3000}
    word["event"]["occurred_at"] = "9999-99-99"
    word["event"]["data"]["id"] = {"a": [1]}
    assert own.says(word).status == "acknowledged"
    beyond = words.pagerduty("incident.acknowledged", "INC-99999999999999999999")
    assert own.says(beyond).status == "nothing"


def test_nothing_waits_after_a_turn(paged: Paged) -> None:
    own, incident = paged("pagerduty")
    for _ in range(3):
        own.post(json.dumps(words.acknowledged("pagerduty", f"INC-{incident.number}")).encode())
    assert hear() == 3
    assert hear() == 0
