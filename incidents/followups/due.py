"""By when a follow-up should be done."""

from datetime import date, timedelta

from django.utils import timezone

DAYS = {0: 7, 1: 14, 2: 30, 3: 45}  # by priority


def due_by_policy(priority: int, start: date | None = None) -> date:
    """The day by which what is agreed on `start` (today, UTC) should be done."""
    return (start or timezone.localdate()) + timedelta(days=DAYS[priority])


def due_in_days(days: int) -> date:
    return timezone.localdate() + timedelta(days=days)
