"""Whatever a report counts, the list shows exactly its rows: over every measure there is."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from incidents import taxonomy
from incidents.people.models import User
from incidents.reports.facts import ReportFacts, by_month_and_team
from incidents.response.containments import Containment
from incidents.response.events import Event
from incidents.response.filters import IncidentFilter
from incidents.response.impact import UNITS, Exposure, Harm, Impact, columns_of
from incidents.response.incident import Incident
from incidents.response.links import Link
from incidents.response.measures import MEASURES, ORDERED, Measure, out_of_order
from incidents.response.vocabulary import CLOCKS, COUNTED, NoticedBy, Status

PARAMETERS = sorted({next(iter(measure.query)) for measure in MEASURES})
MANY = 120


@pytest.fixture
def many(mara: User, lee: User) -> None:
    """Incidents of every kind: clocks known and unknown and in any order, with and without whatever can be counted."""
    chance = random.Random(7)
    now = timezone.now().replace(microsecond=0)
    User.objects.filter(pk=lee.pk).update(time_zone="America/Los_Angeles")

    def moment(start: datetime) -> datetime | None:
        return start + timedelta(hours=chance.randint(0, 6)) if chance.random() < 0.6 else None

    rows = []
    for number in range(1, MANY + 1):
        start = now - timedelta(hours=chance.randint(10, 4000))
        status = chance.choice([*COUNTED, Status.DECLINED])
        clocks: dict[str, Any] = {clock: moment(start) for clock in ORDERED}
        if status in (Status.RESOLVED, Status.CLOSED):
            clocks["resolved_at"] = clocks["resolved_at"] or start + timedelta(hours=5)
        rows.append(
            Incident(
                number=number,
                title=f"Wrong {number}",
                status=status,
                category=chance.choice(["", "drift", "retrieval"]),
                noticed_by=chance.choice(NoticedBy.values),
                opened_by=chance.choice([None, mara]),
                lead=chance.choice([None, mara, lee]),
                declared_at=start,
                **clocks,
            )
        )
    incidents = Incident.objects.bulk_create(rows)
    actions = [action.code for action in taxonomy.all_containments()]
    impacts, exposures, containments, links, events = [], [], [], [], []
    for incident in incidents:
        if chance.random() < 0.5:
            impacts.append(Impact(incident=incident, harm=chance.choice(Harm.values)))
        if chance.random() < 0.4:
            for unit in chance.sample([*UNITS[:4], "EUR", "JPY"], 2):
                exposures.append(Exposure(incident=incident, estimate=9, **columns_of(unit)))
        for _ in range(chance.randint(0, 3)):
            worked = chance.choice([True, False, None])
            containments.append(
                Containment(
                    incident=incident,
                    action=chance.choice(actions[:4]),
                    state=Containment.State.DONE if worked is None else Containment.State.VERIFIED,
                    done_at=now,
                    worked=worked,
                    verified_at=None if worked is None else now,
                )
            )
        if chance.random() < 0.2 and incident.number > 1:
            links.append(Link(incident=incident, other=incidents[0], kind=chance.choice(Link.Kind.values)))
        if chance.random() < 0.5:
            events.append(Event(incident=incident, kind=Event.Kind.CLOCK, by=mara, at=now))
    Impact.objects.bulk_create(impacts)
    Exposure.objects.bulk_create(exposures)
    Containment.objects.bulk_create(containments)
    Link.objects.bulk_create(links)
    Event.objects.bulk_create(events)


def _counted(facts: ReportFacts, measure: Measure) -> int:
    if measure.lengths:
        return sum(facts.how_many(lengths) for lengths in measure.lengths)
    return sum(facts.counts[key] for key in measure.keys)


def _listed(user: User, measure: Measure) -> int:
    parameters = {"status": "counted", "kind": "real"} | measure.query
    chosen = IncidentFilter(parameters, Incident.objects.visible_to(user))
    assert chosen.is_valid(), chosen.errors
    return int(chosen.qs.count())


@pytest.mark.parametrize("parameter", PARAMETERS)
def test_what_a_report_counts_is_what_the_list_shows(many: None, mara: User, parameter: str) -> None:
    rows = Incident.objects.counted()
    declined = Incident.objects.filter(status=Status.DECLINED)
    facts = ReportFacts.sum(by_month_and_team(rows, declined).values())
    measures = [measure for measure in MEASURES if parameter in measure.query]
    counted = {measure.label: _counted(facts, measure) for measure in measures if measure.keys or measure.lengths}
    assert counted == {measure.label: _listed(mara, measure) for measure in measures if measure.label in counted}
    if counted:
        assert any(0 < count < MANY for count in counted.values())  # neither nothing nor everything


def test_whatever_a_report_leads_to_is_compared_with_its_count() -> None:
    """Only what is listed for its own sake is no number of a report."""
    uncounted = [measure.query for measure in MEASURES if not (measure.keys or measure.lengths)]
    assert uncounted == [*({"known": clock} for clock in CLOCKS), {"known": "silence"}, {"exposed": "any"}]


def test_clocks_are_compared_with_the_next_one_that_is_known(happened: Callable[..., Incident]) -> None:
    """With detection unknown, an acknowledgement before the impact began is seen all the same."""
    incident = happened(3)
    began = incident.impact_started_at
    assert began is not None
    Incident.objects.filter(pk=incident.pk).update(detected_at=None, acknowledged_at=began - timedelta(minutes=1))
    incident.refresh_from_db()
    assert out_of_order([getattr(incident, clock) for clock in ORDERED]) == [(0, 2)]
    assert list(IncidentFilter({"status": "all", "missing": "order"}, Incident.objects.all()).qs) == [incident]
    facts = ReportFacts.sum(by_month_and_team(Incident.objects.counted(), Incident.objects.none()).values())
    assert facts.counts["missing", "order"] == 1
