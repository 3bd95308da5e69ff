"""What people decide about alerts by hand: link them, classify them, open an incident of them, name their system."""

from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone

from incidents import taxonomy
from incidents.alerts import commit
from incidents.alerts.models import Alert
from incidents.alerts.policies import Correction
from incidents.alerts.raising import suggested_severity
from incidents.errors import Refused
from incidents.people.models import User
from incidents.response import story
from incidents.response.incident import Incident
from incidents.response.vocabulary import NoticedBy
from incidents.systems.models import System, SystemName


def link(alerts: Sequence[Alert], incident: Incident, *, by: User) -> list[Incident]:
    """Link alerts to an incident, from wherever they were. Raises Refused where that would show what is private.

    Where that incident is private, those that got their title from one of the alerts become private too; returns which.
    """
    with transaction.atomic():
        rows = Alert.objects.filter(pk__in=[alert.pk for alert in alerts]).select_related("incident").order_by("pk")
        for alert in rows.select_for_update(no_key=True, of=("self",)):
            if alert.incident and alert.incident != incident:
                alert.incident.refuse_to_expose(incident)
                story.withhold(alert.incident, alert.pk, alert.title, moved_to=incident, by=by)
            story.show_again(incident, alert.pk, alert.title)
        commit.link(alerts, incident, by=by)
        return incident.restrict_copies(by=by)


def classify(alerts: Sequence[Alert], *, category: str, failure_mode: str = "", remember: bool, by: User) -> int:
    """Say what kind of failure alerts are of; with `remember`, for later alerts of the same names and sources too.

    Returns how many names are remembered.
    """
    if failure_mode:
        category = taxonomy.failure_mode(failure_mode).category
    named = {(alert.source_id, alert.telling_name) for alert in alerts if alert.telling_name} if remember else set()
    with transaction.atomic():
        Alert.objects.filter(pk__in=[alert.pk for alert in alerts]).update(
            category=category, failure_mode=failure_mode, confidence="high", classified_because=f"Classified by {by}."
        )
        for source_id, name in sorted(named):
            standing = Correction.objects.standing().filter(source=source_id, name=name)
            standing.update(undone_at=timezone.now(), undone_by=by)
            Correction.objects.create(
                source_id=source_id, name=name, category=category, failure_mode=failure_mode, made_by=by
            )
    return len(named)


def open_incident(alert: Alert, *others: Alert, by: User) -> Incident:
    """Open one incident from alerts that opened none by themselves; the worst gives it its name. Raises Refused."""
    for member in (alert, *others):
        if member.incident and member.incident.private:
            raise Refused(
                f"“{member}” belongs to {member.incident}, which is private. Link it there, or open that one up."
            )
    first = max((alert, *others), key=lambda member: suggested_severity(member).rank)
    with transaction.atomic():
        incident = Incident.objects.declare(
            title=first.title,
            by=by,
            system=first.system,
            severity=suggested_severity(first),
            category=first.category,
            failure_mode=first.failure_mode,
            classified_because=first.classified_because,
            noticed_by=NoticedBy.MONITOR,
            detected_at=min(member.first_received_at for member in (alert, *others)),
        )
        link([alert, *others], incident, by=by)
    return incident


def settle_system(name: str, system: System, *, by: User) -> int:
    """Say once which system a monitor means by `name`: its alerts and open incidents follow, and so do later ones.

    Returns how many alerts did, of those that the person may see.
    """
    with transaction.atomic():
        SystemName.objects.update_or_create(name=name.strip().lower(), defaults={"system": system, "settled_by": by})
        alerts = Alert.objects.unsettled().named(name.strip())
        incidents = Incident.objects.open().filter(system=None, alerts__in=alerts).distinct().order_by("pk")
        for incident in list(incidents):
            incident.set_system(system, by=by)
        settled = alerts.visible_to(by).count()
        alerts.update(system=system)
    return settled
