"""When a case got worse, and when it is well again: a statement about k of n, never about one flaky run. Pure.

The test is Fisher's exact test, one-sided: if the case still passes as often as before, how likely is it that so few of
the newest tries are among all the passes? It holds for any pass rate and any number of tries, however small.

Each run is looked at in two ways, alone and together with the two before it: the first finds what broke in a run with
repeats, the second what breaks where each run tries a case once. Each way may be wrong in one of 2,000 looks, so one
case that did not get worse raises at most one false alarm in 1,000 runs (`FALSE_ALARMS`), whatever its pass rate.
Cases that always pass raise none. What is compared is said in words with every alert.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

FALSE_ALARMS = 0.001  # at most, for each case and run, where nothing got worse
WINDOWS = (1, 3)  # so many of the newest runs are taken together
MOST_BEFORE = 200  # tries before them; older ones say little of the system as it was yesterday
ENOUGH = 3  # tries in a row that show that it is well again


@dataclass(frozen=True, slots=True)
class Tally:
    """How many of so many tries passed."""

    passed: int
    tries: int

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.passed + other.passed, self.tries + other.tries)

    def __str__(self) -> str:
        return f"{self.passed:,} of {self.tries:,}"

    @property
    def rate(self) -> float:
        return self.passed / self.tries if self.tries else 0.0


NONE = Tally(0, 0)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was compared, and how likely it is by chance alone; `worse` says whether that is an alarm."""

    before: Tally
    now: Tally
    p: float
    worse: bool


def p_worse(before: Tally, now: Tally) -> float:
    """How likely at most `now.passed` passes are by chance alone, where it passes as often as before (Fisher, one-sided).

    1.0 where nothing can be compared.
    """
    if not before.tries or not now.tries:
        return 1.0
    passes = before.passed + now.passed
    fewest = max(0, passes - before.tries)
    every = _log_ways(before.tries + now.tries, passes)
    chances = (
        math.exp(_log_ways(now.tries, k) + _log_ways(before.tries, passes - k) - every)
        for k in range(fewest, now.passed + 1)
    )
    return min(1.0, math.fsum(chances))


def _log_ways(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def judge(runs: Sequence[Tally]) -> Comparison | None:
    """Judge the newest of the runs of one version of a case, oldest first; None where there is nothing before it.

    The stronger of the two looks is given. Runs in which it was known to fail are no “before”: leave them out.
    """
    looks = [look for window in WINDOWS if (look := _look(runs, window))]
    return min(looks, key=lambda look: look.p, default=None)


def _look(runs: Sequence[Tally], window: int) -> Comparison | None:
    if len(runs) <= window:
        return None
    now = sum(runs[-window:], NONE)
    before = newest(runs[:-window], MOST_BEFORE)
    p = p_worse(before, now)
    return Comparison(before, now, p, worse=p <= FALSE_ALARMS / len(WINDOWS))


def newest(runs: Sequence[Tally], tries: int) -> Tally:
    """Add the newest runs up until they hold so many tries."""
    total = NONE
    for tally in reversed(runs):
        if total.tries >= tries:
            break
        total += tally
    return total


def is_well_again(before: Tally, since: Sequence[Tally]) -> bool:
    """Whether a case that got worse passes again: of its newest tries, three at least, no smaller share than before.

    `since` are the runs since it got worse, oldest first. Runs that failed wholly before it passed again do not count.
    """
    now = newest(since, ENOUGH)
    return now.tries >= ENOUGH and now.passed * before.tries >= before.passed * now.tries
