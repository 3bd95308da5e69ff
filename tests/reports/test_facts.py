"""What is counted of incidents, to the last number; and that facts add up, and are the same once written down."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from incidents.people.models import Team, User
from incidents.reports.facts import ReportFacts, by_month_and_team, running_for
from incidents.response import impact as impacts
from incidents.response.events import Event
from incidents.response.incident import Incident
from incidents.response.links import Link
from incidents.response.vocabulary import Status
from incidents.systems.models import System

Happened = Callable[..., Incident]
MONDAY = datetime(2026, 3, 2, 12, tzinfo=UTC)


def by_key() -> dict[tuple[date, int], ReportFacts]:
    return by_month_and_team(Incident.objects.counted(), Incident.objects.filter(status=Status.DECLINED))


def facts() -> ReportFacts:
    return ReportFacts.sum(by_key().values())


def clocks(start: datetime, **hours: float | None) -> dict[str, Any]:
    """The clocks at so many hours after the start; those that are not given are unknown."""
    names = ("impact_started_at", "detected_at", "acknowledged_at", "contained_at", "resolved_at")
    known = {f"{name}_at": moment for name, moment in hours.items()}
    return {name: None if (hour := known.get(name)) is None else start + timedelta(hours=hour) for name in names} | {
        "declared_at": start
    }


def test_each_stands_in_its_month_of_utc_and_with_its_team(
    happened: Happened, assistants: Team, support_assistant: System
) -> None:
    late = datetime(2026, 1, 31, 23, 59, tzinfo=UTC)
    for at, system in [(late, support_assistant), (late + timedelta(minutes=1), support_assistant), (late, None)]:
        happened(0, system=system, **clocks(at, resolved=1))
    declined = happened(0, status=Status.DECLINED, **clocks(late, resolved=1))
    elsewhere = happened(0, status=Status.DECLINED, system=None, **clocks(late, resolved=1))
    Incident.objects.filter(pk__in=[declined.pk, elsewhere.pk]).update(opened_by=None)
    happened(0, status=Status.DECLINED, **clocks(late, resolved=1))  # which a person had opened
    found = by_key()
    january, february = date(2026, 1, 1), date(2026, 2, 1)
    counted = {key: (value.all, value.counts["triage", "declined"]) for key, value in found.items()}
    assert counted == {(january, assistants.pk): (1, 1), (february, assistants.pk): (1, 0), (january, 0): (1, 1)}


def test_how_many_were_affected_is_added_up_and_unknown_is_no_zero(happened: Happened, mara: User) -> None:
    first, second, third = happened(1), happened(2), happened(3)
    impacts.expose(first, "users", by=mara, estimate=100, low=80, high=150, corrected=20, how="Log")
    impacts.expose(second, "users", by=mara, estimate=50, how="Log")
    impacts.expose(third, "users", by=mara, estimate=7, low=0, high=7, corrected=0, how="Log")
    impacts.expose(third, "outputs", by=mara, estimate=9, how="Log")
    impacts.expose(first, "EUR", by=mara, estimate=Decimal("12.50"), how="Ledger")
    impacts.expose(first, "USD", by=mara, estimate=3, how="Ledger")
    impacts.expose(second, "EUR", by=mara, estimate=1, low=0, how="Ledger")
    counts = facts().counts
    names = ("exposed", "affected", "affected_low", "affected_high", "corrected", "correction_known")
    assert [counts[name, "users"] for name in names] == [3, 157, 130, 207, 20, 2]
    assert [counts[name, "outputs"] for name in names] == [1, 9, 9, 9, 0, 0]
    assert [counts[name, "EUR"] for name in names] == [2, 1350, 1250, 1350, 0, 0], "in cents, each currency by itself"
    assert [counts[name, "USD"] for name in names] == [1, 300, 300, 300, 0, 0]


def test_lengths_are_whole_seconds_between_known_clocks_in_order(happened: Happened) -> None:
    usual = happened(0, **clocks(MONDAY, impact_started=-2, detected=0, acknowledged=0.5, contained=1, resolved=4))
    at_once = happened(0, category="", **clocks(MONDAY, impact_started=1, detected=1, resolved=3))
    happened(0, **clocks(MONDAY, impact_started=5, detected=2, resolved=4))  # out of order
    known = facts()
    hour = 3600
    assert known.length("silence") == [0, 2 * hour]
    assert known.length("silence", "drift") == [2 * hour]
    assert known.length("silence", "") == [0]
    assert known.length("acknowledge") == [hour // 2]
    assert known.length("contain") == [hour // 2]
    assert known.length("resolve") == [3 * hour]
    assert known.length("whole") == [2 * hour, 2 * hour, 4 * hour]
    assert known.length("wrong") == [2 * hour, 3 * hour]  # until it was contained, else resolved
    assert (known.how_many("silence"), known.how_many("whole"), known.how_many("nothing")) == (2, 3, 0)
    assert sorted(known.named["silence"]) == [(0, at_once.number, ""), (2 * hour, usual.number, "drift")]
    assert known.counts["missing", "order"] == 1


def test_what_is_open_runs_since_its_clock(happened: Happened) -> None:
    now = timezone.now().replace(microsecond=0)
    start = now - timedelta(hours=3)
    happened(0, status=Status.INVESTIGATING, **clocks(start, impact_started=0, detected=1))
    happened(0, status=Status.DECLINED, **clocks(start, impact_started=0))
    happened(0, status=Status.CLOSED, **clocks(start, impact_started=0, detected=1, resolved=2))
    known = facts()
    assert known.length("running:acknowledge") == known.length("running:whole") == [int(start.timestamp()) + 3600]
    assert known.how_many("running:silence") == known.how_many("running:contain") == 0
    assert known.counts["open",] == 1
    (running,) = running_for(known, "acknowledge")
    assert 7200 <= running < 7200 + 600
    known.lengths["running:silence", ""].append(int(now.timestamp()) + 86400)
    assert running_for(known, "silence") == [0.0], "a clock that stands in the future runs for no time yet"


def test_what_is_not_known_is_counted_and_so_is_what_is_worst(happened: Happened, mara: User) -> None:
    night = MONDAY.replace(hour=3)
    User.objects.filter(pk=mara.pk).update(time_zone="UTC")
    worst = happened(0, severity="sev1", **clocks(night, detected=0, resolved=1))
    bare = happened(0, system=None, category="", failure_mode="", noticed_by="", **clocks(MONDAY, resolved=1))
    Incident.objects.filter(pk__in=[worst.pk, bare.pk]).update(lead=mara)
    Incident.objects.filter(pk=bare.pk).update(opened_by=None)
    Incident.objects.filter(pk=worst.pk).update(
        impact_started_at=night - timedelta(hours=2), impact_started_until=night - timedelta(hours=1)
    )
    known = facts()
    counts = known.counts
    assert known.all == 2
    assert known.of("missing") == {"impact_started_at": 1, "noticed_by": 1, "category": 1}
    assert known.of("severity") == {"sev1": 1, "sev2": 1}
    assert known.of("hours") == {"sleep": 1, "business": 1}
    assert known.of("called") == {str(mara.pk): 1}, "in business hours nobody is called out"
    assert known.of("triage") == {"accepted": 1}
    assert known.of("range") == {}
    assert counts["range",] == 1
    assert known.length("sev1") == [int(night.timestamp())]
    system = str(worst.system_id)
    assert {key: count for key, count in counts.items() if key[0] == "cell"} == {
        ("cell", "drift", system): 1,
        ("cell", "", ""): 1,
    }
    assert {key: count for key, count in counts.items() if key[0] == "signal" and count} == {
        ("signal", "drift.covariate", "monitor"): 1
    }
    assert known.of("system") == {system: 1, "": 1}
    assert known.of("team") == {str(worst.team_id): 1, "": 1}


def test_people_and_corrections_are_counted_up_to_and_from_the_end(happened: Happened, mara: User, jo: User) -> None:
    ended, going_on = happened(3), happened(2, status=Status.INVESTIGATING, contained_at=None, resolved_at=None)
    resolved = ended.resolved_at
    assert resolved
    before, after = resolved - timedelta(minutes=1), resolved + timedelta(minutes=1)

    def happen(incident: Incident, by: User | None, at: datetime, kind: Event.Kind = Event.Kind.NOTE) -> None:
        Event.objects.create(incident=incident, kind=kind, by=by, at=at)

    own = Event.objects.filter(incident=ended, at__lte=resolved).exclude(by=None).values("by").distinct().count()
    happen(ended, jo, resolved)
    happen(ended, jo, before)
    happen(ended, None, before)
    happen(ended, mara, after, Event.Kind.CLOCK)
    happen(ended, mara, after + timedelta(minutes=1), Event.Kind.CLOCK)
    happen(happened(3), mara, timezone.now())  # a note, and no correction
    happen(going_on, mara, timezone.now(), Event.Kind.CLOCK)
    happen(going_on, jo, timezone.now())
    known = facts()
    assert known.length("people") == sorted([own, own + 1, 2])
    assert known.counts["edited",] == 1


def test_what_was_done_counts_once_for_an_incident(happened: Happened, mara: User) -> None:
    going_on: dict[str, Any] = {"status": Status.INVESTIGATING, "contained_at": None, "resolved_at": None}
    first, second = happened(3, **going_on), happened(2, **going_on)
    for kind in (Link.Kind.REPEAT_OF, Link.Kind.RELATED):
        Link.objects.link(second, first, kind, by=mara)
    Link.objects.link(second, happened(1), Link.Kind.REPEAT_OF, by=mara)
    impacts.assess(first, by=mara, harm="near_miss")
    for worked in (True, True, False):
        first.contain(by=mara, action="rollback_index").verify(by=mara, worked=worked)
    second.contain(by=mara, action="rollback_index")
    second.plan_containment(by=mara, action="rollback_model")
    counts = facts().counts
    assert counts["repeat",] == 1
    assert counts["harm", "near_miss"] == 1
    assert counts["used", "rollback_index"] == 2
    assert counts["used", "rollback_model"] == counts["containment", "rollback_model", "unchecked"] == 0
    assert [counts["containment", "rollback_index", worked] for worked in ("yes", "no", "unchecked")] == [1, 1, 1]


@pytest.fixture
def two() -> tuple[ReportFacts, ReportFacts]:
    first, second = ReportFacts(), ReportFacts()
    first.counts.update({("all",): 2, ("severity", "sev1"): 2, ("cell", "drift", "1"): 2, ("severity", "sev4"): 0})
    second.counts.update({("all",): 1, ("severity", "sev1"): 1, ("severity", "sev2"): 1})
    first.lengths["silence", "drift"].extend([30, 10])
    first.lengths["silence", ""].append(20)
    first.lengths["whole", "drift"]  # of which there is none
    second.lengths["silence", "drift"].append(15)
    second.lengths["whole", "retrieval"].append(2**32 - 1)
    first.named["silence"].append((30, 1, "drift"))
    second.named["silence"].append((15, 2, "drift"))
    return first, second


def test_the_facts_of_two_sets_add_up_to_those_of_both(two: tuple[ReportFacts, ReportFacts]) -> None:
    both = ReportFacts.sum(two)
    assert both.of("severity") == {"sev1": 3, "sev2": 1}
    assert both.all == 3
    assert both.length("silence") == [10, 15, 20, 30]
    assert both.length("silence", "drift") == [10, 15, 30]
    assert both.named["silence"] == [(30, 1, "drift"), (15, 2, "drift")]
    assert two[0].length("silence") == [10, 20, 30], "adding changes what it is added to alone"


def test_facts_that_were_written_down_are_the_same(two: tuple[ReportFacts, ReportFacts]) -> None:
    both = ReportFacts.sum(two)
    keyed, lengths = both.pack()
    assert len(lengths) == 4 * 5, "four bytes each"
    again = ReportFacts.unpack(keyed, memoryview(lengths))
    assert again.counts == +both.counts, "what is zero is not written"
    assert {key: list(values) for key, values in again.lengths.items()} == {
        key: sorted(values) for key, values in both.lengths.items() if values
    }
    assert again.pack() == (keyed, lengths)
