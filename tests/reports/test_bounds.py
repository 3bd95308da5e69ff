"""Every share of a report lies within its bounds, in whatever happened: on the page, in the API and on paper."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from incidents.followups.models import FollowUp
from incidents.people.models import User
from incidents.postmortems.document import Postmortem
from incidents.postmortems.factors import Factor, FactorKind
from incidents.postmortems.guide import Guide
from incidents.postmortems.reading import Reading
from incidents.reports import export
from incidents.reports.cache import worked_out
from incidents.reports.learning import learn
from incidents.reports.scope import Asked
from incidents.reports.views.shared import context_of
from incidents.response.containments import Containment
from incidents.response.impact import Exposure
from incidents.response.incident import Incident
from incidents.response.links import Link
from incidents.systems.models import System

HOURS = st.none() | st.integers(-30, 90)  # after the declaration; None is unknown, and they come in any order

INCIDENTS = st.fixed_dictionaries(
    {
        "days": st.integers(1, 150),
        "severity": st.sampled_from(["sev1", "sev2", "sev4", "unknown"]),
        "category": st.sampled_from(["drift", "retrieval", ""]),
        "noticed_by": st.sampled_from(["monitor", "user", ""]),
        "status": st.sampled_from(["investigating", "closed", "declined"]),
        "clocks": st.tuples(HOURS, HOURS, HOURS, HOURS, HOURS),
        "exposed": st.none() | st.tuples(st.integers(0, 900), st.integers(0, 900), st.none() | st.integers(0, 900)),
        "containments": st.lists(
            st.tuples(st.sampled_from(["rollback_model", "kill_switch"]), st.none() | st.booleans()), max_size=3
        ),
        "follow_ups": st.lists(
            st.tuples(st.sampled_from(FollowUp.State.values), st.none() | st.integers(-60, 60), st.booleans()),
            max_size=3,
        ),
        "postmortem": st.none() | st.tuples(st.booleans(), st.integers(0, 3), st.booleans()),
        "repeats": st.booleans(),
    }
)


def happen(worlds: list[dict[str, Any]], *, system: System, people: list[User]) -> None:
    """Write incidents and what belongs to them as rows, so that no verb tidies them up."""
    now, kinds, earlier = timezone.now(), list(FactorKind.objects.all()[:3]), None
    for number, world in enumerate(worlds):
        declared = now - timedelta(days=world["days"])
        names = ("impact_started_at", "detected_at", "acknowledged_at", "contained_at", "resolved_at")
        clocks = {
            name: None if hours is None else declared + timedelta(hours=hours)
            for name, hours in zip(names, world["clocks"], strict=True)
        }
        incident = Incident.objects.declare(
            title=f"Wrong {number}", by=people[0], system=system, severity=world["severity"], category=world["category"]
        )
        clocks["detected_at"] = clocks["detected_at"] or declared
        if world["status"] == "closed":
            clocks["resolved_at"] = clocks["resolved_at"] or now
        else:
            clocks["resolved_at"] = None
        facts = {name: world[name] for name in ("noticed_by", "status")}
        Incident.objects.filter(pk=incident.pk).update(declared_at=declared, **facts, **clocks)
        if world["exposed"]:
            estimate, off, corrected = world["exposed"]
            Exposure.objects.create(
                incident=incident,
                of="outputs",
                estimate=estimate,
                low=max(0, estimate - off),
                high=estimate + off,
                how="counted",
                corrected=corrected,
            )
        for action, worked in world["containments"]:
            checked = {"worked": worked, "verified_at": None if worked is None else now}
            Containment.objects.create(incident=incident, action=action, state="done", done_at=declared, **checked)
        for state, due, is_owned in world["follow_ups"]:
            FollowUp.objects.create(
                incident=incident,
                title="Mend it",
                state=state,
                owner=people[0] if is_owned else None,
                created_at=declared,
                due_on=None if due is None else now.date() + timedelta(days=due),
                outcome="Shown" if is_owned else "",
                finished_at=now if state in ("done", "verified", "wont_do") else None,
                verified_at=now if state == "verified" else None,
                verified_because="Quiet" if state == "verified" else "",
                failed_at=now if state == "did_not_hold" else None,
            )
        if world["postmortem"]:
            is_published, factors, is_read = world["postmortem"]
            postmortem = Postmortem.objects.create(
                incident=incident,
                slug=str(incident.number),
                guide=Guide.objects.current(),
                due_on=now.date(),
                state="published" if is_published else "draft",
                started_at=declared,
                published_at=now if is_published else None,
            )
            Factor.objects.bulk_create(
                Factor(postmortem=postmortem, kind=kind, text="It did") for kind in kinds[:factors]
            )
            if is_read and is_published:
                Reading.objects.bulk_create(Reading(postmortem=postmortem, person=person) for person in people)
        if world["repeats"] and earlier:
            Link.objects.create(incident=incident, other=earlier, kind=Link.Kind.REPEAT_OF, by=people[0])
        earlier = incident


def every(data: Any) -> Iterator[dict[str, Any]]:
    """All the records in a report's data, however deep."""
    if isinstance(data, dict):
        yield data
        data = list(data.values())
    if isinstance(data, list):
        for value in data:
            yield from every(value)


