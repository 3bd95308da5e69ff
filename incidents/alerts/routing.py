"""From alert to incident: which system, which failure, which incident, and why. Every answer is kept in words.

`route` and `link` write incidents and their events. Of alerts they only set fields in memory, and give back all whose
fields they set: `commit.py` writes these, and is the only module that calls them.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Q
from django.utils import timezone

from incidents import taxonomy
from incidents.alerts import learning, rules
from incidents.alerts.claims import ChangeAnnounced, Claim
from incidents.alerts.cleaning import clip
from incidents.alerts.correlation import key_of, place_of
from incidents.alerts.learning import Lesson
from incidents.alerts.matchers import Matcher, all_hold
from incidents.alerts.models import Alert, AlertSeverity, Outcome, Source
from incidents.alerts.policies import RulesVersion, Silence
from incidents.alerts.raising import escalate, raise_severity, suggested_severity
from incidents.alerts.rules import RoutingDecision, RoutingRule
from incidents.alerts.statuses import Condition
from incidents.people.models import User
from incidents.response.events import Event
from incidents.response.incident import Incident
from incidents.response.vocabulary import OPEN, NoticedBy, Status
from incidents.systems.models import Change, System
from incidents.web.durations import span

# An episode that begins this soon after the last one ended is the same failure, flapping.
FLAP = timedelta(minutes=10)
LONGEST_REOPENING = timedelta(days=7)


# A metric's name says which failure it would be, but not that it is one, where nothing bad was measured.
_SAY_NOTHING: dict[Condition, str] = {
    "no_data": "No data came, so what failed is unknown; please classify it.",
    "check_failed": "The check failed to run, so what it would have measured is unknown.",
    "notice": "Only a notice: nothing failed.",
}


def classification(claim: Claim) -> dict[str, str]:
    """Say which failure the claim's names and words point to, with how sure that is and why."""
    stated = claim.labels.get("failure_mode") or claim.labels.get("category")
    if stated and (failure := taxonomy.find(stated)):
        return {
            "category": failure.category,
            "failure_mode": failure.failure_mode,
            "confidence": "high",
            "classified_because": f"The monitor itself says “{failure.name}”.",
        }
    if claim.condition in _SAY_NOTHING:
        return {
            "category": "",
            "failure_mode": "",
            "confidence": "",
            "classified_because": _SAY_NOTHING[claim.condition],
        }
    suggestion = taxonomy.suggest(claim.names, claim.title, claim.description)
    if suggestion is None or not suggestion.category:
        because = suggestion.reason if suggestion else "Neither its names nor its words are clear; please classify it."
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


def record_change(source: Source, announced: ChangeAnnounced) -> str:
    """Record a change that a monitor announced, once however often it does; returns what was done, in a sentence."""
    system = System.objects.named(announced.system_name) or source.system
    if system is None:
        return (
            f"“{announced.title}” was not recorded: no system is known as “{announced.system_name}”, "
            "and this source has no system of its own."
        )
    kind = announced.kind if announced.kind in Change.Kind.values else Change.Kind.CONFIGURATION
    facts: dict[str, Any] = {"title": announced.title, "version": announced.version, "url": announced.url}
    if announced.happened_at:
        facts |= {"happened_at": announced.happened_at}
    known = Change.objects.filter(system=system, kind=kind, **facts).exists()
    if not known:
        Change.objects.create(system=system, kind=kind, **facts)
    return f"“{announced.title}” is {'recorded already' if known else 'recorded'} as a change of {system}."


def correct(source: Source, alerts: Iterable[Alert]) -> None:
    """Classify as people said before: their corrections of this source's names, else of words like these from any source."""
    version = learning.version()
    if version == learning.NOTHING_TAUGHT:
        return
    named: dict[str, list[Alert]] = defaultdict(list)
    for alert in alerts:
        named[alert.telling_name].append(alert)
    for correction in source.corrections.standing().filter(name__in=named).select_related("made_by"):
        day = correction.made_at.strftime("%-d %B %Y")
        because = f"{correction.made_by or 'Somebody'} classified “{correction.name}” from {source} on {day}."
        for alert in named.pop(correction.name):
            _classify(alert, correction.category, correction.failure_mode, because)
    if known := learning.lessons(version):
        for alert in (alert for rest in named.values() for alert in rest):
            _learn(alert, known)


def _learn(alert: Alert, known: tuple[Lesson, ...]) -> None:
    """Classify as a correction of like words, unless the monitor itself says what it is or nothing bad was measured."""
    is_stated = "failure_mode" in alert.labels or "category" in alert.labels
    if (
        not is_stated
        and alert.condition == Alert.Condition.BAD_VALUE
        and (near := learning.nearest(alert.title, known))
    ):
        lesson, share = near
        _classify(alert, lesson.category, lesson.failure_mode, lesson.because(share), confidence="medium")


def _classify(alert: Alert, category: str, failure_mode: str, because: str, *, confidence: str = "high") -> None:
    alert.category, alert.failure_mode, alert.confidence = category, failure_mode, confidence
    alert.classified_because = clip(because, 500)


