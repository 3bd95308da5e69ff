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
from incidents.alerts.correlation import place_key
from incidents.alerts.models import Alert, AlertSeverity, Outcome
from incidents.alerts.routing import facts_of, opens_nothing
from incidents.alerts.rules import RoutingDecision, RoutingRule
from incidents.people.models import User

QUIET = timedelta(hours=4)
SPAN = timedelta(days=30)
MOST_ALERTS = 20_000


@dataclass(frozen=True, slots=True)
class PastAlert:
    """One alert as it came."""

    id: int
    title: str
    facts: Mapping[str, str]
    place: str  # where it is, as routing sees it
    opens: bool  # an incident, unless a rule says otherwise
    times: tuple[datetime, ...]  # when it was reported, oldest first
    ends_at: datetime | None


@dataclass(slots=True)
class Imagined:
    """An incident that would have been opened."""

    key: str
    opened_at: datetime
    because: str
    alerts: list[PastAlert] = field(default_factory=list)
    _last_end: datetime | None = None
    _goes_on: bool = False  # something of it still fires today

    @property
    def title(self) -> str:
        return self.alerts[0].title

    def add(self, alert: PastAlert) -> None:
        self.alerts.append(alert)
        self._goes_on |= alert.ends_at is None
        self._last_end = max(filter(None, (self._last_end, alert.ends_at)), default=None)

    def is_over_at(self, moment: datetime) -> bool:
        return not self._goes_on and self._last_end is not None and moment > self._last_end + QUIET


@dataclass(frozen=True, slots=True)
class RuleUse:
    """How many alerts a rule matched, and of how many it was the one that acted."""

    name: str
    matched: int
    acted: int


@dataclass(frozen=True, slots=True)
class Simulation:
    incidents: tuple[Imagined, ...]
    recorded: tuple[PastAlert, ...]
    dropped: tuple[PastAlert, ...]
    waiting: tuple[PastAlert, ...]
    by_rule: tuple[RuleUse, ...]  # each rule, in its order
    undecided: int  # alerts on which no rule acted
    alerts: int

    @property
    def joined(self) -> int:
        return sum(len(incident.alerts) - 1 for incident in self.incidents)

    def fates(self) -> dict[int, str]:
        """What became of each alert, by its id."""
        gathered = [alert for incident in self.incidents for alert in incident.alerts]
        ends = {
            "part of an incident": gathered,
            "recorded only": self.recorded,
            "dropped": self.dropped,
            "kept waiting": self.waiting,
        }
        return {alert.id: fate for fate, alerts in ends.items() for alert in alerts}

    def gathered(self) -> set[frozenset[int]]:
        """Which alerts are one incident, by their ids."""
        return {frozenset(alert.id for alert in incident.alerts) for incident in self.incidents}

    def difference_from(self, other: "Simulation") -> str:
        """Say in a sentence which alerts would end elsewhere than by `other`, for the same alerts."""
        before = other.fates()
        moved = Counter((fate, before[alert]) for alert, fate in self.fates().items() if fate != before[alert])
        parts = [
            f"{count:,} {'alert' if count == 1 else 'alerts'} {fate} instead of {was}"
            for (fate, was), count in moved.most_common()
        ]
        if parts:
            return f"The difference: {'; '.join(parts)}."
        if self.gathered() != other.gathered():
            return "The difference: the same alerts are gathered into incidents in another way."
        return "No difference: every alert goes where the rules in force send it."


