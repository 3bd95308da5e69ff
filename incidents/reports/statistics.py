"""Small-sample statistics for trends: pure functions, exact or distribution-free, and each says how sure it is.

Incidents are few and their durations skewed, so nothing here assumes a bell curve, and nothing is averaged. The tests
compare every function with SciPy and simulate what it promises. What takes plain numbers is cached: when something happens,
few of the numbers that a report compares are others than before.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, groupby

from incidents.proportions import Z_95
from incidents.proportions import Proportion as Proportion  # said here with the other statistics
from incidents.proportions import proportion as proportion

THREE_SIGMA = 0.00135  # the tail of a normal distribution beyond three standard deviations
# How rarely chance alone may call a change unusual, in headlines and tables alike: a page holds many of them.
UNUSUAL = 0.01
# Below this a change is borderline: so that one incident more does not turn nothing into news.
BORDERLINE = 0.05


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its 95 % interval; low and high are None where there are too few to say."""

    value: float
    low: float | None
    high: float | None
    n: int


# Quantiles


def quantile(values: Sequence[float], q: float = 0.5) -> Estimate | None:
    """Estimate a quantile by linear interpolation, with an equal-tailed order-statistic interval; None without values.

    The interval needs no assumption about the distribution: the number of values below the true quantile is
    binomial. It exists from 6 values on for the median, from 13 for P75, 36 for P90 and 72 for P95.
    """
    ordered = sorted(values)
    n = len(ordered)
    if not n:
        return None
    position = q * (n - 1)
    at = int(position)
    value = ordered[at] + (ordered[min(at + 1, n - 1)] - ordered[at]) * (position - at)
    low, high = interval_ranks(n, q)
    return Estimate(value, None if low is None else ordered[low], None if high is None else ordered[high], n)


@lru_cache(maxsize=4096)
def interval_ranks(n: int, q: float, tail: float = 0.025) -> tuple[int | None, int | None]:
    """Which of n ordered values, counted from 0, bound the quantile with at most `tail` outside at either end."""
    first, chances = _binomial(n, q)
    below = list(accumulate(chances))
    low = first + bisect_right(below, tail) - 1
    above = list(accumulate(reversed(chances)))
    high = first + len(chances) - bisect_right(above, tail) - 1
    return (low if low >= 0 else None), (high if high < n else None)


def rank_sum_p(before: Sequence[float], now: Sequence[float]) -> float | None:
    """How likely luck alone shifts durations so far: two-sided Mann–Whitney test, normal approximation with ties.

    It compares ranks, so a single extreme duration does not decide. None below 8 on either side: too few to say.
    """
    a, b = len(before), len(now)
    if min(a, b) < 8:
        return None
    pooled = sorted([*before, *now])
    ordered = sorted(before)
    n = a + b
    # A value's rank is the middle of the places that its equals share.
    ranks, ties, place = 0.0, 0.0, 0
    for value, equals in groupby(pooled):
        count = sum(1 for _ in equals)
        of_before = bisect_right(ordered, value) - bisect_left(ordered, value)
        ranks += of_before * (place + (count + 1) / 2)
        ties += count**3 - count
        place += count
    spread = math.sqrt(a * b / 12 * (n + 1 - ties / (n * (n - 1))))
    if not spread:
        return 1.0
    distance = max(0.0, abs(ranks - a * (a + 1) / 2 - a * b / 2) - 0.5)
    return math.erfc(distance / spread / math.sqrt(2))


# Counts


@lru_cache(maxsize=4096)
def rate_change_p(before: int, time_before: float, now: int, time_now: float) -> float:
    """How likely so large a change of a count is by luck alone: two-sided exact conditional test of two Poisson rates.

    Given the total, the count of one period is binomial (Przyborowski and Wilenski 1940). The lengths may be in any
    unit, and may differ.
    """
    total = before + now
    if not total:
        return 1.0
    first, chances = _binomial(total, time_now / (time_before + time_now))
    if not first <= now < first + len(chances):
        return 0.0  # less than one in 10**15
    seen = chances[now - first]
    return min(1.0, math.fsum(chance for chance in chances if chance <= seen * (1 + 1e-9)))


def rate_ratio(before: int, time_before: float, now: int, time_now: float) -> tuple[float, float] | None:
    """How many times as often it is now: the 95 % interval, infinite at its end where there was none before.

    Given the total, the present count is binomial, so this is Wilson's interval of its share. None where there were none.
    """
    part = proportion(now, before + now)
    if part is None:
        return None
    low, high = (
        share / (1 - share) * time_before / time_now if share < 1 else math.inf for share in (part.low, part.high)
    )
    return low, high


