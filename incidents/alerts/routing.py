"""From alert to incident: which system, which failure, which incident, and why. Every answer is kept in words."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from incidents import taxonomy
from incidents.alerts import rules
from incidents.alerts.claims import ChangeTold, Claim, clip
from incidents.alerts.matchers import Matcher, all_hold
from incidents.alerts.models import Alert, AlertSeverity, Outcome, Source
from incidents.alerts.policies import Correction, RulesVersion, Silence
from incidents.alerts.rules import Decision, Rule
from incidents.people.models import User
from incidents.response.events import Event
from incidents.response.incident import Incident
from incidents.response.vocabulary import OPEN, NoticedBy, Severity, Status, correlation_key
from incidents.systems.models import Change, System, SystemName
from incidents.web import bulk

# An episode that begins this soon after the last one ended is the same failure, flapping.
FLAP = timedelta(minutes=10)
LONGEST_REOPENING = timedelta(days=7)
# What routing sets on an alert.
ROUTED = ("incident", "routed_because", "held", "silence", "correlation_key")

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
    wanted = [(alert, (alert.system_name if alert.system_name.strip() else alert.service)) for alert in alerts]
    known = System.objects.all_named(name for _, name in wanted)
    for alert, name in wanted:
        alert.system = known.get(name.strip().lower())
        if alert.system is None and not alert.system_name.strip():
            alert.system = source.system


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


def correct(source: Source, alerts: Iterable[Alert]) -> None:
    """Classify as people said before: their corrections of this source's names stand above the rules."""
    named: dict[str, list[Alert]] = defaultdict(list)
    for alert in alerts:
        named[alert.telling_name].append(alert)
    for correction in source.corrections.standing().filter(name__in=named).select_related("made_by"):
        for alert in named[correction.name]:
            alert.category, alert.failure_mode, alert.confidence = correction.category, correction.failure_mode, "high"
            day = correction.made_at.strftime("%-d %B %Y")
            alert.classified_because = (
                f"{correction.made_by or 'Somebody'} said on {day} that “{correction.name}” from {source} is this."
            )


# The rules and the silences that are in force


def facts_of(alert: Alert) -> dict[str, str]:
    """What matchers see of an alert: its labels, and above them what is known of it."""
    return {
        **{str(name): str(value) for name, value in alert.labels.items()},
        "source": alert.source.slug,
        "kind": alert.source.kind,
        "system": alert.system.slug if alert.system else alert.system_name,
        "service": alert.service,
        "environment": alert.environment,
        "category": alert.category,
        "failure_mode": alert.failure_mode,
        "severity": alert.severity,
        "severity_raw": alert.severity_raw,
        "title": alert.title,
        "metric": str(alert.measured.get("metric", "")),
        "fingerprint": alert.fingerprint,
    }


@dataclass(frozen=True)
class Policy:
    """The rules and silences of one moment."""

    rules: tuple[Rule, ...]
    silences: tuple[tuple[Silence, tuple[Matcher, ...]], ...]

    @classmethod
    def now(cls) -> "Policy":
        version = RulesVersion.objects.current()
        silences = Silence.objects.in_force().order_by("pk")
        return cls(version.read() if version else (), tuple((silence, silence.read()) for silence in silences))

    def decide(self, alert: Alert) -> Decision:
        return rules.decide(self.rules, facts_of(alert)) if self.rules else Decision()

    def silence_of(self, alert: Alert) -> Silence | None:
        if not self.silences:
            return None
        facts = facts_of(alert)
        return next((silence for silence, matchers in self.silences if all_hold(matchers, facts)), None)


