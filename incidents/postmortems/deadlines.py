"""When a postmortem is due, and what counts as in time."""

from datetime import UTC, date, datetime, timedelta

from django.db import models
from django.db.models.functions import TruncDate
from django.utils import timezone

from incidents.postmortems.guide import Policy
from incidents.response.incident import Incident


def due_date(incident: Incident) -> date:
    """When the postmortem of a resolved incident is due: business days by the policy of its severity, counted in UTC."""
    return business_days_after(incident.resolved_at or timezone.now(), Policy.objects.of(incident.severity).due_days)


def business_days_after(moment: datetime, days: int) -> date:
    day = timezone.localdate(moment)
    while days:
        day += timedelta(days=1)
        days -= day.weekday() < 5
    return day


IN_TIME = models.Q(state="published", due_on__gte=TruncDate("published_at", tzinfo=UTC))


def can_be_judged() -> models.Q:
    """The condition that one can say whether it was in time: published, or past its day, unless none is required."""
    past = models.Q(due_on__lt=timezone.now().date())
    return ~models.Q(state="not_required") & (past | models.Q(state="published"))
