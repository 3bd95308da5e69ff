"""The statistics, against SciPy, and against simulated worlds in which the truth is known."""

import math
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from incidents.reports import statistics
from incidents.reports.statistics import (
    BORDERLINE,
    THREE_SIGMA,
    UNUSUAL,
    interval_ranks,
    poisson_limits,
    power_of_change,
    proportion,
    quantile,
    rank_sum_p,
    rate_change_p,
    time_to_half,
    usual_gap,
    usual_range,
)

COUNTS = st.integers(0, 400)
TIMES = st.lists(st.floats(0.001, 1e7), min_size=1, max_size=120)


# Against SciPy


@given(st.integers(1, 400), st.data())
def test_shares_agree_with_scipy(n: int, data: st.DataObject) -> None:
    k = data.draw(st.integers(0, n))
    ours, theirs = proportion(k, n), stats.binomtest(k, n).proportion_ci(method="wilson")
    assert ours
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-6)


@given(st.integers(1, 200), st.integers(1, 200), st.data())
def test_changes_of_a_share_agree_with_scipy(n_before: int, n_now: int, data: st.DataObject) -> None:
    before, now = data.draw(st.integers(0, n_before)), data.draw(st.integers(0, n_now))
    theirs = stats.fisher_exact([[before, n_before - before], [now, n_now - now]]).pvalue
    assert statistics.share_change_p(before, n_before, now, n_now) == pytest.approx(theirs, rel=1e-5, abs=1e-12)


def test_no_share_of_nothing() -> None:
    assert proportion(0, 0) is None


@given(COUNTS, st.integers(1, 900), COUNTS, st.integers(1, 900))
def test_changes_of_a_rate_agree_with_scipy(before: int, days_before: int, now: int, days_now: int) -> None:
    ours = rate_change_p(before, days_before, now, days_now)
    theirs = stats.binomtest(now, before + now, days_now / (days_before + days_now)).pvalue if before + now else 1.0
    assert ours == pytest.approx(theirs, rel=1e-6, abs=1e-12)


@given(st.integers(1, 300), st.sampled_from([0.5, 0.75, 0.9, 0.95]))
def test_intervals_of_quantiles_agree_with_scipy(n: int, q: float) -> None:
    theirs = stats.quantile_test(range(n), p=q).confidence_interval(confidence_level=0.95)
    low, high = interval_ranks(n, q)
    assert (low, high) == tuple(None if bound != bound else int(bound) for bound in (theirs.low, theirs.high))


@pytest.mark.parametrize("mean", [0.3, 4, 10, 36.5, 400, 5000])
def test_limits_of_a_known_mean_agree_with_scipy(mean: float) -> None:
    low, high = poisson_limits(mean)
    assert stats.poisson.cdf(low - 1, mean) <= THREE_SIGMA < stats.poisson.cdf(low, mean)
    assert stats.poisson.sf(high, mean) <= THREE_SIGMA < stats.poisson.sf(high - 1, mean)


def test_where_nothing_ever_happened_nothing_is_usual() -> None:
    assert poisson_limits(0) == (0, 0)


@given(
    st.lists(st.integers(0, 40), min_size=8, max_size=80),
    st.lists(st.integers(0, 40), min_size=8, max_size=80),
)
def test_shifts_of_durations_agree_with_scipy(before: list[int], now: list[int]) -> None:
    ours = rank_sum_p(before, now)
    theirs = stats.mannwhitneyu(before, now, method="asymptotic").pvalue
    if theirs == theirs:
        assert ours == pytest.approx(theirs, rel=1e-6, abs=1e-12)
    else:
        assert ours == 1.0


def test_too_few_durations_are_not_compared() -> None:
    assert rank_sum_p([1.0] * 7, [2.0] * 70) is None


@given(TIMES, st.lists(st.floats(0.001, 1e7), max_size=60))
def test_times_that_are_not_over_agree_with_scipy(ended: list[float], running: list[float]) -> None:
    curve = stats.ecdf(stats.CensoredData(uncensored=ended, right=running)).sf
    reached = [time for time, left in zip(curve.quantiles, curve.probabilities, strict=True) if left <= 0.5 + 1e-12]
    ours = time_to_half(ended, running)
    assert (ours.value if ours else None) == (reached[0] if reached else None)


@pytest.mark.filterwarnings("ignore:The confidence interval is undefined")
def test_many_times_that_are_not_over_agree_with_scipy_too() -> None:
    chance = random.Random(7)
    ended = [round(chance.lognormvariate(8, 1.3)) for _ in range(20_000)]
    running = [round(chance.lognormvariate(8, 1.3)) for _ in range(900)]
    curve = stats.ecdf(stats.CensoredData(uncensored=ended, right=running)).sf
    band = curve.confidence_interval(method="log-log")
    estimate = time_to_half(ended, running)
    assert estimate

    def first(step: Any) -> float:
        return float(next(time for time, left in zip(step.quantiles, step.probabilities, strict=True) if left <= 0.5))

    assert (estimate.value, estimate.low, estimate.high) == (first(curve), first(band.low), first(band.high))


