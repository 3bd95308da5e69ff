"""How much a quiet time says: pure functions over counts and days. Nothing here reads a row.

A failure that came back `before` times in an exposure of `days_before` days is expected `before / days_before * days`
times in the days since, if nothing had changed. How often it came back is taken to be a Poisson count, so that few or none
is likely by luck alone in a short time: `chance_of_at_most` is its cumulative distribution function (NIST/SEMATECH
e-Handbook of Statistical Methods, 1.3.6.6.19, “Poisson Distribution”).
"""

import math
from dataclasses import dataclass

ENOUGH = 0.05  # of quiet that luck alone brings less often than this, one says that it shows something


def chance_of_at_most(seen: int, expected: float) -> float:
    """P(X <= seen) of a Poisson count with mean `expected` (0 or more): the sum of exp(-m) m**k / k! over k = 0 … seen."""
    if expected <= 0:
        return 1.0
    logs = (k * math.log(expected) - expected - math.lgamma(k + 1) for k in range(seen + 1))
    return min(1.0, math.fsum(math.exp(log) for log in logs))


@dataclass(frozen=True, slots=True)
class Quiet:
    """What was seen since, against what the old rate leads one to expect. Days may be fractions."""

    before: int
    days_before: float
    seen: int
    days: float

    @property
    def expected(self) -> float:
        """How many recurrences the old rate would have brought in the days since."""
        return self.before / self.days_before * self.days if self.days_before > 0 else 0.0

    @property
    def p(self) -> float:
        """How likely so few are by luck alone, had nothing changed."""
        return chance_of_at_most(self.seen, self.expected)

    @property
    def is_evidence(self) -> bool:
        return self.p <= ENOUGH

    @property
    def days_needed(self) -> float | None:
        """How many days without any recurrence would be evidence; None where it never came back before."""
        return -math.log(ENOUGH) * self.days_before / self.before if self.before else None

    def __str__(self) -> str:
        """Say it, such as “2.1 expected, 0 seen, p = 0.12: not yet evidence”."""
        verdict = "evidence that it holds" if self.is_evidence else "not yet evidence"
        p = "p < 0.01" if self.p < 0.01 else f"p = {self.p:.2f}"
        return f"{self.expected:.1f} expected, {self.seen} seen, {p}: {verdict}"
