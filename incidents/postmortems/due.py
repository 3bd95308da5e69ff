"""Which resolved incidents still need a postmortem: asked of the database, not triggered, so none is forgotten."""

from datetime import timedelta

from django.utils import timezone

from incidents.postmortems.document import Postmortem
from incidents.response.incident import Incident
from incidents.response.vocabulary import IncidentKind, Status

SETTLED_AFTER = timedelta(seconds=20)  # long enough to undo a slip of the finger


# By when one has been started for certain, where the worker runs at all; until then nobody need press a button for it.
STARTED_WITHIN = timedelta(minutes=1)


def starts_by_itself(incident: Incident) -> bool:
    """Whether a postmortem of the incident, which has none, is about to be started."""
    return (
        incident.status == Status.RESOLVED
        and incident.kind == IncidentKind.REAL
        and incident.resolved_at is not None
        and timezone.now() - incident.resolved_at < STARTED_WITHIN
    )


def start_missing() -> int:
    """Start the postmortem of every resolved incident that has none; returns how many were started."""
    waiting = Incident.objects.filter(
        status=Status.RESOLVED,
        kind=IncidentKind.REAL,
        postmortems=None,
        covered_by=None,
        resolved_at__lte=timezone.now() - SETTLED_AFTER,
    )
    started = [Postmortem.objects.begin(incident) for incident in waiting.order_by("pk")]
    return len(started)
