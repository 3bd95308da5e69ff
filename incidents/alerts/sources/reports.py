"""What the adapters of test reports share: one alert a report, whose title counts what failed.

A library's report names neither the system nor the moment. Whoever sends it may wrap it:
`{"report": {…}, "system": …, "name": …, "timestamp": …, "url": …}`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from incidents.alerts.bodies import Json, first_text, mapping, text_of
from incidents.alerts.claims import Claim, Identity, claim_from
from incidents.alerts.severities import severity_of
from incidents.alerts.statuses import CHECK_FAILED, FIRING, RESOLVED, MonitorStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check of a report: it passed, it failed, or it could not run and so says nothing of the output."""

    name: str
    failed: bool
    ran: bool = True
    severity: str = ""
    metric: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A report, and what its sender says around it."""

    report: Json
    around: dict[str, Json]

    @property
    def name(self) -> str:
        return first_text(self.around.get("name"), self.around.get("project"), self.around.get("suite"))


def unwrapped(value: Json) -> Wrapped:
    around = mapping(value)
    return Wrapped(around["report"], around) if "report" in around else Wrapped(value, {})


_ORDER = ("critical", "high", "medium", "low", "info")


def claim_of(
    wrapped: Wrapped,
    checks: Sequence[Check],
    *,
    identity: Identity,
    where: str,
    what: str = "checks",
    at: Json = None,
) -> Claim:
    """Tell of the report as a whole: firing as soon as one check failed, resolved when all ran and passed.

    `at` is when the report itself says that it was made.
    """
    failed = [check for check in checks if check.failed]
    idle = [check for check in checks if not check.ran and not check.failed]
    around = wrapped.around
    status = _status(failed, idle)
    worst = min((_rank(check.severity) for check in failed), default=len(_ORDER))
    moment = around.get("timestamp") or at
    return claim_from(
        status=status,
        title=(f"{where + ': ' if where else ''}{_count(checks, failed, idle, what)}{_first(failed or idle)}",),
        description=("\n".join(f"- {check.description or check.name}" for check in [*failed, *idle][:200]),),
        identity=identity,
        severity=first_text(around.get("severity"), _ORDER[worst] if worst < len(_ORDER) else None),
        system=around.get("system"),
        service=first_text(around.get("service"), where),
        environment=around.get("environment"),
        names=_names(failed),
        labels={**mapping(around.get("labels")), "model": around.get("model"), "dataset": around.get("dataset")}
        if around
        else None,
        metric=next((check.metric for check in failed if check.metric), None),
        value=f"{len(failed)} of {len(checks)}",
        starts_at=moment if status.says == "firing" else None,
        ends_at=moment if status.says == "resolved" else None,
        links=(("source", around.get("url")), ("runbook", around.get("runbook_url"))),
        upstream_id=text_of(around.get("name")),
        is_test=around.get("test") is True,
    )


def _status(failed: Sequence[Check], idle: Sequence[Check]) -> MonitorStatus:
    if failed:
        return FIRING
    return CHECK_FAILED if idle else RESOLVED


def _count(checks: Sequence[Check], failed: Sequence[Check], idle: Sequence[Check], what: str) -> str:
    could_not = f"{len(idle)} of {len(checks)} {what} could not run"
    return f"{len(failed)} of {len(checks)} {what} failed" if failed or not idle else could_not


def _rank(severity: str) -> int:
    word = severity_of(severity, flags=[]) if severity else "medium"
    return _ORDER.index(word)


def _first(failed: Sequence[Check]) -> str:
    return f": {failed[0].name}" + (" and more" if len(failed) > 1 else "") if failed else ""


def _names(failed: Iterable[Check]) -> list[str]:
    return [name for check in failed for name in (check.metric, check.name) if name][:20]
