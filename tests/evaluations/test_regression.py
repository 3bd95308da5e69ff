"""When a case got worse: exact against SciPy, and the promised rate of false alarms against simulated runs."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import fisher_exact

from incidents.evaluations.regression import FALSE_ALARMS, Tally, is_well_again, judge, p_worse


@st.composite
def tallies(draw: st.DrawFn, most: int = 60) -> Tally:
    tries = draw(st.integers(1, most))
    return Tally(draw(st.integers(0, tries)), tries)


@given(tallies(200), tallies())
def test_it_is_fishers_exact_test(before: Tally, now: Tally) -> None:
    table = [[now.passed, now.tries - now.passed], [before.passed, before.tries - before.passed]]
    assert p_worse(before, now) == pytest.approx(fisher_exact(table, alternative="less")[1], abs=1e-9)


@given(tallies(200), tallies())
def test_one_pass_more_is_never_more_alarming(before: Tally, now: Tally) -> None:
    if now.passed < now.tries:
        assert p_worse(before, Tally(now.passed + 1, now.tries)) >= p_worse(before, now) - 1e-9


@given(st.integers(1, 200), st.integers(1, 60))
def test_what_passes_as_it_always_did_raises_nothing(before: int, now: int) -> None:
    comparison = judge([Tally(before, before), Tally(now, now)])
    assert comparison is not None
    assert not comparison.worse


def test_one_failed_try_is_no_regression_however_long_it_passed() -> None:
    comparison = judge([*[Tally(1, 1)] * 200, Tally(0, 1)])
    assert comparison is not None
    assert not comparison.worse


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ([Tally(5, 5)] * 2, [Tally(0, 5)]),
        ([Tally(1, 1)] * 21, [Tally(0, 1)] * 3),
        ([Tally(19, 20)] * 3, [Tally(8, 20)]),
    ],
)
def test_a_real_fall_is_an_alarm(before: list[Tally], now: list[Tally]) -> None:
    comparison = judge([*before, *now])
    assert comparison is not None
    assert comparison.worse


def test_without_anything_before_nothing_is_judged() -> None:
    assert judge([Tally(0, 5)]) is None


@pytest.mark.parametrize(("rate", "tries"), [(0.5, 1), (0.5, 5), (0.8, 5), (0.9, 3), (0.97, 10)])
def test_false_alarms_stay_within_what_is_promised(rate: float, tries: int) -> None:
    """2,000 systems that never change, 25 runs each: of their looks at most the promised share is an alarm."""
    dice = random.Random(f"{rate}/{tries}")
    looks = alarms = 0
    for _ in range(2_000):
        runs: list[Tally] = []
        for _ in range(25):
            runs.append(Tally(sum(dice.random() < rate for _ in range(tries)), tries))
            if comparison := judge(runs):
                looks += 1
                alarms += comparison.worse
    # Four standard errors: a promise that is kept fails here once in 30,000 times, and the dice are always the same.
    bound = FALSE_ALARMS + 4 * (FALSE_ALARMS / looks) ** 0.5
    assert alarms / looks <= bound, (alarms, looks)


def test_well_again_is_three_tries_that_pass_as_often_as_before() -> None:
    before = Tally(30, 30)
    assert not is_well_again(before, [Tally(0, 1), Tally(1, 1), Tally(1, 1)])
    assert is_well_again(before, [Tally(0, 1), Tally(1, 1), Tally(1, 1), Tally(1, 1)])
    assert is_well_again(before, [Tally(0, 5), Tally(5, 5)])
    assert is_well_again(Tally(18, 30), [Tally(0, 5), Tally(3, 5)])
