"""What several tests of alerts use."""

import json
from datetime import UTC, datetime
from typing import Any

from incidents.alerts.models import Outcome
from incidents.alerts.sources import example
from incidents.alerts.sources.readers import READERS

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
JSON = "application/json"


def results() -> list[str]:
    """What came of every claim, oldest first."""
    return list(Outcome.objects.order_by("pk").values_list("result", flat=True))


def group(*alerts: dict[str, Any]) -> dict[str, Any]:
    return {"version": "4", "status": "firing", "receiver": "faultline", "alerts": list(alerts)}


def telling(
    status: str = "firing", *, start: datetime = NOON, end: datetime | None = None, **labels: str
) -> dict[str, Any]:
    labels = {"alertname": "GroundednessLow", "system": "support-assistant", "severity": "critical"} | labels
    return {
        "status": status,
        "labels": labels,
        "annotations": {"summary": "Groundedness is below 0.7"},
        "startsAt": start.isoformat(),
        "endsAt": end.isoformat() if end else "0001-01-01T00:00:00Z",
    }


def statements_of(slug: str, body: Any = None, **headers: str) -> list[Any]:
    raw = example(slug) if body is None else json.dumps(body).encode()
    return READERS[slug](raw, headers)
