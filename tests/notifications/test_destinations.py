"""Which channels are told of what: by team, severity, kind of failure, days and hours, and never of private incidents."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, time

import pytest
import time_machine

from incidents.notifications import lanes, preview
from incidents.notifications.announcing import announce
from incidents.notifications.destinations import Destination
from incidents.notifications.transmissions import Transmission
from incidents.people.models import Team, User
from incidents.response.incident import Incident
from incidents.response.updates import Update
from incidents.systems.models import System

Connect = Callable[..., Destination]
HERE = "https://hooks.slack.com/services/T/B/secret-of-slack"
WEDNESDAY = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _wednesday() -> Iterator[None]:
    with time_machine.travel(WEDNESDAY, tick=False):
        yield


def topics(row: Destination) -> list[str]:
    announce()
    return list(Transmission.objects.filter(destination=row).order_by("pk").values_list("topic", flat=True))


def declare(by: User, system: System, severity: str = "sev2", **fields: object) -> Incident:
    return Incident.objects.declare(title="Answers cite old prices", by=by, system=system, severity=severity, **fields)


def test_a_channel_hears_how_an_incident_goes(connect: Connect, mara: User, support_assistant: System) -> None:
    row = connect(url=HERE)
    incident = declare(mara, support_assistant, "sev3")
    incident.set_severity("sev1", by=mara)
    announce()
    incident.resolve(by=mara, note="Rolled back.")
    assert topics(row) == ["incident.opened", "incident.raised", "incident.status"]
    closed = Transmission.objects.latest("pk").announcement
    assert closed.closing
    assert closed.incident is not None
    assert closed.incident.url.endswith(f"/incidents/{incident.number}/")


def test_each_event_is_owed_once_however_often_it_is_worked_out(
    connect: Connect, mara: User, support_assistant: System
) -> None:
    row = connect(url=HERE)
    incident = declare(mara, support_assistant)
    event = incident.events.first()
    assert event
    first = topics(row)
    announcement = Transmission.objects.get().announcement
    Transmission.objects.owe(announcement, incident, event=event)
    assert topics(row) == first == ["incident.opened"]


def test_only_the_owning_teams_channels_and_the_organisations_hear(
    connect: Connect, mara: User, support_assistant: System, risk: Team
) -> None:
    own, everybodys, others = connect(url=HERE), connect(url=HERE, team=None), connect(url=HERE, team=risk)
    declare(mara, support_assistant)
    assert (topics(own), topics(everybodys), topics(others)) == (["incident.opened"], ["incident.opened"], [])


def test_nothing_of_a_private_incident_leaves(connect: Connect, mara: User, support_assistant: System) -> None:
    rows = [connect(url=HERE), connect(url=HERE, team=None), connect("pagerduty", routing_key="0" * 32)]
    incident = declare(mara, support_assistant, private=True)
    incident.set_severity("sev1", by=mara)
    assert [topics(row) for row in rows] == [[], [], []]


def test_what_is_a_test_or_entered_afterwards_is_not_told(
    connect: Connect, mara: User, support_assistant: System
) -> None:
    row = connect(url=HERE)
    declare(mara, support_assistant, kind="test")
    declare(mara, support_assistant, kind="backfilled")
    assert topics(row) == []


@pytest.mark.parametrize(
    ("least", "severity", "told"),
    [("", "sev4", 1), ("sev2", "sev2", 1), ("sev2", "sev1", 1), ("sev2", "sev3", 0), ("sev2", "unknown", 0), ("sev3", "unknown", 1), ("sev1", "sev2", 0)],
)  # fmt: skip
def test_a_channel_may_ask_for_a_severity_at_least(
    least: str, severity: str, told: int, connect: Connect, mara: User, support_assistant: System
) -> None:
    row = connect(url=HERE, least_severity=least)
    declare(mara, support_assistant, severity)
    assert len(topics(row)) == told


def test_a_channel_may_ask_for_kinds_of_failure_and_for_topics(
    connect: Connect, mara: User, support_assistant: System
) -> None:
    drift = connect(url=HERE, categories=["drift"])
    updates = connect(url=HERE, topics=["incident.update"])
    declare(mara, support_assistant, category="retrieval")
    declare(mara, support_assistant, category="drift")
    assert (topics(drift), topics(updates)) == (["incident.opened"], [])


@pytest.mark.parametrize(
    ("hours", "moment", "on"),
    [
        ({}, WEDNESDAY, True),
        ({"weekdays": [2]}, WEDNESDAY, True),
        ({"weekdays": [5, 6]}, WEDNESDAY, False),
        ({"from_time": time(9), "until_time": time(17)}, WEDNESDAY, True),
        ({"from_time": time(9), "until_time": time(9, 30)}, WEDNESDAY, False),
        ({"from_time": time(9), "until_time": time(17), "time_zone": "America/New_York"}, WEDNESDAY, False),
        ({"from_time": time(22), "until_time": time(6)}, WEDNESDAY, False),
        ({"from_time": time(22), "until_time": time(6)}, WEDNESDAY.replace(hour=23), True),
        ({"from_time": time(22), "until_time": time(6)}, WEDNESDAY.replace(hour=3), True),
        ({"from_time": time(22), "until_time": time(6), "weekdays": [2]}, WEDNESDAY.replace(hour=3), False),
        ({"from_time": time(22), "until_time": time(6), "weekdays": [1]}, WEDNESDAY.replace(hour=3), True),
    ],
)
def test_days_and_hours_are_those_of_its_time_zone(hours: dict[str, object], moment: datetime, on: bool) -> None:
    assert Destination(**hours).hours.cover(moment) is on


class TestPagers:
    def test_a_pager_is_told_the_end_of_what_it_was_told_the_beginning_of(
        self, connect: Connect, mara: User, support_assistant: System
    ) -> None:
        row = connect("pagerduty", routing_key="0" * 32, least_severity="sev2")
        incident = declare(mara, support_assistant, "sev2")
        assert topics(row) == ["incident.opened"]
        incident.set_severity("sev4", by=mara)
        incident.resolve(by=mara)
        assert topics(row) == ["incident.opened", "incident.status"]

    def test_a_pager_hears_nothing_of_the_end_of_what_it_never_heard_of(
        self, connect: Connect, mara: User, support_assistant: System
    ) -> None:
        row = connect("pagerduty", routing_key="0" * 32, least_severity="sev1")
        incident = declare(mara, support_assistant, "sev2")
        incident.resolve(by=mara)
        assert topics(row) == []

    def test_a_pager_hears_no_updates(self, connect: Connect, mara: User, support_assistant: System) -> None:
        row = connect("goalert", url="https://goalert.example.com/api/v2/generic/incoming?token=t")
        incident = declare(mara, support_assistant)
        Update.objects.post(incident, text="We are looking.", by=mara)
        assert topics(row) == ["incident.opened"]


class TestSecrets:
    def test_they_are_sealed_and_only_their_end_is_shown(self, connect: Connect) -> None:
        row = connect(url=HERE)
        assert b"secret-of-slack" not in bytes(row.sealed)
        assert row.shown_fields == [("Webhook address", "hooks.slack.com/…lack")]
        assert row.config() == {"url": HERE}

    def test_an_empty_field_keeps_what_is_stored(self, connect: Connect) -> None:
        row = connect("ntfy", url="https://ntfy.sh", topic="faultline-4711")
        row.keep({"url": "https://ntfy.example", "topic": "", "token": ""})
        assert row.config() == {"url": "https://ntfy.example", "topic": "faultline-4711"}

    def test_a_former_secret_signs_for_a_day_beside_the_new_one(self, connect: Connect) -> None:
        row = connect("webhook", url="https://hooks.example.com/in")
        first = (row.config() or {})["secret"]
        second = row.rotate()
        assert row.config() == {"url": "https://hooks.example.com/in", "secret": second, "previous_secret": first}
        with time_machine.travel(WEDNESDAY.replace(day=5, hour=10), tick=False):
            assert row.config() == {"url": "https://hooks.example.com/in", "secret": second}


def test_what_tells_of_a_private_incident_within_another_is_neither_sent_nor_shown(
    connect: Connect, mara: User, jo: User, support_assistant: System
) -> None:
    """A merge that was taken back stays in the log of the public incident, for those who may see the other one."""
    row = connect(url=HERE)
    public, other = declare(mara, support_assistant), declare(mara, support_assistant)
    public.merge_into(other, by=mara)
    first = topics(row)
    public.refresh_from_db()
    public.undo(by=mara)
    other.refresh_from_db()
    other.restrict([mara], by=mara)
    assert topics(row) == first == ["incident.opened", "incident.opened", "incident.status"]
    assert [one.topic for one in Transmission.objects.visible_to(jo)] == ["incident.opened"]
    assert Transmission.objects.visible_to(mara).count() == 3
    assert [announcement.topic for announcement, _ in preview.of(row).shown] == ["incident.opened"]
    Transmission.objects.filter(topic="incident.opened").delete()
    assert lanes.work() == 0
    assert set(Transmission.objects.exclude(topic="incident.opened").values_list("error", flat=True)) == {lanes.PRIVATE}