# The rules and the silences that are in force


def facts_of(alert: Alert) -> dict[str, str]:
    """What matchers see of an alert: its labels, and above them what is known of it and not empty, as its page shows."""
    known = {
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
        "condition": alert.condition,
        "metric": str(alert.measured.get("metric", "")),
        "fingerprint": alert.fingerprint,
    }
    labels = {str(name): str(value) for name, value in alert.labels.items()}
    return labels | {name: value for name, value in known.items() if value}


@dataclass(frozen=True)
class ActiveRules:
    """The rules and silences of one moment."""

    rules: tuple[RoutingRule, ...]
    silences: tuple[tuple[Silence, tuple[Matcher, ...]], ...]

    @classmethod
    def now(cls) -> "ActiveRules":
        version = RulesVersion.objects.current()
        silences = Silence.objects.in_force().order_by("pk")
        return cls(version.read() if version else (), tuple((silence, silence.read()) for silence in silences))

    def decide(self, alert: Alert) -> RoutingDecision:
        return rules.decide(self.rules, facts_of(alert)) if self.rules else RoutingDecision()

    def silence_of(self, alert: Alert) -> Silence | None:
        if not self.silences:
            return None
        facts = facts_of(alert)
        return next((silence for silence, matchers in self.silences if all_hold(matchers, facts)), None)


def apply_settings(decisions: Iterable[tuple[Alert, RoutingDecision]]) -> None:
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


# Opening and joining


def route(pairs: Sequence[tuple[Alert, RoutingDecision]], policy: ActiveRules) -> list[Alert]:
    """Open or join one incident for each correlation key, or say why not. Runs inside the turn's transaction.

    The alerts have their primary keys already. Returned are all alerts that were routed: the given ones, and others that
    had waited for these.
    """
    groups: dict[str, list[tuple[Alert, RoutingDecision]]] = defaultdict(list)
    worse: dict[int, list[Alert]] = defaultdict(list)  # by the incident that they are part of already
    known = _still_going(alert.incident_id for alert, _ in pairs)
    for alert, decision in pairs:
        silence = policy.silence_of(alert)
        if alert.incident_id in known:
            if silence is None:
                worse[alert.incident_id].append(alert)
            continue
        alert.held, alert.silence = "", silence
        if silence is not None:
            until = f"Silenced until {silence.ends_at:%-d %b %H:%M} UTC: {silence.reason}"
            _hold(alert, Alert.Held.SILENCED, until, decision)
        elif decision.act == "record":
            _hold(alert, Alert.Held.RECORDED, "Recorded, and no incident opened.", decision)
        elif (because := opens_nothing(alert)) and not decision.act:
            _hold(alert, Alert.Held.RECORDED, because, decision)
        else:
            alert.correlation_key = key_of(alert, decision.group)
            groups[alert.correlation_key].append((alert, decision))
    incidents = _lock_incidents(sorted(groups), worse)
    by_key: dict[str, list[Incident]] = defaultdict(list)
    for incident in incidents:
        by_key[incident.correlation_key or ""].append(incident)
    routed = [alert for alert, _ in pairs]
    for key in sorted(groups):
        ready, released = _ready(key, groups[key])
        routed += released
        if ready:
            _gather(key, ready, by_key[key])
    for incident in incidents:
        if incident.pk in worse:
            escalate(incident, worse[incident.pk])
    return routed


def _still_going(incidents: Iterable[int | None]) -> set[int]:
    """Keep the incidents that a worse alert concerns: those that are open, or were resolved a short while ago."""
    asked = {pk for pk in incidents if pk}
    return set(Incident.objects.filter(_concerned(), pk__in=asked).values_list("pk", flat=True)) if asked else set()


def _concerned() -> Q:
    lately = timezone.now() - LONGEST_REOPENING
    return Q(status__in=OPEN) | Q(status=Status.RESOLVED, resolved_at__gt=lately)


_OPENS_NOTHING: dict[str, str] = {
    Alert.Condition.CHECK_FAILED: "The check failed to run, which says nothing of the output: recorded, and no incident opened.",
    Alert.Condition.NOTICE: "Only a notice: recorded, and no incident opened.",
}


def opens_nothing(alert: Alert) -> str:
    """Say why an alert opens nothing unless a rule says so; empty where it does."""
    if because := _OPENS_NOTHING.get(alert.condition):
        return because
    info = alert.severity == AlertSeverity.INFO
    return "Only information: recorded, and no incident opened." if info else ""


def _hold(alert: Alert, why: str, reason: str, decision: RoutingDecision) -> None:
    alert.held = why
    alert.routed_because = clip(" ".join(filter(None, (decision.because, reason))), 1000)


