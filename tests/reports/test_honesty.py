"""Whole reports of simulated worlds: where nothing changed little is called unusual, and a known change is found."""

import random
import re
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise

import pytest
from django.template.loader import render_to_string

from incidents.people.models import User
from incidents.reports.decide import ToDecide
from incidents.reports.document import Trends
from incidents.reports.facts import ALL, ReportFacts
from incidents.reports.known import Known
from incidents.reports.learning import learn
from incidents.reports.scope import Asked, Period, ReportScope
from incidents.reports.statistics import UNUSUAL, power_of_change
from incidents.reports.trends import put_together
from incidents.reports.views.shared import context_of
from incidents.reports.wording import BETWEEN, CHANCE, SURE

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
            facts.counts["hours", chance.choice(("business", "business", "off", "sleep"))] += 1
            facts.lengths["silence", category].append(int(chance.lognormvariate(0, 1.3) * silence))
            for phase in ("acknowledge", "contain", "resolve", "whole"):
                facts.lengths[phase, category].append(int(chance.lognormvariate(0, 1.1) * 5_000))
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
    """Of every line of every table, whether its change is called real."""
    for world in worlds:
        for rows in (*(rows for _, _, rows in world.breakdowns), world.noticed, world.hours):
            yield from (row.unusual for row in rows)


def headlines(world: Trends) -> list[bool]:
    """The same of every other change that the page judges: how many, who noticed, each duration, and what changed most."""
    judged = [world.tiles[0].note, world.tiles[3].note, *(phase.verdict for phase in world.phases), world.draft[2]]
    return [SURE in sentence for sentence in judged]


def headlines_flag(world: Trends) -> bool:
    return any(headlines(world))


def within_the_rate(flagged: list[bool]) -> bool:
    """Whether as few are flagged as is stated, give or take three standard errors."""
    most: float = UNUSUAL + 3 * (UNUSUAL / len(flagged)) ** 0.5
    return sum(flagged) / len(flagged) <= most


def test_where_nothing_changed_few_lines_are_called_unusual(unchanged: list[Trends]) -> None:
    flagged = list(flags(unchanged))
    assert len(flagged) > 15 * WORLDS
    assert within_the_rate(flagged)


@pytest.mark.parametrize("sentence", [0, 1, 2])
def test_where_nothing_changed_no_opening_sentence_calls_a_change_real(unchanged: list[Trends], sentence: int) -> None:
    """Each by itself: also the third, which is chosen among many lines for having changed most."""
    said = [world.draft[sentence] for world in unchanged]
    assert within_the_rate([SURE in text for text in said])
    certain = sum(any(word in text for word in (SURE, BETWEEN, CHANCE)) for text in said)
    assert certain == WORLDS, "each says how sure it is"


def test_where_nothing_changed_the_headlines_are_rarely_called_real(unchanged: list[Trends]) -> None:
    for flagged in zip(*map(headlines, unchanged), strict=True):
        assert within_the_rate(list(flagged))


def test_over_the_whole_page_the_stated_rate_of_false_flags_holds(unchanged: list[Trends]) -> None:
    """Lines, headlines and opening sentences together: no more than the page says that chance alone would flag."""
    flagged = [*flags(unchanged), *(flag for world in unchanged for flag in headlines(world))]
    assert within_the_rate(flagged)
    stated = [int(re.search(r"judges (\d+) changes", world.luck)[1]) for world in unchanged]  # type: ignore[index]
    assert sum(stated) == len(flagged), "it counts every change that it judges"


def test_the_page_says_nothing_is_real_but_what_was_judged(unchanged: list[Trends], lee: User) -> None:
    """As it is written: each flag of a line once, and each headline where it stands; no other word of certainty."""
    parts = learn(lee, Asked(PERIOD, ReportScope())), ToDecide((), (), (), ())
    flagged = [world for world in unchanged if any(flags([world]))][:4] + [*filter(headlines_flag, unchanged)][:4]
    assert len(flagged) == 8
    for world in flagged:
        whole = str(render_to_string("reports/print.html", context_of(world, *parts)))
        page = whole.replace(world.luck, "").replace(world.volume.power, "").split('<details class="definitions">')[0]
        written = page.count(f">{SURE}</button>")
        assert written == sum(flags([world]))
        sentences = [*world.draft, *(tile.note for tile in world.tiles), *(phase.verdict for phase in world.phases)]
        text = re.sub(r"<button.*?</span>", "", page, flags=re.DOTALL)
        assert text.count(SURE) == sum(sentence.count(SURE) for sentence in sentences)


def test_where_nothing_changed_months_stay_within_their_usual_range(unchanged: list[Trends]) -> None:
    outside = sum(len(world.volume.outside) for world in unchanged)
    months = 6 * WORLDS
    assert outside / months <= 0.0027 + 3 * (0.0027 / months) ** 0.5


def test_the_report_says_how_many_flags_luck_alone_would_raise(unchanged: list[Trends]) -> None:
    for world in unchanged[:20]:
        lines = len(list(flags([world])))
        judged = lines + len(headlines(world))
        assert world.luck.startswith(f"This report judges {judged} changes, {lines} of them in tables.")
        assert f"about {UNUSUAL * judged:.1f} of them would be called so by chance alone" in world.luck


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
