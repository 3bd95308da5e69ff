"""Merging incidents and taking that back: the incidents are the core's, and their alerts follow."""

from django.db import transaction

from incidents.alerts.models import Alert
from incidents.people.models import User
from incidents.response.events import Event
from incidents.response.incident import Incident
from incidents.response.vocabulary import Status


def merge(incident: Incident, into: Incident, *, by: User) -> list[Incident]:
    """Say that `incident` is the same failure as `into`, and move its alerts there. Raises WrongStatus and Refused.

    Merged into a private one it becomes private with it, for it tells the same; returns what became so.
    """
    with transaction.atomic():
        Incident.objects.lock(incident, into)  # before its alerts are read, so that none joins it meanwhile
        alerts = list(Alert.objects.filter(incident=incident).values_list("pk", flat=True))
        incident.merge_into(into, by=by, alerts=alerts)
        because = f"Moved to {into} when {incident} was merged into it."
        Alert.objects.filter(pk__in=alerts).update(incident=into, routed_because=because)
        return into.restrict_copies(by=by)


def undo(incident: Incident, *, by: User) -> None:
    """Take back what triage decided last; undoing a merge gives back the alerts that it moved. Raises Refused."""
    with transaction.atomic():
        into = incident.locked().merged_into
        undone = incident.undo(by=by)
        if into and undone.detail["became"] == Status.MERGED:
            because = f"Moved back to {incident} when a merge was undone."
            moved = Alert.objects.filter(incident=into, pk__in=undone.detail.get("alerts", []))
            moved.update(incident=incident, routed_because=because)
            seen = incident.events.filter(kind=Event.Kind.VISIBILITY, pk__gt=undone.pk).order_by("-pk").first()
            if seen and seen.detail.get("along_with") == str(into):
                incident.open_up(by=by)
