"""How much a quiet time says: against SciPy, and properties that any such statement has."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from incidents.followups.expectation import ENOUGH, Quiet, chance_of_at_most

counts = st.integers(0, 60)
days = st.floats(0.5, 3000)


@given(counts, st.floats(0, 200))
def test_the_chance_of_so_few_is_that_of_the_poisson_distribution(seen: int, expected: float) -> None:
    assert chance_of_at_most(seen, expected) == pytest.approx(stats.poisson.cdf(seen, expected), rel=1e-9, abs=1e-12)


@given(counts, days, counts, days)
def test_more_seen_never_speaks_more_for_it_and_longer_quiet_never_less(
    before: int, days_before: float, seen: int, since: float
) -> None:
    quiet = Quiet(before, days_before, seen, since)
    assert 0 <= quiet.p <= 1
    assert quiet.p <= Quiet(before, days_before, seen + 1, since).p + 1e-12
    assert Quiet(before, days_before, seen, 2 * since).p <= quiet.p + 1e-12


@given(st.integers(1, 60), days)
def test_the_days_that_are_needed_are_exactly_those_after_which_it_is_evidence(before: int, days_before: float) -> None:
    needed = Quiet(before, days_before, 0, 1).days_needed
    assert needed is not None
    assert Quiet(before, days_before, 0, needed).p == pytest.approx(ENOUGH)
    assert Quiet(before, days_before, 0, needed * 1.001).is_evidence
    assert not Quiet(before, days_before, 0, needed * 0.999).is_evidence


def test_it_says_what_was_expected_what_was_seen_and_whether_that_is_evidence() -> None:
    assert str(Quiet(7, 300, 0, 90)) == "2.1 expected, 0 seen, p = 0.12: not yet evidence"
    assert str(Quiet(12, 300, 0, 120)) == "4.8 expected, 0 seen, p < 0.01: evidence that it holds"
    assert math.isclose(Quiet(7, 300, 0, 90).p, math.exp(-2.1))


def test_what_never_came_back_before_is_shown_by_no_quiet_time() -> None:
    quiet = Quiet(0, 365, 0, 5000)
    assert (quiet.p, quiet.is_evidence, quiet.days_needed) == (1.0, False, None)
