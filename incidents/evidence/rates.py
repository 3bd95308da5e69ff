"""How often the output was wrong, as a drawn sample tells it: a share with its interval, and what that makes of a number of outputs."""

from collections.abc import Sequence
from dataclasses import dataclass

from incidents.evidence.samples import Sample
from incidents.people.models import User
from incidents.proportions import Proportion, proportion
from incidents.response.incident import Incident

MOST_OUTPUTS = 10**12
_FEW = 30  # below this an interval is wide enough to say so


@dataclass(frozen=True, slots=True)
class WrongRate:
    """k of n drawn samples were wrong; what is unclear or not judged yet is not counted, and said."""

    share: Proportion
    uncounted: int

    def __str__(self) -> str:
        k, n, low, high = self.share.k, self.share.n, self.share.low, self.share.high
        were = "was" if k == 1 else "were"
        return (
            f"{k:,} of {n:,} drawn outputs {were} wrong: {100 * k / n:.0f} % (95 %: {100 * low:.0f}–{100 * high:.0f} %)"
        )

    @property
    def is_early(self) -> bool:
        return self.share.n < _FEW

    def of(self, outputs: int) -> dict[str, int]:
        """How many of so many outputs that makes: the estimate and both ends of its interval, as whole outputs."""
        k, n = self.share.k, self.share.n
        estimate = round(outputs * k / n)
        low, high = round(outputs * self.share.low), round(outputs * self.share.high)
        return {"estimate": estimate, "low": min(low, estimate), "high": max(high, estimate)}


def wrong_rate(incident: Incident, *, user: User) -> WrongRate | None:
    """The share of wrong outputs among the drawn samples of an incident; None where none is judged."""
    drawn = Sample.objects.visible_to(user).filter(incident=incident).drawn()
    return rate_of(list(drawn.values_list("verdict", flat=True)))


def rate_of(verdicts: Sequence[str]) -> WrongRate | None:
    """The share of wrong outputs, from the verdicts of drawn samples; None where none is judged."""
    wrong, right = verdicts.count(Sample.Verdict.WRONG), verdicts.count(Sample.Verdict.RIGHT)
    share = proportion(wrong, wrong + right)
    return WrongRate(share, len(verdicts) - wrong - right) if share else None
