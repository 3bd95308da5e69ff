"""A share with its interval. Pure; every slice that counts k of n may say it."""

import math
from dataclasses import dataclass

Z_95 = 1.959964


@dataclass(frozen=True, slots=True)
class Proportion:
    """k of n with its 95 % interval, as fractions of one."""

    k: int
    n: int
    low: float
    high: float


def proportion(k: int, n: int) -> Proportion | None:
    """A proportion with its Wilson score interval (Wilson 1927), which stays within 0 and 1; None for 0 of 0."""
    if not n:
        return None
    p = k / n
    spread = 1 + Z_95**2 / n
    centre = (p + Z_95**2 / (2 * n)) / spread
    half = Z_95 * math.sqrt(p * (1 - p) / n + Z_95**2 / (4 * n * n)) / spread
    return Proportion(k, n, max(0.0, centre - half), min(1.0, centre + half))
