"""By when a follow-up should be done."""

from datetime import date, timedelta

from django.utils import timezone

SATURDAY = 5  # as date.weekday() counts
DAYS = {0: 7, 1: 14, 2: 30, 3: 45}  # by priority


def due_by_policy(priority: int, start: date | None = None) -> date:
    """The day by which what is agreed on `start` (today, UTC) should be done; on a weekend, the Monday after."""
    return working_day((start or timezone.localdate()) + timedelta(days=DAYS[priority]))


def due_in_days(days: int) -> date:
    """The day that is so many days from today (UTC), or the Monday after."""
    return working_day(timezone.localdate() + timedelta(days=days))


def working_day(day: date) -> date:
    """The day itself, or the Monday after where it is on a weekend."""
    return day + timedelta(days=max(0, 7 - day.weekday()) if day.weekday() >= SATURDAY else 0)
