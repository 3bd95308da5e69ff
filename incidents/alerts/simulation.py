"""What rules would have made of what came in the last days. `simulate` is pure; `recent` reads what it works on.

Assumed, and said where it is shown: alerts are classified as they are now, and an incident is over once its alerts have
ended and been quiet for four hours, because when a person would have resolved it nobody can know.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.utils import timezone

from incidents.alerts import rules as routing_rules
from incidents.alerts.models import Alert, AlertSeverity, Outcome
from incidents.alerts.routing import facts_of
from incidents.alerts.rules import RoutingDecision, RoutingRule
from incidents.people.models import User

QUIET = timedelta(hours=4)
SPAN = timedelta(days=30)
MOST_ALERTS = 20_000


@dataclass(frozen=True, slots=True)
class Past:
    """One alert as it came."""

    id: int
    title: str
    facts: Mapping[str, str]
    told: tuple[datetime, ...]  # when it was told of, oldest first
    ends_at: datetime | None


@dataclass(slots=True)
class Imagined:
    """An incident that would have been opened."""

    key: str
    opened_at: datetime
    because: str
    alerts: list[Past] = field(default_factory=list)
    _last_end: datetime | None = None
    _goes_on: bool = False  # something of it still fires today

    @property
    def title(self) -> str:
        return self.alerts[0].title

    def take(self, alert: Past) -> None:
        self.alerts.append(alert)
        self._goes_on |= alert.ends_at is None
        self._last_end = max(filter(None, (self._last_end, alert.ends_at)), default=None)

    def is_over_at(self, moment: datetime) -> bool:
        return not self._goes_on and self._last_end is not None and moment > self._last_end + QUIET


@dataclass(frozen=True, slots=True)
class Simulation:
    incidents: tuple[Imagined, ...]
    recorded: tuple[Past, ...]
    dropped: tuple[Past, ...]
    waiting: tuple[Past, ...]
    by_rule: Mapping[str, int]
    alerts: int

    @property
    def joined(self) -> int:
        return sum(len(incident.alerts) - 1 for incident in self.incidents)


def simulate(rules: Sequence[RoutingRule], past: Iterable[Past]) -> Simulation:
    """Send alerts through rules, oldest first."""
    incidents: list[Imagined] = []
    newest: dict[str, Imagined] = {}
    recorded, dropped, waiting = [], [], []
    heard: dict[str, list[tuple[Past, list[datetime]]]] = {}
    by_rule: Counter[str] = Counter()
    total = 0
    for alert in sorted(past, key=lambda one: one.told[0]):
        total += 1
        decision = routing_rules.decide(rules, alert.facts)
        by_rule[decision.rule] += 1
        key = _key(alert.facts, decision)
        if decision.act == "drop":
            dropped.append(alert)
        elif decision.act == "record" or (not decision.act and alert.facts.get("severity") == AlertSeverity.INFO):
            recorded.append(alert)
        elif (moment := _moment_to_open(heard, key, alert, decision)) is None:
            waiting.append(alert)
        else:
            _gather(incidents, newest, key, alert, moment, decision)
    return Simulation(tuple(incidents), tuple(recorded), tuple(dropped), tuple(waiting), dict(by_rule), total)


def _key(facts: Mapping[str, str], decision: RoutingDecision) -> str:
    where = decision.system or facts.get("system") or "source " + facts.get("source", "")
    return "|".join((where, decision.category or facts.get("category", ""), decision.group))


def _moment_to_open(
    heard: dict[str, list[tuple[Past, list[datetime]]]], key: str, alert: Past, decision: RoutingDecision
) -> datetime | None:
    """When it may open: at once, or when it was told as often as the rule asks for; None if that never happened."""
    if decision.act != "wait":
        return alert.told[0]
    mine = heard.setdefault(key, [])
    mine.append((alert, list(alert.told)))
    moments = sorted(moment for _, told in mine for moment in told)
    for last in range(decision.times - 1, len(moments)):
        if moments[last] >= alert.told[0] and moments[last] - moments[last - decision.times + 1] <= decision.within:
            return moments[last]
    return None


def _gather(
    incidents: list[Imagined],
    newest: dict[str, Imagined],
    key: str,
    alert: Past,
    moment: datetime,
    decision: RoutingDecision,
) -> None:
    known = newest.get(key)
    long_ago = known and decision.join_within is not None and moment - known.alerts[-1].told[-1] > decision.join_within
    if known is None or known.is_over_at(moment) or long_ago:
        known = newest[key] = Imagined(key, moment, decision.because)
        incidents.append(known)
    known.take(alert)


def recent(user: User, *, each_telling: bool) -> tuple[list[Past], bool]:
    """Read the alerts of the last 30 days that `user` may see, and whether there were more than are read.

    `each_telling` reads how often each was told as well, which only rules that wait ask for.
    """
    since = timezone.now() - SPAN
    rows = Alert.objects.visible_to(user).filter(first_received_at__gte=since)
    seen = rows.exclude(flags__contains=["resolved_unseen"]).select_related("source", "system")
    listed = list(seen.order_by("-first_received_at")[: MOST_ALERTS + 1])
    told: dict[int, list[datetime]] = {}
    if each_telling:
        outcomes = Outcome.objects.filter(alert__in=rows, result__in=["opened", "repeated"])
        for alert, moment in outcomes.order_by("pk").values_list("alert", "delivery__received_at")[: 10 * MOST_ALERTS]:
            told.setdefault(alert, []).append(moment)
    past = [
        Past(
            one.pk, one.title, facts_of(one), tuple(sorted(told.get(one.pk, []))) or (one.first_received_at,), one.ends_at
        )
        for one in listed[:MOST_ALERTS]
    ]  # fmt: skip
    return past, len(listed) > MOST_ALERTS