def test_the_interval_of_a_time_to_half_is_the_published_one() -> None:
    # Acute myelogenous leukaemia, maintained group (Miller 1997): median 31, log-log interval from 13 on, no end.
    estimate = time_to_half([9, 13, 18, 23, 31, 34, 48], [13, 28, 45, 161])
    assert estimate
    assert (estimate.value, estimate.low, estimate.high, estimate.n) == (31, 13, None, 11)


# What they promise


@given(TIMES, st.sampled_from([0.5, 0.75, 0.9]))
def test_an_interval_holds_its_estimate(values: list[float], q: float) -> None:
    estimate = quantile(values, q)
    assert estimate
    assert min(values) <= estimate.value * (1 + 1e-9)
    assert estimate.value <= max(values) * (1 + 1e-9)
    assert estimate.low is None or estimate.low <= estimate.value * (1 + 1e-9)
    assert estimate.high is None or estimate.high >= estimate.value * (1 - 1e-9)


@pytest.mark.parametrize(("q", "n"), [(0.5, 6), (0.75, 13), (0.9, 36), (0.95, 72)])
def test_an_interval_exists_from_a_certain_number_on(q: float, n: int) -> None:
    assert None not in interval_ranks(n, q)
    assert None in interval_ranks(n - 1, q)


@pytest.mark.parametrize(
    ("before", "now", "unusual"), [(10, 23, True), (10, 22, False), (20, 36, True), (20, 35, False), (20, 8, True)]
)
def test_the_smallest_change_that_means_something(before: int, now: int, unusual: bool) -> None:
    assert (rate_change_p(before, 90, now, 90) < BORDERLINE) is unusual