@lru_cache(maxsize=4096)
def usual_range(before: int, time_before: float, time_now: float, tail: float = THREE_SIGMA) -> tuple[int, int]:
    """The usual range of a count, foretold from an earlier one: the exact limits that rate_change_p's test implies.

    Unlike the limits of a known mean it counts in how little a small earlier count tells of the mean, so that a chart
    of luck alone leaves it no more often than twice `tail`. The high end is where `tail` begins.
    """
    p = time_now / (time_before + time_now)
    mean = before * time_now / time_before

    def chance(count: int, *, above: bool) -> float:
        first, chances = _binomial(before + count, p)
        at = min(max(count - first, 0), len(chances))
        return math.fsum(chances[at:]) if above else math.fsum(chances[: at + 1])

    high, step = max(1, math.ceil(mean)), 1
    while chance(high + step, above=True) > tail:
        high, step = high + step, step * 2
    while step >= 1:
        if chance(high + step, above=True) > tail:
            high += step
        step //= 2
    low = 0
    for step in (2**power for power in range(max(1, math.ceil(mean)).bit_length(), -1, -1)):
        if low + step <= mean and chance(low + step - 1, above=False) <= tail:
            low += step
    return low, high


def poisson_limits(mean: float, tail: float = THREE_SIGMA) -> tuple[int, int]:
    """The usual range of a count of which the mean is known: exact Poisson limits with the tails of three sigmas."""
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


def usual_gap(gaps: Sequence[float], tail: float = THREE_SIGMA) -> tuple[float, float] | None:
    """The usual time between rare incidents, foretold from the gaps so far; None below three of them.

    Where incidents come by chance the gaps are exponential, and a further one divided by the mean of n is Lomax
    distributed, which has these limits in closed form. Longer than the upper limit is good news.
    """
    n = len(gaps)
    total = math.fsum(gaps)
    if n < 3 or total <= 0:
        return None
    return total * ((1 - tail) ** (-1 / n) - 1), total * (tail ** (-1 / n) - 1)


