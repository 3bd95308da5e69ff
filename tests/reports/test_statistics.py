"""The statistics, against values worked out elsewhere."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.reports import charts
from incidents.reports.statistics import poisson_limits, quantile, rate_change_p, share


def test_wilson_agrees_with_published_values() -> None:
    eight_of_ten = share(8, 10)
    assert eight_of_ten
    assert (round(eight_of_ten.low, 2), round(eight_of_ten.high, 2)) == (0.49, 0.94)
    assert share(0, 0) is None


@pytest.mark.parametrize(("mean", "limits"), [(4, (0, 11)), (10, (2, 21)), (0, (0, 0))])
def test_poisson_limits_are_those_of_three_sigmas(mean: float, limits: tuple[int, int]) -> None:
    assert poisson_limits(mean) == limits


def test_large_means_neither_underflow_nor_hang() -> None:
    low, high = poisson_limits(5000)
    assert 4700 < low < 5000 < high < 5300


@pytest.mark.parametrize(
    ("before", "now", "unusual"), [(10, 23, True), (10, 22, False), (20, 36, True), (20, 35, False)]
)
def test_the_smallest_change_that_means_something(before: int, now: int, unusual: bool) -> None:
    assert (rate_change_p(before, 90, now, 90) < 0.05) is unusual


@pytest.mark.parametrize(("q", "n"), [(0.5, 6), (0.75, 13), (0.9, 36)])
def test_an_interval_exists_from_a_certain_number_on(q: float, n: int) -> None:
    enough, too_few = quantile(range(n), q), quantile(range(n - 1), q)
    assert enough
    assert too_few
    assert None not in (enough.low, enough.high)
    assert None in (too_few.low, too_few.high)


@given(st.lists(st.floats(0.001, 1e7), min_size=1, max_size=200), st.sampled_from([0.5, 0.75, 0.9]))
def test_an_interval_holds_its_estimate(values: list[float], q: float) -> None:
    found = quantile(values, q)
    assert found
    assert min(values) <= found.value <= max(values) or math.isclose(found.value, max(values))
    assert found.low is None or found.low <= found.value * (1 + 1e-9)
    assert found.high is None or found.high >= found.value * (1 - 1e-9)


def test_five_thousand_values_do_not_overflow() -> None:
    found = quantile(range(5000), 0.9)
    assert found
    assert found.low is not None


@given(st.lists(st.integers(0, 60), max_size=24), st.one_of(st.none(), st.floats(0, 80)))
def test_columns_stay_inside_their_box(counts: list[int], limit: float | None) -> None:
    drawn = charts.columns([("m", [charts.Piece("drift", count, "l", "/")]) for count in counts], limit=limit)
    assert all(
        bar.y >= 0 and bar.y + bar.height <= drawn.height and bar.x + bar.width <= drawn.width for bar in drawn.bars
    )
    assert len(drawn.bars) == sum(count > 0 for count in counts)


@given(st.lists(st.floats(0, 1e9), max_size=50))
def test_dots_stay_inside_their_box(seconds: list[float]) -> None:
    drawn = charts.strip([(value, "l", "/") for value in seconds], median=quantile(seconds), far=quantile(seconds, 0.9))
    assert all(0 <= dot.x <= drawn.width and 0 <= dot.y <= drawn.height for dot in drawn.dots)