@given(COUNTS, st.integers(30, 730), st.integers(1, 92))
def test_the_usual_range_ends_where_the_test_rejects(before: int, days_before: int, days_now: int) -> None:
    low, high = usual_range(before, days_before, days_now)
    share_now = days_now / (days_before + days_now)

    def above(count: int) -> float:
        return float(stats.binom.sf(count - 1, before + count, share_now))

    def below(count: int) -> float:
        return float(stats.binom.cdf(count, before + count, share_now))

    assert above(high + 1) <= THREE_SIGMA * (1 + 1e-9)
    assert high <= max(1, -(-before * days_now // days_before)) or above(high) > THREE_SIGMA * (1 - 1e-9)
    assert low == 0 or below(low - 1) <= THREE_SIGMA * (1 + 1e-9)
    assert low <= high


@given(st.lists(st.floats(0.01, 500), min_size=3, max_size=60))
def test_the_usual_gap_holds_the_mean_gap(gaps: list[float]) -> None:
    limits = usual_gap(gaps)
    assert limits
    assert limits[0] < sum(gaps) / len(gaps) < limits[1]


@given(st.lists(st.floats(0.01, 500), min_size=3, max_size=60), st.sampled_from([THREE_SIGMA, 0.01, 0.1]))
def test_the_usual_gap_agrees_with_scipy(gaps: list[float], tail: float) -> None:
    lomax = stats.lomax(len(gaps), scale=sum(gaps))
    assert usual_gap(gaps, tail) == pytest.approx((lomax.ppf(tail), lomax.isf(tail)), rel=1e-6)


def test_too_few_gaps_foretell_nothing() -> None:
    assert usual_gap([1, 1]) is None
    assert usual_gap([0, 0, 0]) is None
    assert usual_gap([1, 1, 1]) == usual_gap([1, 1, 1], THREE_SIGMA)


def test_without_an_earlier_count_no_change_can_be_found_and_a_vast_one_always_is() -> None:
    assert power_of_change(0, 2.0) == 0.0
    assert power_of_change(1_000_000, 2.0) == 1.0
    assert power_of_change(50, 1.0) <= UNUSUAL


def test_a_hundred_thousand_values_neither_overflow_nor_take_long() -> None:
    theirs = stats.quantile_test(range(100_000), p=0.9).confidence_interval(confidence_level=0.95)
    assert interval_ranks(100_000, 0.9) == (theirs.low, theirs.high)
    assert rate_change_p(80_000, 730, 81_000, 730) == pytest.approx(
        float(stats.binomtest(81_000, 161_000).pvalue), rel=1e-6
    )
    assert usual_range(80_000, 730, 30)[0] > 3000


# Simulated worlds

WORLDS = 4000


def often(happens: Callable[[random.Random], bool], *, worlds: int = WORLDS) -> float:
    """How often it happens, in worlds that are the same on every run."""
    return sum(happens(random.Random(seed)) for seed in range(worlds)) / worlds


def poisson(chance: random.Random, mean: float) -> int:
    """A Poisson count: how many exponential gaps fit into the mean."""
    count, elapsed = 0, chance.expovariate(1)
    while elapsed < mean:
        count, elapsed = count + 1, elapsed + chance.expovariate(1)
    return count


@pytest.mark.parametrize("mean", [4, 12, 40])
@pytest.mark.parametrize("unusual", [BORDERLINE, UNUSUAL])
def test_where_nothing_changed_unusual_is_said_no_more_often_than_stated(mean: int, unusual: float) -> None:
    def alarm(chance: random.Random) -> bool:
        return rate_change_p(poisson(chance, mean), 90, poisson(chance, mean), 90) < unusual

    assert often(alarm) <= unusual + 3 * (unusual / WORLDS) ** 0.5


@pytest.mark.parametrize(("before", "ratio"), [(20, 0.5), (50, 0.5), (50, 1.6), (12, 3.0)])
def test_a_known_change_is_found_at_the_power_that_was_computed(before: int, ratio: float) -> None:
    def is_noticed(chance: random.Random) -> bool:
        return rate_change_p(poisson(chance, before), 1, poisson(chance, before * ratio), 1) < UNUSUAL

    assert often(is_noticed) == pytest.approx(power_of_change(before, ratio), abs=0.03)


@pytest.mark.parametrize("time_ratio", [0.5, 2.0])
def test_the_power_counts_in_that_the_periods_differ_in_length(time_ratio: float) -> None:
    def is_noticed(chance: random.Random) -> bool:
        return rate_change_p(poisson(chance, 40), 1, poisson(chance, 80 * time_ratio), time_ratio) < UNUSUAL

    expected = power_of_change(40, 2.0, unusual=UNUSUAL, time_ratio=time_ratio)
    assert often(is_noticed) == pytest.approx(expected, abs=0.03)


@pytest.mark.parametrize("mean", [3, 8])
def test_a_month_of_luck_leaves_its_usual_range_as_rarely_as_stated(mean: int) -> None:
    def outside(chance: random.Random) -> bool:
        low, high = usual_range(poisson(chance, mean * 12), 12, 1)
        return not low <= poisson(chance, mean) <= high

    assert often(outside) <= 2 * THREE_SIGMA + 3 * (2 * THREE_SIGMA / WORLDS) ** 0.5


def test_a_gap_of_luck_exceeds_its_usual_range_as_rarely_as_stated() -> None:
    def outside(chance: random.Random) -> bool:
        gaps = [chance.expovariate(0.1) for _ in range(6)]
        limits = usual_gap(gaps[:-1], tail=0.01)
        return limits is not None and gaps[-1] > limits[1]

    assert often(outside) == pytest.approx(0.01, abs=0.006)


@pytest.mark.parametrize(("q", "n"), [(0.5, 12), (0.5, 60), (0.9, 60)])
def test_intervals_cover_the_truth_as_often_as_they_say(q: float, n: int) -> None:
    truth = 2.718281828 ** (1.3 * stats.norm.ppf(q))

    def covers(chance: random.Random) -> bool:
        estimate = quantile([chance.lognormvariate(0, 1.3) for _ in range(n)], q)
        return bool(
            estimate
            and estimate.low is not None
            and estimate.high is not None
            and estimate.low <= truth <= estimate.high
        )

    assert often(covers) >= 0.94


def test_durations_that_did_not_change_are_called_unusual_as_rarely_as_stated() -> None:
    def alarm(chance: random.Random) -> bool:
        before, now = ([chance.lognormvariate(0, 1.3) for _ in range(20)] for _ in range(2))
        p = rank_sum_p(before, now)
        return p is not None and p < BORDERLINE

    assert often(alarm) <= BORDERLINE + 0.011


def test_leaving_out_what_is_not_over_would_shorten_it() -> None:
    assert statistics.time_to_half([1, 2, 3], [10, 10, 10, 10]) is None
    assert statistics.time_to_half([], [10]) is None
    counted = statistics.time_to_half([1, 2, 3, 4], [10])
    assert counted
    assert counted.value == 3


# How many times as often


@given(st.integers(0, 500), st.integers(0, 500), st.floats(1, 900), st.floats(1, 900))
def test_the_interval_of_a_ratio_of_rates_holds_what_was_counted(
    before: int, now: int, time_before: float, time_now: float
) -> None:
    interval = statistics.rate_ratio(before, time_before, now, time_now)
    if interval is None:
        assert before == now == 0
        return
    low, high = interval
    assert 0 <= low <= high
    if before:
        assert low - 1e-9 <= now / time_now / (before / time_before) <= high + 1e-9 + high * 1e-6
    else:
        assert high == math.inf


def test_the_interval_of_a_ratio_of_rates_covers_the_true_one_as_often_as_it_says() -> None:
    for rate, ratio in ((4.0, 1.0), (20.0, 0.5), (60.0, 2.0)):
        before = stats.poisson(3 * rate).rvs(2000, random_state=11)
        now = stats.poisson(rate * ratio).rvs(2000, random_state=12)
        intervals = (statistics.rate_ratio(int(b), 3.0, int(n), 1.0) for b, n in zip(before, now, strict=True))
        covered = sum(low <= ratio <= high for low, high in filter(None, intervals))
        assert covered / 2000 > 0.93