@lru_cache(maxsize=4096)
def power_of_change(before: int, ratio: float, *, unusual: float = UNUSUAL, time_ratio: float = 1.0) -> float:
    """How often a change of the true rate to `ratio` of what it was would be called unusual.

    `before` is taken for the true earlier mean; `time_ratio` is the present length divided by the earlier one.
    """
    if before <= 0:
        return 0.0
    now = before * ratio * time_ratio
    if abs(math.log(ratio)) > 12 * math.sqrt(1 / before + 1 / now):
        return 1.0  # twelve standard errors: what is left is below what a float can hold
    mean = before + now
    p, q = time_ratio / (1 + time_ratio), ratio * time_ratio / (1 + ratio * time_ratio)
    reach = 6 * math.sqrt(mean) + 6
    totals = range(max(0, math.floor(mean - reach)), math.ceil(mean + reach) + 1)
    every = max(1, len(totals) // 60)  # neighbouring totals differ by less than is shown
    rejected, weight = 0.0, 0.0
    for total in totals[::every]:
        chance = math.exp(total * math.log(mean) - mean - math.lgamma(total + 1))
        rejected += chance * _rejected(total, p, q, unusual)
        weight += chance
    return min(1.0, rejected / weight)


def _rejected(total: int, expected: float, true: float, unusual: float) -> float:
    """The chance, where the true share is `true`, of a count that the test calls unusual."""
    if not total:
        return 0.0
    first, chances = _binomial(total, expected)
    tail, usual = 0.0, 1.0
    for chance in sorted(chances):
        tail += chance
        if tail >= unusual:
            usual = chance * (1 - 1e-9)  # as likely as this, so just as usual
            break
    start, truly = _binomial(total, true)
    inside = (first + at for at, chance in enumerate(chances) if chance >= usual)
    return max(0.0, 1.0 - math.fsum(truly[count - start] for count in inside if 0 <= count - start < len(truly)))


# Shares


@lru_cache(maxsize=4096)
def share_change_p(k_before: int, n_before: int, k_now: int, n_now: int) -> float:
    """How likely luck alone changes a share so far: Fisher's exact test, two-sided."""
    k, n = k_before + k_now, n_before + n_now
    least, most = max(0, k - n_before), min(k, n_now)
    if least == most:
        return 1.0
    mode = min(max(least, (k + 1) * (n_now + 1) // (n + 2)), most)
    chances, chance = {mode: 1.0}, 1.0
    for at in range(mode, most):
        chance *= (k - at) * (n_now - at) / ((at + 1) * (n_before - k + at + 1))
        chances[at + 1] = chance
        if chance < 1e-18:
            break
    chance = 1.0
    for at in range(mode, least, -1):
        chance *= at * (n_before - k + at) / ((k - at + 1) * (n_now - at + 1))
        chances[at - 1] = chance
        if chance < 1e-18:
            break
    seen = chances.get(k_now, 0.0)
    rarer = math.fsum(chance for chance in chances.values() if chance <= seen * (1 + 1e-7))
    return min(1.0, rarer / math.fsum(chances.values()))


# Times that are not over yet


def time_to_half(ended: Sequence[float], running: Sequence[float]) -> Estimate | None:
    """The median time until something ends, counting in what has not ended yet (Kaplan and Meier 1958).

    Leaving those out would make it look shorter than it is. The interval is Brookmeyer and Crowley's with a log-log
    band. None while more than half are still running.
    """
    ends, leaves = sorted(ended), sorted(running)
    n = len(ends) + len(leaves)
    survival, spread, at = _skip_to_the_middle(ends, leaves)
    middle = low = high = None
    while at < len(ends) and None in (middle, low, high):
        value = ends[at]
        at_risk = n - at - bisect_left(leaves, value)
        beyond = bisect_right(ends, value)
        left = at_risk - (beyond - at)
        survival *= left / at_risk
        spread = spread + 1 / left - 1 / at_risk if left else math.inf
        lower, upper = _band(survival, spread)
        low = value if low is None and lower <= 0.5 else low
        middle = value if middle is None and survival <= 0.5 + 1e-12 else middle
        high = value if high is None and upper <= 0.5 else high
        at = beyond
    return None if middle is None else Estimate(middle, low, high, n)


def _skip_to_the_middle(ends: Sequence[float], leaves: Sequence[float]) -> tuple[float, float, int]:
    """Survival, Greenwood's sum and how many ended, shortly before anything can have reached a half.

    Between two that leave unfinished both sums telescope, so 100,000 take as many steps as there are unfinished.
    """
    n = len(ends) + len(leaves)
    survival, spread, at = 1.0, 0.0, 0
    enough = 0.5 + 4 / math.sqrt(max(n, 1))
    for gone, leaving in enumerate([*leaves, math.inf]):
        beyond, at_risk = bisect_right(ends, leaving), n - at - gone
        if beyond == at:
            continue
        most = at + math.floor(at_risk * (1 - enough / survival)) if survival > enough else at
        if beyond > most:
            # Not in the middle of values that are equal: they end together.
            stop = max(at, bisect_left(ends, ends[most]) if most < len(ends) else most)
            left = at_risk - (stop - at)
            return (
                (survival * left / at_risk, spread + 1 / left - 1 / at_risk, stop)
                if stop > at
                else (survival, spread, at)
            )
        left = at_risk - (beyond - at)
        survival, spread, at = survival * left / at_risk, spread + 1 / left - 1 / at_risk, beyond
    return survival, spread, at


def _band(survival: float, spread: float) -> tuple[float, float]:
    """The log-log 95 % band of a survival with Greenwood's sum `spread`."""
    if survival <= 0 or not math.isfinite(spread):
        return 0.0, 1.0
    if survival >= 1:
        return 1.0, 1.0
    width = Z_95 * math.sqrt(spread) / abs(math.log(survival))
    return survival ** math.exp(width), survival ** math.exp(-width)


def _binomial(n: int, p: float) -> tuple[int, list[float]]:
    """Binomial chances where they matter: the first count of them, and theirs in order. The rest is below 1e-17.

    Worked out from the most likely count outwards, so that no n overflows and 100,000 cost as little as 1,000.
    """
    if p <= 0 or p >= 1:
        return (n if p >= 1 else 0), [1.0]
    mode = min(n, int((n + 1) * p))
    odds = p / (1 - p)
    up, chance = [1.0], 1.0
    for k in range(mode, n):
        chance *= (n - k) / (k + 1) * odds
        if chance < 1e-18:
            break
        up.append(chance)
    down, chance = [], 1.0
    for k in range(mode, 0, -1):
        chance *= k / (n - k + 1) / odds
        if chance < 1e-18:
            break
        down.append(chance)
    chances = [*reversed(down), *up]
    total = math.fsum(chances)
    return mode - len(down), [value / total for value in chances]
