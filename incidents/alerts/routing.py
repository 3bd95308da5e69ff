"""From alert to incident: which system, which failure, which incident, and why. Every answer is kept in words."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection, transaction

from incidents import taxonomy
from incidents.alerts.claims import ChangeTold, Claim, clip
from incidents.alerts.models import Alert, AlertSeverity, Source
from incidents.people.models import User
from incidents.response.models import Event, Incident, NoticedBy, Severity, Status, correlation_key
from incidents.systems.models import Change, System, SystemName

# What an alert suggests until a person decides. A tier-1 system's critical alert is the worst there is.
_SEVERITY = {
    AlertSeverity.CRITICAL: Severity.SEV2,
    AlertSeverity.HIGH: Severity.SEV2,
    AlertSeverity.MEDIUM: Severity.SEV3,
    AlertSeverity.LOW: Severity.SEV4,
    AlertSeverity.INFO: Severity.SEV4,
}


def classification(claim: Claim) -> dict[str, str]:
    """Say which failure the claim's names point to, with how sure that is and why."""
    stated = claim.labels.get("failure_mode") or claim.labels.get("category")
    if stated and (found := taxonomy.find(stated)):
        return {
            "category": found.category,
            "failure_mode": found.failure_mode,
            "confidence": "high",
            "classified_because": f"The monitor itself says “{found.name}”.",
        }
    suggestion = taxonomy.classify(*claim.names)
    if suggestion is None or not suggestion.category:
        because = suggestion.reason if suggestion else "No rule knows these names; somebody has to settle it."
        return {"category": "", "failure_mode": "", "confidence": "", "classified_because": clip(because, 500)}
    return {
        "category": suggestion.category,
        "failure_mode": suggestion.failure_mode,
        "confidence": suggestion.confidence,
        "classified_because": clip(suggestion.reason, 500),
    }


def find_systems(source: Source, alerts: Iterable[Alert]) -> None:
    """Set each alert's system: from the name it carries, else from its service where one is known by that, else from
    its source. A name that nobody knows stays as it is, for somebody to settle."""
    known: dict[str, System | None] = {}

    def find(name: str) -> System | None:
        name = name.strip().lower()
        if name not in known:
            known[name] = System.objects.named(name)
        return known[name]

    for alert in alerts:
        alert.system = find(alert.system_name) if alert.system_name.strip() else find(alert.service) or source.system


def record_change(source: Source, told: ChangeTold) -> str:
    """Keep a change that a monitor told of, once however often it is told; says what was done with it."""
    system = System.objects.named(told.system_name) or source.system
    if system is None:
        return f"“{told.title}”: no system is known as “{told.system_name}”, and the source watches none, so it was not kept."
    kind = told.kind if told.kind in Change.Kind.values else Change.Kind.CONFIGURATION
    facts: dict[str, Any] = {"title": told.title, "version": told.version, "url": told.url}
    if told.happened_at:
        facts |= {"happened_at": told.happened_at}
    _, was_new = Change.objects.get_or_create(system=system, kind=kind, **facts)
    return f"“{told.title}” is {'kept' if was_new else 'known already'} as a change of {system}."


def key_of(alert: Alert) -> str:
    """The correlation key of an alert: its system, else the name it gave, else its source; and its category."""
    if alert.system_id:
        where = f"system:{alert.system_id}"
    elif alert.system_name:
        where = f"name:{alert.system_name.strip().lower()}"
    else:
        where = f"source:{alert.source_id}"
    return correlation_key(where, alert.category)


def route(alerts: Sequence[Alert]) -> None:
    """Open or join one incident for each correlation key. Runs inside the turn's transaction."""
    groups: dict[str, list[Alert]] = defaultdict(list)
    for alert in alerts:
        if alert.severity == AlertSeverity.INFO:
            alert.routed_because = "Only information: recorded, and no incident opened."
        else:
            groups[key_of(alert)].append(alert)
    incidents = _lock_open_incidents(sorted(groups))
    for key in sorted(groups):
        if key in incidents:
            _join(incidents[key], groups[key])
        else:
            _open(key, groups[key])
    Alert.objects.bulk_update(alerts, ["incident", "routed_because"], batch_size=500)


