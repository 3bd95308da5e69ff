"""What a channel would have been told in the past days by its rules as they are now."""

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import prefetch_related_objects
from django.utils import timezone

from incidents.notifications import announced
from incidents.notifications.channels.base import Announcement
from incidents.notifications.destinations import Destination
from incidents.response import story
from incidents.response.events import Event
from incidents.response.incident import Incident

DAYS = timedelta(days=7)
MOST_EVENTS, SHOWN = 2_000, 30


@dataclass(frozen=True, slots=True)
class Preview:
    """`count` is of all that would have been sent; `shown` are the latest. `more` where there was too much to look at."""

    count: int
    shown: list[tuple[Announcement, Incident]]
    more: bool


def of(destination: Destination) -> Preview:
    """Nothing about private incidents is among it. Pagers: as if each incident had been known to it from its start."""
    events = Event.objects.filter(
        at__gt=timezone.now() - DAYS, kind__in=announced.KINDS, incident__private=False
    ).select_related("by", "incident__system", "incident__team", "incident__lead")
    events = story.without(events, Incident.objects.filter(private=True))
    if destination.team_id:
        events = events.filter(incident__team=destination.team_id)
    prefetch_related_objects([destination], "more_rules")
    rows = list(events.order_by("-at", "-pk")[: MOST_EVENTS + 1])
    told = [
        (announcement, event.incident)
        for event in rows[:MOST_EVENTS]
        if (announcement := announced.of(event)) and destination.wants(announcement, category=event.incident.category)
    ]
    return Preview(len(told), told[:SHOWN], len(rows) > MOST_EVENTS)