def apply_settings(decisions: Iterable[tuple[Alert, Decision]]) -> None:
    """Set on each alert what the rules say of its system, severity and category."""
    pairs = list(decisions)
    slugs = {decision.system for _, decision in pairs if decision.system}
    systems = {system.slug: system for system in System.objects.filter(slug__in=slugs)} if slugs else {}
    for alert, decision in pairs:
        if decision.system in systems:
            alert.system = systems[decision.system]
        if decision.severity:
            alert.severity = decision.severity
        if decision.failure_mode or decision.category:
            mode = decision.failure_mode
            alert.category = taxonomy.failure_mode(mode).category if mode else decision.category
            alert.failure_mode, alert.confidence, alert.classified_because = mode, "high", clip(decision.because, 500)


def key_of(alert: Alert, group: str = "") -> str:
    """The correlation key of an alert: its system, else the name it gave, else its source; its category; a rule's group."""
    if alert.system_id:
        where = f"system:{alert.system_id}"
    elif alert.system_name:
        where = f"name:{alert.system_name.strip().lower()}"
    else:
        where = f"source:{alert.source_id}"
    if len(group) > 40:
        group = hashlib.sha256(group.encode()).hexdigest()[:16]
    return correlation_key(where, alert.category, group)


# Opening and joining


def route(pairs: Sequence[tuple[Alert, Decision]], policy: Policy) -> list[Alert]:
    """Open or join one incident for each correlation key, or say why not. Runs inside the turn's transaction.

    The alerts have their keys already, and their caller writes them; returned are further ones, which waited for these
    and of which the ROUTED fields are to be written too.
    """
    groups: dict[str, list[tuple[Alert, Decision]]] = defaultdict(list)
    for alert, decision in pairs:
        alert.held, alert.silence = "", None
        if (silence := policy.silence_of(alert)) is not None:
            _hold(
                alert,
                Alert.Held.SILENCED,
                f"Silenced until {silence.ends_at:%-d %b %H:%M} UTC: {silence.reason}",
                decision,
            )
            alert.silence = silence
        elif decision.act == "record":
            _hold(alert, Alert.Held.RECORDED, "Recorded, and no incident opened.", decision)
        elif alert.severity == AlertSeverity.INFO and not decision.act:
            _hold(alert, Alert.Held.RECORDED, "Only information: recorded, and no incident opened.", decision)
        else:
            alert.correlation_key = key_of(alert, decision.group)
            groups[alert.correlation_key].append((alert, decision))
    incidents = _lock_incidents(sorted(groups))
    freed: list[Alert] = []
    for key in sorted(groups):
        ready, others = _ready(key, groups[key])
        freed += others
        if ready:
            _gather(key, ready, incidents.get(key, []))
    return freed


def _hold(alert: Alert, held: str, reason: str, decision: Decision) -> None:
    alert.held = held
    alert.routed_because = clip(" ".join(filter(None, (decision.because, reason))), 1000)


def _lock_incidents(keys: list[str]) -> dict[str, list[Incident]]:
    """Lock the keys, then the incidents under them, open ones first: nobody else can open or move one until the commit."""
    if not keys:
        return {}
    with connection.cursor() as cursor:  # in the order of the keys, which is that of the array
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(key, 0)) FROM unnest(%s::text[]) AS key", [keys])
    lately = timezone.now() - LONGEST_REOPENING
    rows = Incident.objects.filter(correlation_key__in=keys).filter(
        Q(status__in=OPEN) | Q(status=Status.RESOLVED, resolved_at__gt=lately)
    )
    found: dict[str, list[Incident]] = defaultdict(list)
    for incident in rows.select_related("system").order_by("pk").select_for_update(no_key=True, of=("self",)):
        found[incident.correlation_key or ""].append(incident)
    return {key: sorted(incidents, key=lambda one: (not one.is_open, -one.number)) for key, incidents in found.items()}


