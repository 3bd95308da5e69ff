"""Rules are tried on what came before they are published."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from incidents.alerts.drain import drain
from incidents.alerts.models import Source
from incidents.alerts.rules import read
from incidents.alerts.simulation import PastAlert, recent, simulate
from incidents.people.models import User
from incidents.response.incident import Incident

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def past(number: int = 1, *, after: int = 0, lasts: int | None = 10, **facts: str) -> PastAlert:
    """An alert told `after` minutes after noon that lasted that many minutes, or still fires."""
    moment = NOON + timedelta(minutes=after)
    known = {"system": "support-assistant", "category": "retrieval", "severity": "high"} | facts
    ends = moment + timedelta(minutes=lasts) if lasts is not None else None
    opens = known["severity"] != "info"
    return PastAlert(number, f"Alert {number}", known, known["system"], opens=opens, times=(moment,), ends_at=ends)


def rules(*rows: dict[str, Any]) -> Any:
    return read(rows)


def test_without_rules_each_place_and_category_opens_one_and_the_rest_joins() -> None:
    found = simulate(
        (), [past(1), past(2, after=5), past(3, after=5, category="drift"), past(4, after=6, severity="info")]
    )
    assert [len(incident.alerts) for incident in found.incidents] == [2, 1]
    assert (found.joined, len(found.recorded), found.alerts) == (1, 1, 4)


def test_an_incident_is_over_four_hours_after_its_last_alert_ended() -> None:
    found = simulate((), [past(1), past(2, after=10 + 239), past(3, after=10 + 239 + 10 + 241)])
    assert [len(incident.alerts) for incident in found.incidents] == [2, 1]


def test_while_something_fires_everything_joins() -> None:
    found = simulate((), [past(1, lasts=None), past(2, after=60 * 24 * 5)])
    assert [len(incident.alerts) for incident in found.incidents] == [2]


def test_drop_record_and_the_count_of_each_rule() -> None:
    wanted = rules(
        {"name": "Noise", "matchers": "severity=low", "act": "drop"},
        {"name": "Only note", "matchers": "category=drift", "act": "record"},
    )
    found = simulate(wanted, [past(1, severity="low"), past(2, category="drift"), past(3)])
    assert [one.id for one in found.dropped] == [1]
    assert [one.id for one in found.recorded] == [2]
    assert [(use.name, use.matched, use.acted) for use in found.by_rule] == [("Noise", 1, 1), ("Only note", 1, 1)]
    assert found.undecided == 1


def test_each_rule_says_what_it_matched_also_where_it_only_sets_something_or_matches_nothing() -> None:
    wanted = rules(
        {"name": "Calm", "matchers": "category=retrieval", "set_severity": "low"},
        {"name": "Shadowed", "matchers": "severity=high", "act": "drop"},
        {"name": "Last", "act": "open"},
    )
    found = simulate(wanted, [past(1), past(2, after=5)])
    assert [(use.name, use.matched, use.acted) for use in found.by_rule] == [
        ("Calm", 2, 0),
        ("Shadowed", 0, 0),
        ("Last", 2, 2),
    ]


def test_information_that_a_rule_calls_serious_would_open() -> None:
    wanted = rules({"name": "Serious", "set_severity": "high"})
    assert len(simulate(wanted, [past(1, severity="info")]).incidents) == 1


def test_waiting_for_three_in_ten_minutes_opens_at_the_third() -> None:
    wanted = rules({"name": "Thrice", "act": "wait", "times": 3, "within_minutes": 10})
    times = tuple(NOON + timedelta(minutes=minute) for minute in (0, 20, 24, 28))
    patient = replace(past(1, lasts=60), times=times)
    (incident,) = simulate(wanted, [patient]).incidents
    assert incident.opened_at == NOON + timedelta(minutes=28)
    assert len(simulate(wanted, [past(2)]).waiting) == 1


def test_grouping_opens_one_for_each_group() -> None:
    wanted = rules({"name": "By index", "act": "open", "group_by": "index"})
    found = simulate(wanted, [past(1, index="a"), past(2, index="b"), past(3, index="a")])
    assert [len(incident.alerts) for incident in found.incidents] == [2, 1]


def test_a_join_window_opens_anew_after_a_pause() -> None:
    wanted = rules({"name": "Ten minutes", "act": "open", "join_minutes": 10})
    found = simulate(wanted, [past(1, lasts=None), past(2, after=9), past(3, after=30)])
    assert [len(incident.alerts) for incident in found.incidents] == [2, 1]


@pytest.mark.django_db
def test_it_says_of_real_alerts_what_ingest_made_of_them(
    evaluations: tuple[Source, str], post: Any, mara: User, support_assistant: Any
) -> None:
    for number in range(6):
        metric = "recall@10" if number % 2 else "psi"
        post(
            evaluations[1],
            {"title": f"{metric} {number}", "metric": metric, "key": str(number), "system": "support-assistant"},
        )
    drain()
    alerts, cut = recent(mara, each_repeat=True)
    found = simulate((), alerts)
    assert not cut
    assert len(found.incidents) == Incident.objects.count() == 2
    assert sorted(len(incident.alerts) for incident in found.incidents) == [3, 3]


def test_the_difference_to_the_rules_in_force_is_said() -> None:
    alerts = [past(1), past(2, after=5, category="drift"), past(3, after=6, category="drift")]
    in_force = simulate((), alerts)
    misspelt = simulate(rules({"name": "Misspelt", "matchers": "category=dirft", "act": "drop"}), alerts)
    assert misspelt.difference_from(in_force) == "No difference: every alert goes where the rules in force send it."
    dropping = simulate(rules({"name": "Noise", "matchers": "category=drift", "act": "drop"}), alerts)
    assert dropping.difference_from(in_force) == "The difference: 2 alerts dropped instead of part of an incident."
    assert in_force.difference_from(dropping) == "The difference: 2 alerts part of an incident instead of dropped."
    together = simulate(rules({"name": "Together", "act": "open", "set_category": "drift"}), alerts)
    assert "in another way" in together.difference_from(in_force)
