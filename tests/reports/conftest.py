"""What the tests of reports share: questions of the last months, and incidents that happened then."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from incidents.people.models import User
from incidents.reports.scope import Asked, Period, ReportScope
from incidents.response.incident import Incident
from incidents.response.vocabulary import Status
from incidents.systems.models import System


@pytest.fixture
def asked() -> Asked:
    """The last three months, of everything."""
    return Asked(Period.last(3, today=timezone.now().date()), ReportScope())


@pytest.fixture
def happened(mara: User, support_assistant: System) -> Callable[..., Incident]:
    """Let an incident have happened so many days ago: noticed an hour after it began, resolved five hours later."""

    def declare(days: float, /, **facts: Any) -> Incident:
        detected = timezone.now() - timedelta(days=days)
        usual: dict[str, Any] = {
            "title": f"Wrong {days} days ago",
            "by": mara,
            "system": support_assistant,
            "severity": "sev2",
            "kind": "real",
            "category": "drift",
            "failure_mode": "drift.covariate",
            "noticed_by": "monitor",
            "impact_started_at": detected - timedelta(hours=1),
            "detected_at": detected,
            "declared_at": detected,
            "acknowledged_at": detected + timedelta(minutes=5),
            "contained_at": detected + timedelta(hours=1),
            "resolved_at": detected + timedelta(hours=5),
        }
        fields = usual | facts
        status = fields.pop("status", Status.CLOSED)
        incident = Incident.objects.declare(**fields)
        Incident.objects.filter(pk=incident.pk).update(status=status)
        incident.refresh_from_db()
        return incident

    return declare


def at(days: float) -> datetime:
    return timezone.now() - timedelta(days=days)