def simulate(rules: Sequence[RoutingRule], past: Iterable[PastAlert]) -> Simulation:
    """Send alerts through rules, oldest first."""
    incidents: list[Imagined] = []
    newest: dict[str, Imagined] = {}
    recorded, dropped, waiting = [], [], []
    heard: dict[str, list[tuple[PastAlert, list[datetime]]]] = {}
    acted: Counter[str] = Counter()
    matched: Counter[str] = Counter()
    total = 0
    for alert in sorted(past, key=lambda alert: alert.times[0]):
        total += 1
        decision = routing_rules.decide(rules, alert.facts)
        acted[decision.rule] += 1
        matched.update(decision.matched)
        key = _key(alert, decision)
        if decision.act == "drop":
            dropped.append(alert)
        elif decision.act == "record" or (not decision.act and _opens_nothing(alert, decision)):
            recorded.append(alert)
        elif (moment := _moment_to_open(heard, key, alert, decision)) is None:
            waiting.append(alert)
        else:
            _gather(incidents, newest, key, alert, moment, decision)
    uses = tuple(RuleUse(rule.name, matched[rule.name], acted[rule.name]) for rule in rules)
    return Simulation(
        tuple(incidents), tuple(recorded), tuple(dropped), tuple(waiting), uses, undecided=acted[""], alerts=total
    )


def _opens_nothing(alert: PastAlert, decision: RoutingDecision) -> bool:
    if decision.severity and alert.facts.get("condition", "bad_value") == "bad_value":
        return decision.severity == AlertSeverity.INFO
    return not alert.opens


def _key(alert: PastAlert, decision: RoutingDecision) -> str:
    where = f"system {decision.system}" if decision.system else alert.place
    return "|".join((where, decision.category or alert.facts.get("category", ""), decision.group))


def _moment_to_open(
    heard: dict[str, list[tuple[PastAlert, list[datetime]]]], key: str, alert: PastAlert, decision: RoutingDecision
) -> datetime | None:
    """When it may open: at once, or when it was repeated as often as the rule asks for; None if that never happened."""
    if decision.act != "wait":
        return alert.times[0]
    mine = heard.setdefault(key, [])
    mine.append((alert, list(alert.times)))
    moments = sorted(moment for _, repeats in mine for moment in repeats)
    for last in range(decision.times - 1, len(moments)):
        if moments[last] >= alert.times[0] and moments[last] - moments[last - decision.times + 1] <= decision.within:
            return moments[last]
    return None


def _gather(
    incidents: list[Imagined],
    newest: dict[str, Imagined],
    key: str,
    alert: PastAlert,
    moment: datetime,
    decision: RoutingDecision,
) -> None:
    known = newest.get(key)
    long_ago = known and decision.join_within is not None and moment - known.alerts[-1].times[-1] > decision.join_within
    if known is None or known.is_over_at(moment) or long_ago:
        known = newest[key] = Imagined(key, moment, decision.because)
        incidents.append(known)
    known.add(alert)


def recent(user: User, *, each_repeat: bool) -> tuple[list[PastAlert], bool]:
    """Read the alerts of the last 30 days that `user` may see, and whether there were more than are read.

    `each_repeat` reads when each was repeated as well, which only rules that wait ask for.
    """
    since = timezone.now() - SPAN
    rows = Alert.objects.visible_to(user).filter(first_received_at__gte=since)
    seen = rows.exclude(flags__contains=["resolved_unseen"]).select_related("source", "system")
    listed = list(seen.order_by("-first_received_at")[: MOST_ALERTS + 1])
    repeats: dict[int, list[datetime]] = {}
    if each_repeat:
        outcomes = Outcome.objects.filter(alert__in=rows, result__in=["opened", "repeated"])
        for alert_id, moment in outcomes.order_by("pk").values_list("alert", "delivery__received_at")[
            : 10 * MOST_ALERTS
        ]:
            repeats.setdefault(alert_id, []).append(moment)
    past = [
        PastAlert(
            id=alert.pk,
            title=alert.title,
            facts=facts_of(alert),
            place=f"system {alert.system.slug}" if alert.system else place_key(alert),
            opens=not opens_nothing(alert),
            times=tuple(sorted(repeats.get(alert.pk, []))) or (alert.first_received_at,),
            ends_at=alert.ends_at,
        )
        for alert in listed[:MOST_ALERTS]
    ]
    return past, len(listed) > MOST_ALERTS
