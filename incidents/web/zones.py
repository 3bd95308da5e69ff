"""Moments in the zone of whoever reads them."""

from datetime import datetime

from django.utils import timezone


def in_own_zone(moment: datetime) -> datetime:
    """A moment in the reader's zone; as it is where that lies beyond the calendar, at either end of which zones end too."""
    try:
        return timezone.localtime(moment)
    except OverflowError:
        return moment
