"""What opens no incident: rules, a silence, and the alerts that these keep quiet, read by the product as they came."""

import json
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from incidents.alerts.models import Alert, Delivery
from incidents.alerts.policies import Correction, RulesVersion, Silence
from incidents.demonstration.cast import Cast
from incidents.demonstration.evidence import Mail, of_reading, posted
from incidents.demonstration.monitors import MONITORS, MonitorReading
from incidents.demonstration.stories import FAILURES, Signal

_STAGING = {"name": "Staging opens nothing", "matchers": 'environment="staging"', "act": "record"}
_LATENCY = {
    "name": "Latency alone says nothing of the output",
    "matchers": 'metric=~"(feed|search)[.]p95_latency_ms"',
    "act": "record",
}
_RECALL = {
    "name": "Recall of long queries: after three reports in two hours",
    "matchers": 'metric="recall@10"',
    "act": "wait",
    "times": 3,
    "within_minutes": 120,
}
_LATENCY_OF_FEED = Signal(
    monitor="datadog",
    alert="p95 latency of the home feed",
    metric="feed.p95_latency_ms",
    says="p95 latency of the home feed is high",
    threshold=400,
    reads=(410, 560),
)
_SLOW_SEARCH = Signal(
    monitor="datadog",
    alert="p95 latency of search",
    metric="search.p95_latency_ms",
    says="p95 latency of search is high",
    threshold=300,
    reads=(310, 420),
)
_RECALL_AT_TEN = Signal(
    monitor="grafana",
    alert="Recall at 10 of long queries",
    metric="recall@10",
    says="Recall at 10 of long queries is {value}",
    threshold=0.8,
    reads=(0.77, 0.79),
)
_ZERO_RESULTS = Signal(
    monitor="grafana",
    alert="Zero-result rate",
    metric="zero_result_rate",
    says="{share} of searches find nothing",
    threshold=0.04,
    reads=(0.05, 0.08),
)
_GROUNDEDNESS = Signal(
    monitor="prometheus",
    alert="GroundednessLow",
    metric="groundedness_p50",
    says="Median groundedness of answers is {value}",
    threshold=0.7,
    reads=(0.6, 0.68),
)


def write_policies(cast: Cast, now: datetime) -> None:
    """The rules in two versions, and a silence for a rebuild that is going on."""
    ada, noor = cast.people["ada"], cast.people["noor"]
    for number, rules, note, days in (
        (1, [_STAGING], "Staging opens nothing", 310),
        (2, [_STAGING, _LATENCY, _RECALL], "Latency is recorded only; recall waits for a third report", 74),
    ):
        at = now - timedelta(days=days)
        RulesVersion.objects.create(
            number=number, rules=rules, note=note, made_by=ada, changed_at=at, published_by=ada, published_at=at
        )
    starts_at, ends_at = now - timedelta(hours=5), now + timedelta(hours=19)
    reason = "The product index is rebuilt with the new catalogue; counts are wrong until tomorrow."
    text = 'system="product-search"\nmetric="zero_result_rate"'
    silence = Silence.make(text=text, starts_at=starts_at, ends_at=ends_at, reason=reason, by=noor, maintenance=True)
    Silence.objects.filter(pk=silence.pk).update(made_at=now - timedelta(hours=26))


def write_corrections() -> None:
    """What people said of an alert is remembered for its name: once for each name, by whoever said it first."""
    corrected = Alert.objects.filter(
        incident__classified_because__startswith="Classified by", incident__lead__isnull=False
    )
    known = set()
    for alert in corrected.select_related("incident__lead", "source").order_by("starts_at"):
        incident = alert.incident
        if incident is None or (alert.source_id, alert.telling_name) in known or not alert.telling_name:
            continue
        known.add((alert.source_id, alert.telling_name))
        if alert.source.kind == "aws_sns":
            Correction.objects.create(
                source=alert.source,
                name=alert.telling_name,
                category=incident.category,
                failure_mode=incident.failure_mode,
                made_by=incident.lead,
                made_at=incident.acknowledged_at or incident.declared_at,
            )


