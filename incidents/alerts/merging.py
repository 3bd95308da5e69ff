"""Merging incidents and taking that back: the incidents are the core's, and their alerts follow."""

from django.db import transaction

from incidents.alerts.models import Alert
from incidents.people.models import User
from incidents.response.incident import Incident
from incidents.response.vocabulary import Status


def merge(incident: Incident, into: Incident, *, by: User) -> None:
    """Say that `incident` is the same failure as `into`, and move its alerts there. Raises WrongStatus and Refused."""
    with transaction.atomic():
        Incident.objects.lock(incident, into)  # before its alerts are read, so that none joins it meanwhile
        alerts = list(Alert.objects.filter(incident=incident).values_list("pk", flat=True))
        incident.merge_into(into, by=by, alerts=alerts)
        because = f"Moved to {into} when {incident} was merged into it."
        Alert.objects.filter(pk__in=alerts).update(incident=into, routed_because=because)


def undo(incident: Incident, *, by: User) -> None:
    """Take back what triage decided last; undoing a merge gives back the alerts that it moved. Raises Refused."""
    with transaction.atomic():
        into = incident.locked().merged_into
        undone = incident.undo(by=by)
        if into and undone.detail["became"] == Status.MERGED:
            because = f"Moved back to {incident} when its merge into {into} was undone."
            moved = Alert.objects.filter(incident=into, pk__in=undone.detail.get("alerts", []))
            moved.update(incident=incident, routed_because=because)
