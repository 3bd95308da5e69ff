"""Whole reports of simulated worlds: where nothing changed little is called unusual, and a known change is found."""

import random
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise

import pytest

from incidents.reports.document import Trends
from incidents.reports.facts import ALL, ReportFacts
from incidents.reports.known import Known
from incidents.reports.scope import Asked, Period, ReportScope
from incidents.reports.statistics import UNUSUAL, power_of_change
from incidents.reports.trends import put_together

WORLDS = 400
PERIOD = Period(date(2026, 1, 1), date(2026, 7, 1))
SYSTEMS = {str(pk): (f"system-{pk}", f"System {pk}") for pk in range(1, 9)}
CATEGORIES = ("drift", "retrieval", "feedback_loop", "agent_action", "data_quality")


def happen(chance: random.Random, days: int, rates: dict[str, float], *, silence: float) -> ReportFacts:
    """Let incidents of each category come by chance, so many a month, silent for so many seconds in the median."""
    facts = ReportFacts()
    for category, rate in rates.items():
        elapsed = chance.expovariate(rate / 30.4)
        while elapsed < days:
            elapsed += chance.expovariate(rate / 30.4)
            facts.counts[ALL] += 1
            facts.counts["category", category] += 1
            facts.counts["severity", chance.choice(("sev1", "sev2", "sev3", "sev3"))] += 1
            facts.counts["system", chance.choice(list(SYSTEMS))] += 1
            facts.counts["noticed_by", chance.choice(("monitor", "monitor", "user"))] += 1
            facts.lengths["silence", category].append(int(chance.lognormvariate(0, 1.3) * silence))
    return facts


def report(seed: int, *, drift: float = 1.0, silence: float = 1.0) -> Trends:
    """The report of a world in which drift came `drift` times as often as before, and was silent `silence` times as long."""
    chance = random.Random(seed)
    usual = dict.fromkeys(CATEGORIES, 2.0)
    asked = Asked(PERIOD, ReportScope())
    before = happen(chance, asked.earlier.days, usual, silence=20_000)
    # Month by month, as the volume wants them.
    ends = [month.since for month in PERIOD.months()] + [PERIOD.until]
    rates = usual | {"drift": usual["drift"] * drift}
    each = {a: happen(chance, (b - a).days, rates, silence=20_000 * silence) for a, b in pairwise(ends)}
    return put_together(Known(asked, asked.earlier, each, ReportFacts.sum(each.values()), before, SYSTEMS, {}))


@pytest.fixture(scope="module")
def unchanged() -> list[Trends]:
    return [report(seed) for seed in range(WORLDS)]


def flags(worlds: list[Trends]) -> Iterator[bool]:
    for world in worlds:
        for _, _, rows in world.breakdowns:
            yield from (row.unusual for row in rows)


def test_where_nothing_changed_few_lines_are_called_unusual(unchanged: list[Trends]) -> None:
    flagged = list(flags(unchanged))
    assert len(flagged) > 15 * WORLDS
    assert sum(flagged) / len(flagged) <= UNUSUAL + 3 * (UNUSUAL / len(flagged)) ** 0.5


def test_where_nothing_changed_the_headlines_are_rarely_unusual(unchanged: list[Trends]) -> None:
    most = UNUSUAL + 3 * (UNUSUAL / WORLDS) ** 0.5
    assert sum(world.tiles[0].unusual for world in unchanged) / WORLDS <= most
    assert sum(world.phases[0].unusual for world in unchanged) / WORLDS <= most
    assert sum("unusual" in world.tiles[3].note for world in unchanged) / WORLDS <= most


def test_over_the_whole_page_the_stated_rate_of_false_flags_holds(unchanged: list[Trends]) -> None:
    """Headlines and lines together: what the page says of itself."""
    headlines = [
        flag
        for world in unchanged
        for flag in (
            world.tiles[0].unusual,
            "unusual" in world.tiles[3].note,
            *(phase.unusual for phase in world.phases),
        )
    ]
    flagged = [*flags(unchanged), *headlines]
    assert sum(flagged) / len(flagged) <= UNUSUAL + 3 * (UNUSUAL / len(flagged)) ** 0.5


def test_where_nothing_changed_months_stay_within_their_usual_range(unchanged: list[Trends]) -> None:
    outside = sum(len(world.volume.outside) for world in unchanged)
    months = 6 * WORLDS
    assert outside / months <= 0.0027 + 3 * (0.0027 / months) ** 0.5


def test_the_report_says_how_many_flags_luck_alone_would_raise(unchanged: list[Trends]) -> None:
    lines = sum(len(rows) for _, _, rows in unchanged[0].breakdowns) + len(unchanged[0].noticed)
    assert unchanged[0].luck.startswith(f"{lines} lines were compared.")


def test_a_known_change_is_found_as_often_as_was_computed() -> None:
    worlds = [report(seed, drift=3.0) for seed in range(150)]
    noticed = sum(row.unusual for world in worlds for row in world.breakdowns[1][2] if row.code == "drift") / len(
        worlds
    )
    before = 2.0 * PERIOD.compared("before").days / 30.4
    expected = power_of_change(
        round(before), 3.0, unusual=UNUSUAL, time_ratio=PERIOD.days / PERIOD.compared("before").days
    )
    assert noticed == pytest.approx(expected, abs=0.12)
    assert expected > 0.7


def test_a_silence_half_as_long_is_noticed_more_often_than_not() -> None:
    worlds = [report(seed, silence=0.5) for seed in range(100)]
    assert sum("within normal" not in world.phases[0].verdict for world in worlds) > 60


def test_a_report_of_a_world_is_the_same_every_time() -> None:
    first, second = report(3), report(3)
    assert (first.n, first.tiles, first.breakdowns) == (second.n, second.tiles, second.breakdowns)
    assert PERIOD.until - PERIOD.since == timedelta(days=PERIOD.days)
