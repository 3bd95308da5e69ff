"""From the name of a metric or an alert to the failure it points to: ordered rules, the first that matches wins."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Literal, cast

from incidents.taxonomy.catalogue import failure_mode, read_json

Confidence = Literal["high", "medium", "low"]

LONGEST_NAME = 200  # names come from outside; the rules look at no more than this
LONGEST_QUOTE = 80


@dataclass(frozen=True, slots=True)
class MetricRule:
    id: str
    pattern: re.Pattern[str]
    suggests: str  # a failure mode, or empty where the name alone cannot tell
    bad_when: str
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What a name points to; category and failure mode are empty where a rule says that it cannot be told."""

    category: str
    failure_mode: str
    confidence: Confidence
    rule: str
    reason: str

    def less_sure(self) -> "Suggestion":
        reason = self.reason.replace(f"({self.confidence} confidence)", "(low confidence)")
        return replace(self, confidence="low", reason=reason)


@cache
def rules() -> tuple[MetricRule, ...]:
    return tuple(
        MetricRule(
            row["id"],
            re.compile(row["pattern"]),
            "" if row["suggests"] == "UNSURE" else failure_mode(row["suggests"]).code,
            row["bad_when"],
            cast(Confidence, row["confidence"]),
        )
        for row in read_json("metric_rules.json")
    )


@lru_cache(maxsize=4096)
def normalise(name: str) -> str:
    """Write a name as the rules read it: snake case with a leading underscore (FeatureDriftHigh → _feature_drift_high)."""
    name = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name[:LONGEST_NAME])
    name = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name)
    return "_" + re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


@lru_cache(maxsize=4096)  # alerts of one monitor carry few names, and each again and again
def classify(*names: str) -> Suggestion | None:
    """Suggest what the first telling name points to; None where no rule knows any of them."""
    unsure = None
    for name in names:
        rule = _first_match(normalise(name), rules())
        if rule and rule.suggests:
            mode = failure_mode(rule.suggests)
            reason = f"“{quotable(name)}” matches rule {rule.id}: {mode.name.lower()} ({rule.confidence} confidence)."
            return Suggestion(mode.category, mode.code, rule.confidence, rule.id, reason)
        if rule and unsure is None:
            reason = f"“{quotable(name)}” matches rule {rule.id}, which says that the name alone cannot tell."
            unsure = Suggestion("", "", rule.confidence, rule.id, reason)
    return unsure


def _first_match(name: str, ordered: Iterable[MetricRule]) -> MetricRule | None:
    return next((rule for rule in ordered if rule.pattern.search(name)), None)


def quotable(text: str) -> str:
    """A text, cut where it is too long to quote: after a whole word where it has several."""
    if len(text) <= LONGEST_QUOTE:
        return text
    head = text[: LONGEST_QUOTE - 1]
    return f"{head.rpartition(' ')[0] or head}…"
