"""What can be counted and listed, at its edges: the same in memory and in the list."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from incidents.people.models import User
from incidents.response.filters import IncidentFilter
from incidents.response.incident import Incident
from incidents.response.measures import HOURS, ORDERED, choices, hours_of, out_of_order
from incidents.response.vocabulary import CLOCKS

OSLO = "Europe/Oslo"


def listed(**parameters: str) -> list[Incident]:
    chosen = IncidentFilter({"status": "all", **parameters}, Incident.objects.all())
    assert chosen.is_valid(), chosen.errors
    return list(chosen.qs)


@pytest.mark.parametrize(
    ("local", "hours"),
    [
        ("2026-03-02 07:59", "sleep"),  # a Monday
        ("2026-03-02 08:00", "business"),
        ("2026-03-02 17:59", "business"),
        ("2026-03-02 18:00", "off"),
        ("2026-03-02 21:59", "off"),
        ("2026-03-02 22:00", "sleep"),
        ("2026-03-06 17:59", "business"),  # Friday
        ("2026-03-07 12:00", "off"),  # Saturday
        ("2026-03-08 08:00", "off"),  # Sunday
        ("2026-03-08 07:59", "sleep"),
        ("2026-07-06 08:00", "business"),  # in summer time
        ("2026-07-06 07:59", "sleep"),
    ],
)
@pytest.mark.parametrize("zone", ["UTC", OSLO, "America/Los_Angeles"])
def test_whose_time_a_call_takes_is_said_by_the_clock_of_the_lead(
    incident: Incident, mara: User, local: str, hours: str, zone: str
) -> None:
    moment = datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone))
    User.objects.filter(pk=mara.pk).update(time_zone=zone)
    Incident.objects.filter(pk=incident.pk).update(lead=mara, declared_at=moment)
    assert hours_of(moment, ZoneInfo(zone)) == hours
    with timezone.override("Asia/Tokyo"):  # where the reader is makes no difference
        assert [code for code in HOURS if listed(hours=code)] == [hours]


def test_without_a_lead_the_clock_is_utc(incident: Incident) -> None:
    at_noon = datetime(2026, 3, 2, 12, tzinfo=ZoneInfo("UTC"))
    Incident.objects.filter(pk=incident.pk).update(lead=None, declared_at=at_noon)
    assert [code for code in HOURS if listed(hours=code)] == ["business"]


def test_a_containment_that_is_only_planned_was_not_used(incident: Incident, mara: User) -> None:
    containment = incident.plan_containment(by=mara, action="rollback_index")
    assert listed(containment="rollback_index") == []
    assert listed(containment="rollback_index", worked="unchecked") == []
    containment.do(by=mara)
    assert listed(containment="rollback_index") == [incident]
    assert listed(containment="rollback_index", worked="unchecked") == [incident]
    assert listed(containment="rollback_model") == []


def test_what_is_known_is_what_has_the_clock_and_for_the_silence_both(incident: Incident) -> None:
    cleared = dict.fromkeys(clock for clock in CLOCKS if clock != "declared_at")
    now = incident.declared_at
    Incident.objects.filter(pk=incident.pk).update(**cleared)
    for clock in cleared:
        assert listed(known=clock) == []
        Incident.objects.filter(pk=incident.pk).update(**{clock: now})
        assert listed(known=clock) == [incident]
        Incident.objects.filter(pk=incident.pk).update(**{clock: None})
    for began, detected, is_known in [(now, None, False), (None, now, False), (now, now, True)]:
        Incident.objects.filter(pk=incident.pk).update(impact_started_at=began, detected_at=detected)
        assert bool(listed(known="silence")) is is_known


def test_a_parameter_takes_its_own_values_and_no_others() -> None:
    assert choices("hours") == list(HOURS.items())
    assert [value for value, _ in choices("missing")] == ["impact_started_at", "noticed_by", "category", "order"]
    assert "missing" in IncidentFilter({"missing": "sleep"}, Incident.objects.all()).errors


@pytest.mark.parametrize(
    ("began", "contained", "resolved", "known"),
    [
        (0, 2, 5, True),
        (0, None, 5, True),
        (0, 2, None, True),
        (0, 0, 5, True),  # contained at once
        (0, None, 0, True),
        (3, 2, 5, False),  # contained before it began: somebody is mistaken
        (6, None, 5, False),
        (0, None, None, True),  # still wrong: so far
        (None, 2, 5, False),
    ],
)
def test_how_long_output_was_wrong_is_known_once_it_began_and_counts_so_far_while_it_lasts(
    incident: Incident, began: int | None, contained: int | None, resolved: int | None, known: bool
) -> None:
    start = incident.declared_at

    def at(hours: int | None) -> datetime | None:
        return None if hours is None else start + timedelta(hours=hours)

    clocks = {"impact_started_at": at(began), "contained_at": at(contained), "resolved_at": at(resolved)}
    Incident.objects.update(status="closed" if resolved is not None else "investigating", **clocks)
    assert bool(listed(known="wrong")) is known


@pytest.mark.parametrize(
    ("clocks", "wrong"),
    [
        ([1, 2, 3, 4, 5], []),
        ([1, 1, 1, 1, 1], []),
        ([2, 1, 3, 4, 5], [(0, 1)]),
        ([2, None, 1, 4, 3], [(0, 2), (3, 4)]),
        ([None, None, None, None, None], []),
        ([None, 5, None, None, 4], [(1, 4)]),
    ],
)
def test_each_clock_is_compared_with_the_next_that_is_known(
    incident: Incident, clocks: list[int | None], wrong: list[tuple[int, int]]
) -> None:
    assert out_of_order(clocks) == wrong
    moments = [None if clock is None else incident.declared_at + timedelta(hours=clock) for clock in clocks]
    Incident.objects.filter(pk=incident.pk).update(**dict(zip(ORDERED, moments, strict=True)))
    assert bool(listed(missing="order")) is bool(wrong)
