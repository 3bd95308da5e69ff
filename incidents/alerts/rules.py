"""The ordered rules that say where an alert goes. Pure: from the facts of one alert to a decision with its reasons.

Rules are asked in order. Each that matches may set the system, the severity or the category; the first that also says
what to do ends the asking. Without such a rule an alert opens or joins an incident at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Literal

from incidents.alerts.matchers import Matcher, Unmatchable, all_hold, parse

MOST_RULES = 200

Act = Literal["", "open", "wait", "record", "drop"]
ACTS: dict[str, str] = {
    "": "Only set what is given, and go on to the next rule",
    "open": "Open or join an incident at once",
    "wait": "Open once it was told often enough",
    "record": "Only record it",
    "drop": "Drop it, and count",
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
        return ", ".join(_deeds(self, {name: value for name, value in _settings(self).items() if value})) or "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingDecision:
    """What the rules say of one alert. Empty settings change nothing; `reasons` names the rules that spoke."""

    act: Act = ""  # empty: no rule said, so it opens or joins at once unless it is only information
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
    reasons: tuple[str, ...] = field(default=())

    @property
    def because(self) -> str:
        return " ".join(self.reasons)


def decide(rules: Sequence[RoutingRule], facts: Mapping[str, str]) -> RoutingDecision:
    """Ask the rules in order. What an earlier rule sets, a later one sees and may set again."""
    known = dict(facts)
    decision = RoutingDecision()
    for rule in rules:
        if not all_hold(rule.matchers, known):
            continue
        decision = _applied(decision, rule, known)
        known |= {name: value for name, value in _settings(rule).items() if value}
        if rule.act:
            break
    return decision


def _settings(rule: RoutingRule) -> dict[str, str]:
    return {
        "system": rule.set_system, "severity": rule.set_severity, "category": rule.set_category, "failure_mode": rule.set_failure_mode,
    }  # fmt: skip


def _applied(decision: RoutingDecision, rule: RoutingRule, facts: Mapping[str, str]) -> RoutingDecision:
    settings = {name: value for name, value in _settings(rule).items() if value}
    if rule.set_category and not rule.set_failure_mode:
        settings["failure_mode"] = ""
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
        reasons=(*decision.reasons, _reason(rule, settings)),
    )


def _deeds(rule: RoutingRule, settings: Mapping[str, str]) -> list[str]:
    done = [f"{name.replace('_', ' ')} {value}" for name, value in settings.items() if value]
    match rule.act:
        case "wait":
            done.append(f"wait for {rule.times} in {_span(rule.within)}")
        case "record" | "drop" | "open":
            done.append({"record": "only record", "drop": "drop", "open": "open at once"}[rule.act])
    if rule.group_by:
        done.append("group by " + ", ".join(rule.group_by))
    if rule.join_within is not None:
        done.append(f"join for {_span(rule.join_within)}")
    if rule.reopen_within is not None:
        done.append(f"reopen within {_span(rule.reopen_within)}")
    return done


def _reason(rule: RoutingRule, settings: Mapping[str, str]) -> str:
    return f"Rule “{rule.name}”: {', '.join(_deeds(rule, settings)) or 'nothing'}."


def _span(length: timedelta) -> str:
    minutes = int(length.total_seconds() // 60)
    return f"{minutes // 60} h" if minutes and minutes % 60 == 0 else f"{minutes} min"


# As they are stored


def read(stored: Sequence[Mapping[str, Any]]) -> tuple[RoutingRule, ...]:
    """Read rules as a version keeps them. Raises Unruly."""
    if len(stored) > MOST_RULES:
        raise Unruly(f"There are {len(stored)} rules; at most {MOST_RULES} are used.")
    return tuple(_read_one(row, position=position) for position, row in enumerate(stored, start=1))


def _read_one(row: Mapping[str, Any], *, position: int) -> RoutingRule:
    name = str(row.get("name", "")).strip() or f"Rule {position}"
    try:
        matchers = parse(str(row.get("matchers", "")))
    except Unmatchable as error:
        raise Unruly(f"{name}: {error}") from None
    act = str(row.get("act", ""))
    times, within = int(row.get("times") or 0), int(row.get("within_minutes") or 0)
    if act not in ACTS:
        raise Unruly(f"{name}: “{act}” is nothing that a rule does.")
    if act == "wait" and not (2 <= times <= 10_000 and 1 <= within <= 10_080):
        raise Unruly(f"{name}: say how often (2 or more) in how many minutes (a week at most).")
    return RoutingRule(
        name=name[:80],
        matchers=matchers,
        act=act,  # type: ignore[arg-type]  # compared above
        times=times,
        within=timedelta(minutes=within),
        set_system=str(row.get("set_system", "")),
        set_severity=str(row.get("set_severity", "")),
        set_category=str(row.get("set_category", "")),
        set_failure_mode=str(row.get("set_failure_mode", "")),
        group_by=tuple(part.strip() for part in str(row.get("group_by", "")).split(",") if part.strip())[:5],
        join_within=_minutes(row.get("join_minutes")),
        reopen_within=_minutes(row.get("reopen_minutes")),
    )


def _minutes(value: Any) -> timedelta | None:
    return timedelta(minutes=int(value)) if value not in (None, "") else None
