"""Which systems are due for a drill: carrying out a containment when nothing is wrong."""

from datetime import datetime, timedelta

from django.db.models import Max
from django.utils import timezone

from incidents.people.models import User
from incidents.response.containments import Containment
from incidents.response.incident import Incident
from incidents.response.vocabulary import IncidentKind
from incidents.systems.models import System

DRILL_EVERY = {1: 90, 2: 180}  # days, by tier


def practised_at(user: User) -> dict[int, datetime]:
    """When a containment was last carried out on each system, in an incident or in a drill: an incident of kind “test”."""
    since = timezone.now() - timedelta(days=max(DRILL_EVERY.values()))
    done = Containment.objects.filter(done_at__gte=since, incident__system__isnull=False)
    done = done.exclude(incident__kind=IncidentKind.BACKFILLED)
    visible = done.exclude(incident__in=list(Incident.objects.hidden_from(user).values_list("pk", flat=True)))
    return dict(visible.order_by().values_list("incident__system").annotate(Max("done_at")))


def is_drill_overdue(system: System, last: datetime | None) -> bool:
    """Whether nobody has practised containing it for too long; supporting systems need not be."""
    days = DRILL_EVERY.get(system.tier)
    return days is not None and (last is None or timezone.now() - last > timedelta(days=days))
