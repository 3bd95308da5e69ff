"""The ordered rules that say where an alert goes. Pure: from the facts of one alert to a decision with its reasons.

Rules run in order. Each that matches may set the system, the severity or the category; the first that also has an
action is the last that runs. Without such a rule an alert opens or joins an incident at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Literal

from incidents.alerts.matchers import Matcher, Unmatchable, all_hold, parse

MOST_RULES = 200

Act = Literal["", "open", "wait", "record", "drop"]
ACTS: dict[str, str] = {
    "": "Only set the fields below, then go on to the next rule",
    "open": "Open or join an incident at once",
    "wait": "Open an incident after enough repeats",
    "record": "Record it only",
    "drop": "Drop it, and count it",
}


class Unruly(Exception):
    """A rule cannot be used; the message says which and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingRule:
    name: str
    matchers: tuple[Matcher, ...] = ()
    act: Act = ""
    times: int = 0  # for wait: how often …
    within: timedelta = timedelta(0)  # … in which time
    set_system: str = ""  # a slug
    set_severity: str = ""
    set_category: str = ""
    set_failure_mode: str = ""
    group_by: tuple[str, ...] = ()
    join_within: timedelta | None = None  # None: as long as the incident is open
    reopen_within: timedelta | None = None  # None: a resolved incident stays resolved

    @property
    def does(self) -> str:
        """What it does, in words."""
        return ", ".join(_effects(self, _settings(self))) or "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingDecision:
    """What the rules say of one alert. Empty settings change nothing; `reasons` names the rules that matched."""

    act: Act = ""  # empty: no rule has an action, so it opens or joins at once unless it is only information
    rule: str = ""  # the name of the rule that decided
    times: int = 0
    within: timedelta = timedelta(0)
    system: str = ""
    severity: str = ""
    category: str = ""
    failure_mode: str = ""
    group: str = ""
    join_within: timedelta | None = None
    reopen_within: timedelta | None = None
    matched: tuple[str, ...] = field(default=())  # the names of all rules that held
    reasons: tuple[str, ...] = field(default=())

    @property
    def because(self) -> str:
        return " ".join(self.reasons)


def decide(rules: Sequence[RoutingRule], facts: Mapping[str, str]) -> RoutingDecision:
    """Run the rules in order. What an earlier rule sets, a later one sees and may set again."""
    known = dict(facts)
    decision = RoutingDecision()
    for rule in rules:
        if not all_hold(rule.matchers, known):
            continue
        decision = _applied(decision, rule, known)
        known |= _settings(rule)
        if rule.act:
            break
    return decision


def _settings(rule: RoutingRule) -> dict[str, str]:
    """What it sets, by the name of the fact. A category alone leaves no failure mode."""
    settings = {
        "system": rule.set_system,
        "severity": rule.set_severity,
        "category": rule.set_category,
        "failure_mode": rule.set_failure_mode,
    }
    alone = {"failure_mode": ""} if rule.set_category and not rule.set_failure_mode else {}
    return {name: value for name, value in settings.items() if value} | alone


def _applied(decision: RoutingDecision, rule: RoutingRule, facts: Mapping[str, str]) -> RoutingDecision:
    settings = _settings(rule)
    group = "|".join(f"{name}={facts.get(name, '')}" for name in rule.group_by)
    return replace(
        decision,
        **settings,
        act=rule.act or decision.act,
        rule=rule.name if rule.act else decision.rule,
        times=rule.times or decision.times,
        within=rule.within or decision.within,
        group=group or decision.group,
        join_within=rule.join_within if rule.join_within is not None else decision.join_within,
        reopen_within=rule.reopen_within if rule.reopen_within is not None else decision.reopen_within,
        matched=(*decision.matched, rule.name),
        reasons=(*decision.reasons, _reason(rule, settings)),
    )


def _effects(rule: RoutingRule, settings: Mapping[str, str]) -> list[str]:
    effects = [f"{name.replace('_', ' ')} {value}" for name, value in settings.items() if value]
    match rule.act:
        case "wait":
            effects.append(f"wait for {rule.times} in {_span(rule.within)}")
        case "record" | "drop" | "open":
            effects.append({"record": "only record", "drop": "drop", "open": "open at once"}[rule.act])
    if rule.group_by:
        effects.append("group by " + ", ".join(rule.group_by))
    if rule.join_within is not None:
        effects.append(f"join for {_span(rule.join_within)}")
    if rule.reopen_within is not None:
        effects.append(f"reopen within {_span(rule.reopen_within)}")
    return effects


def _reason(rule: RoutingRule, settings: Mapping[str, str]) -> str:
    return f"Rule “{rule.name}”: {', '.join(_effects(rule, settings)) or 'nothing'}."


def _span(length: timedelta) -> str:
    minutes = int(length.total_seconds() // 60)
    return f"{minutes // 60} h" if minutes and minutes % 60 == 0 else f"{minutes} min"


# As they are stored


def read(stored: Sequence[Mapping[str, Any]]) -> tuple[RoutingRule, ...]:
    """Read rules as a version keeps them. Raises Unruly."""
    if len(stored) > MOST_RULES:
        raise Unruly(f"There are {len(stored)} rules; at most {MOST_RULES} are used.")
    return tuple(_read_rule(stored_rule, position=position) for position, stored_rule in enumerate(stored, start=1))


def _read_rule(stored_rule: Mapping[str, Any], *, position: int) -> RoutingRule:
    name = str(stored_rule.get("name", "")).strip() or f"Rule {position}"
    try:
        matchers = parse(str(stored_rule.get("matchers", "")))
    except Unmatchable as error:
        raise Unruly(f"{name}: {error}") from None
    act = str(stored_rule.get("act", ""))
    times, within = int(stored_rule.get("times") or 0), int(stored_rule.get("within_minutes") or 0)
    if act not in ACTS:
        raise Unruly(f"{name}: “{act}” is not an action of a rule.")
    if act == "wait" and not (2 <= times <= 10_000 and 1 <= within <= 10_080):
        raise Unruly(f"{name}: give how many times (2 or more) within how many minutes (a week at most).")
    return RoutingRule(
        name=name[:80],
        matchers=matchers,
        act=act,  # type: ignore[arg-type]  # compared above
        times=times,
        within=timedelta(minutes=within),
        set_system=str(stored_rule.get("set_system", "")),
        set_severity=str(stored_rule.get("set_severity", "")),
        set_category=str(stored_rule.get("set_category", "")),
        set_failure_mode=str(stored_rule.get("set_failure_mode", "")),
        group_by=tuple(part.strip() for part in str(stored_rule.get("group_by", "")).split(",") if part.strip())[:5],
        join_within=_minutes(stored_rule.get("join_minutes")),
        reopen_within=_minutes(stored_rule.get("reopen_minutes")),
    )


def _minutes(value: Any) -> timedelta | None:
    return timedelta(minutes=int(value)) if value not in (None, "") else None
