"""How one incident went: its clocks, how far it reached, and how bad that was. Decided by chance, and pure."""

import math
import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from incidents.demonstration.stories import Failure, Happening
from incidents.response.impact import Fallback, Harm, Oversight, Reversible, Trust, suggest_severity
from incidents.response.vocabulary import NoticedBy, Severity
from incidents.systems.models import System

# How bad alerts are whose reach nobody found out.
_GUESSES = (Severity.SEV2, Severity.SEV3, Severity.SEV3, Severity.SEV4)
_LONGEST_SILENCE = timedelta(days=12)
# Median minutes from acknowledged to contained: who is hurt more is helped sooner.
_MINUTES_TO_CONTAIN = {Severity.SEV1: 35, Severity.SEV2: 55, Severity.SEV3: 140, Severity.SEV4: 420}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How many it reached, between which numbers, and how many of these were put right."""

    estimate: int
    low: int
    high: int
    corrected: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    impact_at: datetime | None
    impact_until: datetime | None
    detected_at: datetime
    declared_at: datetime
    acknowledged_at: datetime | None
    contained_at: datetime | None
    resolved_at: datetime | None
    reach: Reach | None
    harm: str
    reversible: str
    oversight: str
    fallback: str
    trust: str
    severity: Severity
    because: str  # why the severity is that

    @property
    def silence(self) -> timedelta | None:
        return self.detected_at - self.impact_at if self.impact_at else None


def course_of(
    chance: random.Random,
    failure: Failure,
    happening: Happening,
    system: System,
    declared_at: datetime,
    *,
    age: float,
    now: datetime,
) -> Course:
    """Let it run to its end, which lies before `now`.

    `age` is 1 for what happened at the beginning and 0 for today: meanwhile the monitors became better.
    """
    is_counted = chance.random() < 0.82 or bool(happening.costs)  # what has a price was counted
    reach = _reach(chance, failure) if is_counted else None
    severity, because = _severity(chance, failure, happening, system, reach)
    is_noticed_late = happening.noticed_by != NoticedBy.MONITOR
    detected_at = declared_at - timedelta(minutes=chance.uniform(12, 90) if is_noticed_late else chance.uniform(0, 2))
    hours = chance.lognormvariate(math.log((3.5 + 17 * age) * (2.4 if is_noticed_late else 1)), 0.95)
    impact_at = detected_at - min(timedelta(hours=hours), _LONGEST_SILENCE)
    is_known = chance.random() < 0.9 - 0.25 * age
    is_range = is_known and chance.random() < 0.15
    called = 2.0 if declared_at.hour < 7 or declared_at.weekday() > 4 else 1.0
    minutes = {Severity.SEV1: 3, Severity.SEV2: 5}.get(severity, 14) * called
    acknowledged_at = declared_at + timedelta(
        minutes=0 if is_noticed_late else chance.lognormvariate(math.log(minutes), 0.6)
    )
    contained_at = acknowledged_at + timedelta(
        minutes=chance.lognormvariate(math.log(_MINUTES_TO_CONTAIN[severity] * (0.8 + 0.5 * age)), 0.7)
    )
    resolved_at = contained_at + timedelta(hours=chance.lognormvariate(math.log(5), 0.9))
    if resolved_at > now - timedelta(hours=4):  # what happened yesterday took no day
        part = (now - timedelta(hours=4) - acknowledged_at) / (resolved_at - acknowledged_at)
        contained_at = acknowledged_at + (contained_at - acknowledged_at) * part
        resolved_at = acknowledged_at + (resolved_at - acknowledged_at) * part
    return Course(
        impact_at=impact_at if is_known else None,
        impact_until=impact_at + (detected_at - impact_at) * chance.uniform(0.1, 0.5) if is_range else None,
        detected_at=detected_at,
        declared_at=declared_at,
        acknowledged_at=acknowledged_at,
        contained_at=contained_at,
        resolved_at=resolved_at,
        reach=reach,
        severity=severity,
        because=because,
        **_harm(chance, failure, happening, severity, has_fallback=bool(system.fallback)),
    )


def _reach(chance: random.Random, failure: Failure) -> Reach:
    """Anything in its scale is as likely as ten times of it; an estimate has two digits."""
    low, high = failure.scale
    estimate = _two_digits(math.exp(chance.uniform(math.log(low), math.log(high))))
    can_be_corrected = failure.reversible != Reversible.IRREVERSIBLE and chance.random() < 0.8
    return Reach(
        estimate=estimate,
        low=_two_digits(estimate * chance.uniform(0.7, 0.95)),
        high=max(estimate, _two_digits(estimate * chance.uniform(1.05, 1.5))),
        corrected=int(estimate * min(1.0, chance.uniform(0.5, 1.2))) if can_be_corrected else None,
    )


def _two_digits(number: float) -> int:
    unit = 10 ** max(0, int(math.log10(max(number, 1))) - 1)
    return max(1, int(round(number / unit) * unit))


def _severity(
    chance: random.Random, failure: Failure, happening: Happening, system: System, reach: Reach | None
) -> tuple[Severity, str]:
    """The product's own rule, where one knows how many; people may judge otherwise, and say why."""
    guess = chance.choice(_GUESSES) if failure.harm == Harm.EVENT else Severity.SEV4
    if happening.judged:
        return happening.judged
    if reach is None:
        return guess, ""
    suggested = suggest_severity(
        {failure.of: reach.estimate}, tier=system.tier, harm=failure.harm, reversible=failure.reversible
    )
    return (suggested.severity, suggested.reason) if suggested else (guess, "")


def _harm(
    chance: random.Random, failure: Failure, happening: Happening, severity: Severity, *, has_fallback: bool
) -> dict[str, str]:
    fallbacks = [Fallback.MANUAL, Fallback.MANUAL, Fallback.AUTOMATIC, Fallback.NONE, Fallback.FAILED]
    told = {NoticedBy.USER: Trust.COMPLAINTS, NoticedBy.OUTSIDE: Trust.CRITICISM}.get(NoticedBy(happening.noticed_by))
    seen = Trust.COMPLAINTS if severity == Severity.SEV1 else Trust.NONE
    return {
        "harm": failure.harm,
        "reversible": failure.reversible,
        "oversight": failure.oversight if chance.random() < 0.85 else Oversight.UNKNOWN,
        "fallback": chance.choice(fallbacks) if has_fallback else Fallback.NONE,
        "trust": (told or seen) if failure.harm == Harm.EVENT else Trust.NONE,
    }