def _ready(key: str, pairs: list[tuple[Alert, Decision]]) -> tuple[list[tuple[Alert, Decision]], list[Alert]]:
    """Keep what may open now, with what had waited for it; what waits on is held, with how often it was told."""
    waiting = [(alert, decision) for alert, decision in pairs if decision.act == "wait"]
    if not waiting:
        return pairs, []
    wanted = waiting[0][1]
    since = timezone.now() - wanted.within
    told = Outcome.objects.filter(
        alert__correlation_key=key, alert__held=Alert.Held.WAITING, delivery__received_at__gt=since
    ).exclude(alert__in=[alert.pk for alert, _ in pairs])
    mine = Outcome.objects.filter(alert__in=[alert.pk for alert, _ in waiting], delivery__received_at__gt=since)
    times = told.count() + mine.count()
    if times >= wanted.times:
        others = Alert.objects.firing().filter(correlation_key=key, held=Alert.Held.WAITING, incident=None)
        known = {alert.pk for alert, _ in pairs}
        freed = [alert for alert in others.select_related("source", "system") if alert.pk not in known]
        return [*pairs, *((alert, wanted) for alert in freed)], freed
    for alert, decision in waiting:
        _hold(alert, Alert.Held.WAITING, f"Told {times} of {wanted.times} times within {wanted.within}.", decision)
    return [(alert, decision) for alert, decision in pairs if decision.act != "wait"], []


def _gather(key: str, pairs: list[tuple[Alert, Decision]], known: list[Incident]) -> None:
    """Join the incident that is open under this key, take up one that was resolved just now, or open a new one."""
    alerts, decision = [alert for alert, _ in pairs], pairs[0][1]
    open_one = known[0] if known and known[0].is_open else None
    if open_one and decision.join_within is not None and _quiet_since(open_one) < timezone.now() - decision.join_within:
        open_one.release_key()
        open_one = None
    resolved = None if open_one else next((one for one in known if _may_reopen(one, pairs)), None)
    if open_one:
        _join(open_one, alerts, decision)
    elif resolved:
        resolved.reopen(by=None, reason="It fires again, soon after it was resolved.")
        _join(resolved, alerts, decision)
    else:
        _open(key, alerts, decision)


def _quiet_since(incident: Incident) -> datetime:
    newest = incident.alerts.order_by("-last_received_at").values_list("last_received_at", flat=True).first()
    return newest or incident.declared_at


def _may_reopen(incident: Incident, pairs: list[tuple[Alert, Decision]]) -> bool:
    """Tell whether what was resolved fires again soon enough to be the same failure: by a rule, or by flapping."""
    if incident.status != Status.RESOLVED or incident.resolved_at is None:
        return False
    passed = timezone.now() - incident.resolved_at
    by_rule = any(decision.reopen_within is not None and passed <= decision.reopen_within for _, decision in pairs)
    return by_rule or any(alert.flaps and passed <= FLAP for alert, _ in pairs)


def _open(key: str, alerts: list[Alert], decision: Decision) -> None:
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
    _link(incident, alerts, " ".join(filter(None, (decision.because, reason))))


def _join(incident: Incident, alerts: list[Alert], decision: Decision) -> None:
    where = incident.system or alerts[0].system_name or alerts[0].source
    reason = f"Joined {incident}: the same system and category ({where}, {alerts[0].category_name.lower()})."
    _link(incident, alerts, " ".join(filter(None, (decision.because, reason))))
    worst = max((_suggested(alert) for alert in alerts), key=lambda severity: severity.rank)
    # Once somebody has taken the incident its severity is theirs to decide.
    if incident.status == Status.TRIAGE and worst.rank > Severity(incident.severity).rank:
        incident.set_severity(worst, by=None, reason="A more severe alert joined.")


def _link(incident: Incident, alerts: list[Alert], reason: str, *, by: User | None = None) -> None:
    for alert in alerts:
        alert.incident = incident
        alert.held = ""
        alert.routed_because = clip(reason, 1000)
    shown = [{"id": alert.pk, "title": alert.title} for alert in alerts[:5]]
    incident.record(Event.Kind.ALERT_LINKED, by=by, count=len(alerts), alerts=shown)


