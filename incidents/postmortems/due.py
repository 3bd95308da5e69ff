"""Which resolved incidents still need a postmortem: asked of the database, not triggered, so none is forgotten."""

from datetime import timedelta

from django.utils import timezone

from incidents.postmortems.document import Postmortem
from incidents.response.incident import Incident
from incidents.response.vocabulary import IncidentKind, Status

SETTLED_AFTER = timedelta(seconds=20)  # long enough to undo a slip of the finger


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
