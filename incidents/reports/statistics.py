"""Small-sample statistics for trends. Every function is exact or distribution-free, and says how sure it is."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

Z_95 = 1.959964


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its 95 % interval; low and high are None where there are too few to say."""

    value: float
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True, slots=True)
class Share:
    """k of n with its 95 % Wilson interval."""

    k: int
    n: int
    low: float
    high: float

    @property
    def percent(self) -> float:
        return 100 * self.k / self.n

    @property
    def low_percent(self) -> float:
        return 100 * self.low

    @property
    def high_percent(self) -> float:
        return 100 * self.high


def quantile(values: Sequence[float], q: float = 0.5) -> Estimate | None:
    """Estimate a quantile by linear interpolation, with an equal-tailed order-statistic interval.

    The interval needs no assumption about the distribution: the number of values below the true quantile is
    binomial. It exists from 6 values on for the median and from 36 for the 90th percentile. None without values.
    """
    ordered = sorted(values)
    n = len(ordered)
    if not n:
        return None
    position = q * (n - 1)
    at = int(position)
    value = ordered[at] + (ordered[min(at + 1, n - 1)] - ordered[at]) * (position - at)
    chances = _binomial(n, q)
    return Estimate(value, _lower(ordered, chances), _upper(ordered, chances), n)


def _lower(ordered: Sequence[float], chances: Sequence[float], tail: float = 0.025) -> float | None:
    bound, below = None, 0.0
    for rank, value in enumerate(ordered):
        below += chances[rank]
        if below > tail:
            break
        bound = value
    return bound


def _upper(ordered: Sequence[float], chances: Sequence[float], tail: float = 0.025) -> float | None:
    bound, above = None, 0.0
    for rank in range(len(ordered), 0, -1):
        above += chances[rank]
        if above > tail:
            break
        bound = ordered[rank - 1]
    return bound


def share(k: int, n: int) -> Share | None:
    """A proportion with its Wilson score interval (Wilson 1927), which stays within 0 and 1; None for 0 of 0."""
    if not n:
        return None
    p = k / n
    spread = 1 + Z_95**2 / n
    centre = (p + Z_95**2 / (2 * n)) / spread
    half = Z_95 * math.sqrt(p * (1 - p) / n + Z_95**2 / (4 * n * n)) / spread
    return Share(k, n, max(0.0, centre - half), min(1.0, centre + half))


def rate_change_p(before: int, days_before: float, now: int, days_now: float) -> float:
    """How likely so large a change of a count is by luck alone: two-sided exact conditional test of two Poisson rates."""
    total = before + now
    if not total:
        return 1.0
    chances = _binomial(total, days_now / (days_before + days_now))
    return min(1.0, math.fsum(chance for chance in chances if chance <= chances[now] * (1 + 1e-9)))


def poisson_limits(mean: float, tail: float = 0.00135) -> tuple[int, int]:
    """The usual range of a count with this mean: exact limits with the tails of three sigmas."""
    if mean <= 0:
        return 0, 0
    cumulated, k, low = 0.0, 0, None
    while True:
        cumulated += math.exp(k * math.log(mean) - mean - math.lgamma(k + 1))
        if low is None and cumulated > tail:
            low = k
        if cumulated >= 1 - tail or k > mean + 40 * math.sqrt(mean) + 40:
            return low or 0, k
        k += 1


def _binomial(n: int, p: float) -> list[float]:
    """Binomial probabilities of 0 … n, through logarithms so that no n overflows."""
    if p <= 0 or p >= 1:
        return [1.0 if k == (n if p >= 1 else 0) else 0.0 for k in range(n + 1)]
    success, failure, all_ = math.log(p), math.log1p(-p), math.lgamma(n + 1)
    return [
        math.exp(all_ - math.lgamma(k + 1) - math.lgamma(n - k + 1) + k * success + (n - k) * failure)
        for k in range(n + 1)
    ]