def check_data(data: dict[str, Any]) -> None:
    """Hold the data of a report, as the API gives it and as it is frozen, to what its numbers can be."""
    for record in every(data):
        if {"k", "n", "low", "high"} <= record.keys():
            k, n, low, high = (record[name] for name in ("k", "n", "low", "high"))
            assert 0 <= k <= n
            assert 0 <= low <= round(100 * k / n) <= high <= 100, record
        if "p" in record:
            assert 0 <= record["p"] <= 1
        for name in ("count", "before", "n", "running", "unknown", "affected", "corrected", "days", "open_follow_ups"):
            value = record.get(name)
            assert not isinstance(value, int | float) or value >= 0, (name, record)
        assert 0 <= record.get("percent", 0) <= 100, record
        if "affected" in record:
            assert record["low"] <= record["affected"] <= record["high"]
            assert record["correction_known"] <= record["said"]["k"]
    check_trends(data["trends"])
    check_learning(data["learning"])


def check_trends(trends: dict[str, Any]) -> None:
    n = trends["n"]
    for _, _, rows in trends["breakdowns"]:
        assert all(row["count"] <= n for row in rows)
    for phase in trends["phases"]:
        assert phase["running"] + phase["unknown"] <= n
        for length in filter(None, (phase["length"], phase["before"])):
            low, value, high = (seconds(length[name] or length["value"]) for name in ("low", "value", "high"))
            assert low <= value <= high
    for used in trends["used"]:
        assert used["count"] <= n
        assert all(count <= used["count"] for _, count, _ in used["said"])
    for _, cells in trends["by_category"]:
        assert all(0 <= count <= n for _, count, _ in cells)
    for _, cells, total, _ in trends["grid"]["rows"]:
        assert sum(count for count, _ in cells) == total <= n


def check_learning(learning: dict[str, Any]) -> None:
    published = learning["published"]
    assert 0 <= learning["unnamed"] <= published
    for factor in learning["factors"]:
        assert 0 < factor["count"] <= published
        assert factor["percent"] == round(100 * factor["count"] / published)
    raised, owned, dated, done, verified = (step["count"] for step in learning["funnel"])
    assert raised >= owned >= dated >= 0
    assert raised >= done >= verified >= 0
    assert learning["readers"] <= learning["reads"]
    assert (learning["read"] or {"k": 0})["k"] <= learning["reads"]
    if learning["days_to_publish"]:
        assert learning["days_to_publish"]["n"] <= published


UNITS = {"d": 86400, "h": 3600, "min": 60, "s": 1}


def seconds(length: str) -> float:
    """Read a length of time as it is written: “2 h 5 min”."""
    return sum(int(number) * UNITS[unit] for number, unit in re.findall(r"(\d+) (d|h|min|s)\b", length))


def check_page(page: str) -> None:
    """Hold what is written and drawn to the same: nothing is below zero, and no bar is longer than its whole."""
    text = re.sub(r"<[^>]*>", " ", page)
    assert not re.search(r"(?<![\w–])[-−]\d", text), re.search(r".{40}(?<![\w–])[-−]\d.{20}", text)
    shares = re.findall(r'<svg class="share.*?</svg>', page, re.DOTALL)
    widths = [float(width) for share in shares for width in re.findall(r'<rect class="bar" width="([^"]*)"', share)]
    assert all(0 <= width <= 100 for width in widths), widths


@settings(
    max_examples=20,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # to shrink a world takes minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(worlds=st.lists(INCIDENTS, max_size=5))
def test_every_share_lies_within_its_bounds(
    support_assistant: System, mara: User, lee: User, asked: Asked, worlds: list[dict[str, Any]]
) -> None:
    with transaction.atomic():
        happen(worlds, system=support_assistant, people=[mara, lee])
        parts = worked_out(lee, asked)
        check_data(json.loads(json.dumps(export.as_data(*parts), cls=DjangoJSONEncoder)))
        check_page(render_to_string("reports/print.html", context_of(*parts)))
        transaction.set_rollback(True)


def test_a_factor_is_named_by_as_many_as_name_it(
    support_assistant: System, mara: User, lee: User, asked: Asked
) -> None:
    world = {
        "days": 3,
        "severity": "sev2",
        "category": "drift",
        "noticed_by": "user",
        "status": "closed",
        "exposed": None,
        "clocks": (0, 0, 1, 2, 3),
        "containments": [],
        "follow_ups": [],
        "repeats": False,
    }
    worlds = [world | {"postmortem": (True, factors, True)} for factors in (2, 1, 1, 0)]
    happen(worlds, system=support_assistant, people=[mara, lee])
    learnt = learn(lee, asked)
    assert [(row.count, row.percent) for row in learnt.factors] == [(3, 75), (1, 25)]
    assert learnt.unnamed == 1


@pytest.mark.parametrize(("text", "length"), [("2 h 5 min", 7500), ("1 d", 86400), ("40 s", 40)])
def test_a_length_is_read_as_it_is_written(text: str, length: int) -> None:
    assert seconds(text) == length