def _lock_incidents(keys: list[str], others: Iterable[int]) -> list[Incident]:
    """Lock the keys, then the incidents under them and the others: nobody else can open or move one until the commit.

    Open ones come first, then the newest. Rows are locked in the order of their keys, as everywhere.
    """
    wanted = list(others)
    if not keys and not wanted:
        return []
    if keys:
        with connection.cursor() as cursor:  # in the order of the keys, which is that of the array
            cursor.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended(key, 0)) FROM unnest(%s::text[]) AS key", [keys]
            )
    rows = Incident.objects.filter(_concerned(), Q(correlation_key__in=keys) | Q(pk__in=wanted))
    locked = rows.select_related("system").order_by("pk").select_for_update(no_key=True, of=("self",))
    return sorted(locked, key=lambda incident: (not incident.is_open, -incident.number))


def _ready(
    key: str, pairs: list[tuple[Alert, RoutingDecision]]
) -> tuple[list[tuple[Alert, RoutingDecision]], list[Alert]]:
    """Keep what may open now, with what had waited for it; what waits on is held, with how often it was repeated."""
    waiting = [(alert, decision) for alert, decision in pairs if decision.act == "wait"]
    if not waiting:
        return pairs, []
    wanted = waiting[0][1]
    routed_now = {alert.pk for alert, _ in pairs}
    recent = Outcome.objects.filter(delivery__received_at__gt=timezone.now() - wanted.within)
    others = recent.filter(alert__correlation_key=key, alert__held=Alert.Held.WAITING).exclude(alert__in=routed_now)
    times = others.count() + recent.filter(alert__in=[alert.pk for alert, _ in waiting]).count()
    if times >= wanted.times:
        waited = Alert.objects.firing().filter(correlation_key=key, held=Alert.Held.WAITING, incident=None)
        released = [alert for alert in waited.select_related("source", "system") if alert.pk not in routed_now]
        return [*pairs, *((alert, wanted) for alert in released)], released
    for alert, decision in waiting:
        reason = f"Reported {times} of {wanted.times} times within {span(wanted.within)}."
        _hold(alert, Alert.Held.WAITING, reason, decision)
    return [(alert, decision) for alert, decision in pairs if decision.act != "wait"], []


def _gather(key: str, pairs: list[tuple[Alert, RoutingDecision]], known: list[Incident]) -> None:
    """Join the incident that is open under this key, take up one that was resolved just now, or open a new one."""
    alerts, decision = [alert for alert, _ in pairs], pairs[0][1]
    current = known[0] if known and known[0].is_open else None
    if current and decision.join_within is not None and _quiet_since(current) < timezone.now() - decision.join_within:
        current.release_key()
        current = None
    resolved = None if current else next((incident for incident in known if _may_reopen(incident, pairs)), None)
    if current:
        _join(current, alerts, decision)
    elif resolved:
        resolved.reopen(by=None, reason="It fires again, soon after it was resolved.")
        _join(resolved, alerts, decision)
    else:
        _open(key, alerts, decision)


def _quiet_since(incident: Incident) -> datetime:
    newest = incident.alerts.order_by("-last_received_at").values_list("last_received_at", flat=True).first()
    return newest or incident.declared_at


def _may_reopen(incident: Incident, pairs: list[tuple[Alert, RoutingDecision]]) -> bool:
    """Tell whether what was resolved fires again soon enough to be the same failure: by a rule, or by flapping."""
    if incident.status != Status.RESOLVED or incident.resolved_at is None:
        return False
    passed = timezone.now() - incident.resolved_at
    by_rule = any(decision.reopen_within is not None and passed <= decision.reopen_within for _, decision in pairs)
    return by_rule or any(alert.flaps and passed <= FLAP for alert, _ in pairs)


def _open(key: str, alerts: list[Alert], decision: RoutingDecision) -> None:
    first = max(alerts, key=lambda alert: suggested_severity(alert).rank)
    incident = Incident.objects.declare(
        title=clip(first.title, 200),
        by=None,
        system=first.system,
        team=first.system.team if first.system else first.source.team,
        severity=suggested_severity(first),
        category=first.category,
        failure_mode=first.failure_mode,
        classified_because=first.classified_because,
        correlation_key=key,
        noticed_by=NoticedBy.MONITOR,
        detected_at=min(alert.first_received_at for alert in alerts),
    )
    reason = f"Opened {incident}: nothing was open for {place_of(first)}, {first.category_name.lower()}."
    link(incident, alerts, " ".join(filter(None, (decision.because, reason))))


def _join(incident: Incident, alerts: list[Alert], decision: RoutingDecision) -> None:
    reason = f"Joined {incident}, which is open for {place_of(alerts[0])}, {alerts[0].category_name.lower()}."
    link(incident, alerts, " ".join(filter(None, (decision.because, reason))))
    raise_severity(incident, alerts, "A more severe alert joined.")


def link(incident: Incident, alerts: Sequence[Alert], reason: str, *, by: User | None = None) -> Sequence[Alert]:
    """Make alerts part of an incident, and note it there. Returns the alerts, whose fields are set but not written."""
    for alert in alerts:
        alert.incident = incident
        alert.held = ""
        alert.routed_because = clip(reason, 1000)
    first = [{"id": alert.pk, "title": alert.title} for alert in alerts[:5]]
    incident.record(Event.Kind.ALERT_LINKED, by=by, count=len(alerts), alerts=first)
    return alerts