def _lock_open_incidents(keys: list[str]) -> dict[str, Incident]:
    """Lock the keys, then the incidents open under them: nobody else can open or move one until the commit."""
    with connection.cursor() as cursor:
        for key in keys:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])
    found = Incident.objects.open().filter(correlation_key__in=keys).order_by("pk").select_for_update(no_key=True)
    return {incident.correlation_key: incident for incident in found if incident.correlation_key}


def _open(key: str, alerts: list[Alert]) -> None:
    first = max(alerts, key=lambda alert: _suggested(alert).rank)
    incident = Incident.objects.declare(
        title=clip(first.title, 200),
        by=None,
        system=first.system,
        team=first.system.team if first.system else first.source.team,
        severity=_suggested(first),
        category=first.category,
        failure_mode=first.failure_mode,
        classified_because=first.classified_because,
        correlation_key=key,
        noticed_by=NoticedBy.MONITOR,
        detected_at=min(alert.first_received_at for alert in alerts),
    )
    where = first.system or first.system_name or first.source
    reason = f"Opened {incident}: nothing was open for {where}, {first.category_name.lower()}."
    _link(incident, alerts, reason)


def _join(incident: Incident, alerts: list[Alert]) -> None:
    where = incident.system or alerts[0].system_name or alerts[0].source
    _link(
        incident,
        alerts,
        f"Joined {incident}: the same system and category ({where}, {alerts[0].category_name.lower()}).",
    )
    worst = max((_suggested(alert) for alert in alerts), key=lambda severity: severity.rank)
    # Once somebody has taken the incident its severity is theirs to decide.
    if incident.status == Status.TRIAGE and worst.rank > Severity(incident.severity).rank:
        incident.set_severity(worst, by=None, reason="A more severe alert joined.")


def _link(incident: Incident, alerts: list[Alert], reason: str, *, by: User | None = None) -> None:
    for alert in alerts:
        alert.incident = incident
        alert.routed_because = clip(reason, 500)
    shown = [{"id": alert.pk, "title": alert.title} for alert in alerts[:5]]
    incident.record(Event.Kind.ALERT_LINKED, by=by, count=len(alerts), alerts=shown)


def _suggested(alert: Alert) -> Severity:
    if alert.severity == AlertSeverity.CRITICAL and alert.system and alert.system.tier == System.Tier.CRITICAL:
        return Severity.SEV1
    return _SEVERITY[AlertSeverity(alert.severity)]


def note_cleared(alerts: Iterable[Alert]) -> None:
    """Tell each incident whose last firing alert has cleared. That never closes it: a person looks at the output first."""
    touched = {alert.incident_id for alert in alerts if alert.incident_id}
    still = set(Alert.objects.firing().filter(incident__in=touched).values_list("incident_id", flat=True))
    for incident in Incident.objects.open().filter(pk__in=touched - still).order_by("pk"):
        incident.record(Event.Kind.ALERTS_CLEARED, by=None)


# What people settle by hand


def link(alert: Alert, incident: Incident, *, by: User) -> None:
    """Link an alert to an incident by hand."""
    with transaction.atomic():
        row = Alert.objects.select_for_update(no_key=True).get(pk=alert.pk)
        _link(incident, [row], f"Linked to {incident} by {by}.", by=by)
        row.save(update_fields=["incident", "routed_because"])
    alert.refresh_from_db()


def open_incident(alert: Alert, *, by: User) -> Incident:
    """Open an incident from an alert that opened none by itself."""
    with transaction.atomic():
        incident = Incident.objects.declare(
            title=alert.title,
            by=by,
            system=alert.system,
            severity=_suggested(alert),
            category=alert.category,
            failure_mode=alert.failure_mode,
            classified_because=alert.classified_because,
            noticed_by=NoticedBy.MONITOR,
            detected_at=alert.first_received_at,
        )
        link(alert, incident, by=by)
    return incident


def settle_system(name: str, system: System, *, by: User) -> int:
    """Say once which system a monitor means by `name`: its alerts and open incidents follow, and so do later ones."""
    with transaction.atomic():
        SystemName.objects.update_or_create(name=name.strip().lower(), defaults={"system": system, "settled_by": by})
        alerts = Alert.objects.unsettled().filter(system_name__iexact=name.strip())
        incidents = Incident.objects.open().filter(system=None, alerts__in=alerts).distinct().order_by("pk")
        for incident in list(incidents):
            incident.set_system(system, by=by)
        return alerts.update(system=system)