def _suggested(alert: Alert) -> Severity:
    if alert.severity == AlertSeverity.CRITICAL and alert.system and alert.system.tier == System.Tier.CRITICAL:
        return Severity.SEV1
    return _SEVERITY[AlertSeverity(alert.severity)]


def release_silenced() -> int:
    """Let through what still fires when its silence has ended; returns how many alerts. Locks as a turn does."""
    over = Silence.objects.filter(ends_at__lte=timezone.now(), released_at=None)
    freed = 0
    for silence in over.order_by("pk"):
        held = Alert.objects.firing().filter(silence=silence, held=Alert.Held.SILENCED)
        for source_id in sorted(set(held.values_list("source", flat=True))):
            with transaction.atomic():
                source = Source.objects.select_for_update(no_key=True).get(pk=source_id)
                alerts = list(held.filter(source=source).select_related("system").order_by("pk"))
                for alert in alerts:
                    alert.source = source
                policy = Policy.now()
                waited = route([(alert, policy.decide(alert)) for alert in alerts], policy)
                bulk.update([*alerts, *waited], ROUTED)
                freed += len(alerts)
        Silence.objects.filter(pk=silence.pk).update(released_at=timezone.now())
    return freed


def note_cleared(alerts: Iterable[Alert]) -> None:
    """Tell each incident whose last firing alert has cleared. That never closes it: a person looks at the output first."""
    touched = {alert.incident_id for alert in alerts if alert.incident_id}
    still = set(Alert.objects.firing().filter(incident__in=touched).values_list("incident_id", flat=True))
    for incident in Incident.objects.open().filter(pk__in=touched - still).order_by("pk"):
        incident.record(Event.Kind.ALERTS_CLEARED, by=None)


# What people settle by hand


def link(alert: Alert, incident: Incident, *, by: User) -> None:
    """Link an alert to an incident by hand."""
    link_all([alert], incident, by=by)
    alert.refresh_from_db()


def link_all(alerts: Sequence[Alert], incident: Incident, *, by: User) -> None:
    """Link alerts to an incident by hand."""
    with transaction.atomic():
        rows = list(
            Alert.objects.filter(pk__in=[alert.pk for alert in alerts]).order_by("pk").select_for_update(no_key=True)
        )
        _link(incident, rows, f"Linked to {incident} by {by}.", by=by)
        bulk.update(rows, ROUTED)


def classify(alerts: Sequence[Alert], *, category: str, failure_mode: str = "", remember: bool, by: User) -> int:
    """Say what kind of failure alerts are of; with `remember`, for later alerts of the same names and sources too.

    Returns how many names are remembered.
    """
    if failure_mode:
        category = taxonomy.failure_mode(failure_mode).category
    named = {(alert.source_id, alert.telling_name) for alert in alerts if alert.telling_name} if remember else set()
    with transaction.atomic():
        Alert.objects.filter(pk__in=[alert.pk for alert in alerts]).update(
            category=category, failure_mode=failure_mode, confidence="high", classified_because=f"Settled by {by}."
        )
        for source_id, name in sorted(named):
            standing = Correction.objects.standing().filter(source=source_id, name=name)
            standing.update(undone_at=timezone.now(), undone_by=by)
            Correction.objects.create(
                source_id=source_id, name=name, category=category, failure_mode=failure_mode, made_by=by
            )
    return len(named)


def open_incident(alert: Alert, *others: Alert, by: User) -> Incident:
    """Open one incident from alerts that opened none by themselves; the worst gives it its name."""
    first = max((alert, *others), key=lambda one: _suggested(one).rank)
    with transaction.atomic():
        incident = Incident.objects.declare(
            title=first.title,
            by=by,
            system=first.system,
            severity=_suggested(first),
            category=first.category,
            failure_mode=first.failure_mode,
            classified_because=first.classified_because,
            noticed_by=NoticedBy.MONITOR,
            detected_at=min(one.first_received_at for one in (alert, *others)),
        )
        link_all([alert, *others], incident, by=by)
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
