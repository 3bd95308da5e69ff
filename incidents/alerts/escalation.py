"""What a repeat changes of an alert that fires: the worst that was said stays, whatever is said after it. In memory only."""

from typing import cast

from incidents.alerts.claims import Claim
from incidents.alerts.models import Alert, AlertSeverity
from incidents.alerts.statuses import Condition

_MILDEST_FIRST = tuple(reversed(AlertSeverity.values))
_CONDITIONS: tuple[Condition, ...] = ("notice", "check_failed", "no_data", "bad_value")
# What is not a bad value says nothing of how bad the output is, whatever severity its monitor has.
_SEVERITIES: dict[Condition, AlertSeverity] = {
    "no_data": AlertSeverity.MEDIUM,
    "check_failed": AlertSeverity.LOW,
    "notice": AlertSeverity.INFO,
}


def severity_claimed(claim: Claim) -> str:
    return _SEVERITIES.get(claim.condition) or claim.severity


def take_over(alert: Alert, claim: Claim) -> str:
    """Take over a worse severity, a worse condition or a new title; say in words what the repeat changed, or why not.

    `claimed_severity` is compared, not `severity`, which a rule may have set.
    """
    worst = alert.claimed_severity or alert.severity
    claimed = severity_claimed(claim)
    if (claimed, claim.condition, claim.title) == (worst, alert.condition, alert.title):
        return ""  # nothing new, as nearly always
    steps = _MILDEST_FIRST.index(claimed) - _MILDEST_FIRST.index(worst)
    was, now = _CONDITIONS.index(cast(Condition, alert.condition)), _CONDITIONS.index(claim.condition)
    if now < was:
        return f"Now “{Alert.Condition(claim.condition).label.lower()}”, which says nothing new about the value."
    news = []
    if now > was:
        alert.condition = claim.condition
        news.append(f"Was “{Alert.Condition(_CONDITIONS[was]).label.lower()}”.")
    if steps > 0:
        alert.severity = alert.claimed_severity = claimed
        alert.severity_raw = claim.severity_raw
        news.append(f"Worse: {claimed}, was {worst}.")
    elif steps < 0:
        return f"Now {claimed}; the worst while it fires, {worst}, stays."
    if claim.title != alert.title:
        alert.title = claim.title
        news.append(f"Now called “{claim.title}”.")
    return " ".join(news)