def post_quietly(chance: random.Random, cast: Cast, mail: Mail) -> None:
    """Post what the last days brought beside the incidents; the product reads it when the mail is written."""
    now = mail.now
    for reading in (*_readings(chance, now), *_passed(now)):
        mail.keep(of_reading(cast, reading), [])
    texts: tuple[tuple[str, dict[str, Any], float], ...] = (
        ("quality", {"run": {"id": 8_812, "state": "failed", "suite": "badges"}}, 27.0),
        ("litellm", _budget(spend=81.4), 6.3),
        ("langsmith", _prompt(now), 69.9),
        ("quality", _certificate(now), 9.2),
        ("quality", _unknown_system(), 20.4),
    )
    for source, text, hours in texts:
        mail.keep(_posted(cast, source, text, now - timedelta(hours=hours)), [])


def _posted(cast: Cast, source: str, text: dict[str, Any], at: datetime) -> Delivery:
    return posted(cast.sources[source], json.dumps(text, ensure_ascii=False).encode(), at, agent=MONITORS[source].agent)


def _readings(chance: random.Random, now: datetime) -> Iterator[MonitorReading]:
    """One that is noisy, one that flaps, one that waits for more, one that is silenced, and one of staging."""

    def reading(signal: Signal, system: str, since: float, at: float, **more: object) -> MonitorReading:
        return MonitorReading(
            signal=signal,
            system=system,
            value=chance.uniform(*signal.reads),
            severity="medium",
            since=now - timedelta(hours=since),
            at=now - timedelta(hours=at),
            **more,  # type: ignore[arg-type]  # two fields of its own
        )

    for repeat in range(27):
        yield reading(_LATENCY_OF_FEED, "home-feed", 14, 14 - repeat * 0.5)
    for minutes in (300, 285, 271):
        hours = minutes / 60
        yield reading(_SLOW_SEARCH, "product-search", hours, hours)
        yield reading(_SLOW_SEARCH, "product-search", hours, hours - 0.12, is_over=True)
    yield reading(_RECALL_AT_TEN, "product-search", 0.6, 0.6)
    for repeat in range(4):
        yield reading(_ZERO_RESULTS, "product-search", 4.5, 4.5 - repeat)
    yield reading(_GROUNDEDNESS, "support-assistant", 2.2, 2.2, environment="staging")


def _passed(now: datetime) -> Iterator[MonitorReading]:
    """What passed last night: monitors tell of that as well."""
    signals = {failure.signal.monitor: failure for failure in FAILURES if failure.signal}
    for monitor, hours in (("evidently", 11.2), ("dbt", 0.7)):
        failure, at = signals[monitor], now - timedelta(hours=hours)
        if failure.signal:
            yield MonitorReading(
                signal=failure.signal,
                system=failure.system,
                value=failure.signal.threshold / 2,
                severity="medium",
                since=at,
                at=at,
                is_over=True,
            )


def _prompt(now: datetime) -> dict[str, Any]:
    return {
        "prompt_name": "support-assistant",
        "commit_hash": "9f2c41d07ab35e88c1d4f6a2b7e90c3d51e8f7a4",
        "event": "commit",
        "created_at": f"{now - timedelta(hours=70):%Y-%m-%dT%H:%M:%SZ}",
    }


def _budget(*, spend: float) -> dict[str, Any]:
    return {
        "spend": spend,
        "max_budget": 100.0,
        "soft_budget": 80.0,
        "token": "41d0c1aa5e7b4b0ac1f6a1c3d2b9e7f0",
        "team_id": "assistants",
        "team_alias": "Assistants",
        "key_alias": "support-assistant",
        "event_group": "key",
        "event": "threshold_crossed",
        "event_message": "80 % of the budget is used",
    }


def _certificate(now: datetime) -> dict[str, Any]:
    return {
        "title": "Certificate of evals.example.com expires in 12 days",
        "severity": "info",
        "status": "firing",
        "key": "certificate-evals",
        "service": "evals",
        "starts_at": f"{now - timedelta(hours=9.2):%Y-%m-%dT%H:%M:%SZ}",
    }


def _unknown_system() -> dict[str, Any]:
    return {
        "title": "Click-through of the checkout ranker is low",
        "metric": "click_through_rate",
        "system": "checkout-ranker",
        "severity": "info",
        "value": 0.018,
        "threshold": 0.025,
        "key": "ctr-checkout-ranker",
        "environment": "production",
    }
