"""What is on record of one incident: its row, its log, its containments and its impact, with their times in the past."""

import random
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from incidents import taxonomy
from incidents.alerts.correlation import key_of
from incidents.alerts.models import Alert
from incidents.alerts.raising import suggested_severity
from incidents.demonstration.cast import Cast
from incidents.demonstration.course import Course
from incidents.demonstration.evidence import Episode, Mail, tell
from incidents.demonstration.stories import Failure, Happening, Signal
from incidents.people.models import User
from incidents.response.containments import Containment
from incidents.response.events import Event, Note
from incidents.response.impact import Exposure, Impact
from incidents.response.incident import Incident
from incidents.response.updates import Update
from incidents.response.vocabulary import ImpactMethod, IncidentKind, NoticedBy, Severity, Status
from incidents.systems.models import Change

_ALERT_SEVERITIES = {Severity.SEV1: "critical", Severity.SEV2: "high", Severity.SEV3: "medium", Severity.SEV4: "low"}
# What serves instead, and is taken back once the system is right again.
TEMPORARY = set(
    """
    fallback_rules fallback_model kill_switch revoke_tool require_approval human_review failover_provider limit_scope
    freeze_retraining pin_data quarantine_data
    """.split()
)
_RESULTS = (
    "Fifty new outputs sampled, none wrong.",
    "The metric is back in its band on live traffic.",
    "The cases that people had reported come out right.",
    "The next batch passed every check.",
)


@dataclass
class IncidentLog:
    """The Events of one incident, written in the order in which they happened; what lies ahead has not."""

    incident: Incident
    now: datetime
    events: list[Event] = field(default_factory=list)

    def add(self, kind: Event.Kind, at: datetime | None, by: User | None = None, **detail: Any) -> None:
        if at and at <= self.now:
            note = detail.pop("written", None)
            self.events.append(Event(incident=self.incident, kind=kind, at=at, by=by, note=note, detail=detail))

    def note(self, at: datetime, by: User, text: str) -> None:
        if at <= self.now:
            written = Note(incident=self.incident, author=by, text=text, created_at=at)
            self.add(Event.Kind.NOTE, at, by, written=written)

    def write(self) -> None:
        self.events.sort(key=lambda event: event.at)
        Note.objects.bulk_create(event.note for event in self.events if event.note)
        Event.objects.bulk_create(self.events)


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """What is told of one incident, and by whom."""

    failure: Failure
    happening: Happening
    course: Course
    lead: User
    helper: User
    closed_at: datetime | None = None
    kind: str = IncidentKind.REAL

    @property
    def signal(self) -> Signal | None:
        """What fired; None where a person was faster."""
        return self.failure.signal if self.happening.noticed_by == NoticedBy.MONITOR else None


def write_incident(chance: random.Random, cast: Cast, mail: Mail, number: int, telling: Telling) -> IncidentLog:
    """Write it, but for its log: whoever calls may add to that, and writes it."""
    course, system = telling.course, cast.systems[telling.failure.system]
    mode = taxonomy.failure_mode(telling.failure.mode)
    alert = _alert(chance, cast, mail, telling)
    if alert and course.reach is None:  # nobody knew better than the alert
        course = replace(course, severity=suggested_severity(alert))
        telling = replace(telling, course=course)
    status = _status(telling)
    is_taken = status != Status.TRIAGE
    was_corrected = bool(alert and alert.failure_mode != mode.code and is_taken)
    shown = mode if is_taken or alert is None else None
    incident = Incident.objects.create(
        number=number,
        title=telling.happening.title if is_taken or alert is None else alert.title,
        summary=telling.happening.summary if is_taken else "",
        status=status,
        kind=telling.kind,
        severity=course.severity,
        system=system,
        team=system.team,
        category=shown.category if shown else alert.category if alert else "",
        failure_mode=shown.code if shown else alert.failure_mode if alert else "",
        classified_because=f"Classified by {telling.lead}."
        if alert is None or was_corrected
        else alert.classified_because,
        lead=telling.lead if is_taken else None,
        opened_by=None if alert else telling.lead,
        noticed_by=telling.happening.noticed_by,
        correlation_key=_key(cast, alert, status),
        impact_started_at=course.impact_at,
        impact_started_until=course.impact_until,
        impact_method=_method(telling),
        detected_at=course.detected_at,
        declared_at=course.declared_at,
        acknowledged_at=course.acknowledged_at,
        contained_at=course.contained_at,
        resolved_at=course.resolved_at,
    )
    log = IncidentLog(incident, mail.now)
    _open(log, telling, alert)
    if is_taken:
        _take(log, telling, alert, was_corrected=was_corrected)
        _assess(log, telling)
        _contain(chance, log, telling)
    if course.resolved_at:
        _inform(log, telling)
        _end(log, telling, alert)
    _record_change(chance, log, telling)
    return log


def _status(telling: Telling) -> Status:
    course = telling.course
    if course.resolved_at:
        return Status.CLOSED if telling.closed_at else Status.RESOLVED
    if course.contained_at:
        return Status.CONTAINED
    return Status.INVESTIGATING if course.acknowledged_at else Status.TRIAGE


def _key(cast: Cast, alert: Alert | None, status: Status) -> str | None:
    """Under which later alerts join. None for the policy index, whose first alert is to open an incident of its own."""
    if alert is None or alert.system == cast.systems["policy-index"]:
        return None
    key = key_of(alert)
    is_open = status in (Status.TRIAGE, Status.INVESTIGATING, Status.CONTAINED)
    return None if is_open and Incident.objects.open().filter(correlation_key=key).exists() else key


def _method(telling: Telling) -> str:
    if telling.course.impact_at is None:
        return ImpactMethod.UNKNOWN
    if telling.happening.change[0]:
        return ImpactMethod.CHANGE
    return ImpactMethod.CHANGE_POINT if telling.signal else ImpactMethod.PERSON


def _alert(chance: random.Random, cast: Cast, mail: Mail, telling: Telling) -> Alert | None:
    if telling.signal is None:
        return None
    course = telling.course
    episode = Episode(
        signal=telling.signal,
        system=telling.failure.system,
        severity=_ALERT_SEVERITIES.get(course.severity, "medium"),
        since=course.detected_at.replace(microsecond=0),
        until=course.resolved_at - timedelta(minutes=9) if course.resolved_at else None,
    )
    return tell(chance, cast, mail, telling.failure, episode)


def _open(log: IncidentLog, telling: Telling, alert: Alert | None) -> None:
    incident = log.incident
    guessed = Severity.SEV2 if telling.happening.judged else telling.course.severity
    severity = suggested_severity(alert) if alert else guessed
    at = telling.course.declared_at
    log.add(Event.Kind.OPENED, at, incident.opened_by, severity=severity, system=str(incident.system))
    if alert is None:
        return
    where = f"the system {incident.system}, {alert.category_name.lower()}"
    alert.incident = incident
    alert.correlation_key = incident.correlation_key or ""
    alert.routed_because = f"Opened {incident}: nothing was open for {where}."
    alert.save()
    log.add(Event.Kind.ALERT_LINKED, at, count=1, alerts=[{"id": alert.pk, "title": alert.title}])


def _take(log: IncidentLog, telling: Telling, alert: Alert | None, *, was_corrected: bool) -> None:
    at, lead, happening = telling.course.acknowledged_at, telling.lead, telling.happening
    if at is None:
        return
    if alert:
        log.add(Event.Kind.ACKNOWLEDGED, at, lead, was="triage", became="investigating")
        named = {"title": alert.title, "summary": ""}
        became = {"title": happening.title, "summary": happening.summary}
        log.add(Event.Kind.DESCRIBED, at + timedelta(minutes=4), lead, was=named, became=became)
    if alert and was_corrected:
        was = {"category": alert.category, "failure_mode": alert.failure_mode}
        became = {"category": log.incident.category, "failure_mode": log.incident.failure_mode}
        log.add(Event.Kind.CLASSIFIED, at + timedelta(minutes=11), lead, was=was, became=became)
    log.note(at + timedelta(minutes=6), lead, happening.summary)
    contained_at = telling.course.contained_at
    found_at = contained_at + timedelta(minutes=18) if contained_at else at + (log.now - at) * 0.6
    log.note(found_at, telling.helper, happening.cause)


def _assess(log: IncidentLog, telling: Telling) -> None:
    """Say since when, how many and how bad; a severity that the alert had suggested otherwise is corrected."""
    course, lead, incident = telling.course, telling.lead, log.incident
    if course.acknowledged_at is None:
        return
    at = course.acknowledged_at + ((course.contained_at or log.now) - course.acknowledged_at) * 0.6
    if course.impact_at:
        was = {"impact_started_at": None, "impact_started_until": None, "impact_method": ""}
        until = course.impact_until.isoformat() if course.impact_until else None
        became = {
            "impact_started_at": course.impact_at.isoformat(),
            "impact_started_until": until,
            "impact_method": incident.impact_method,
        }
        log.add(Event.Kind.CLOCK, at, lead, was=was, became=became)
    answers = {
        name: getattr(course, name)
        for name in ("harm", "reversible", "oversight", "fallback", "trust")
        if getattr(course, name)
    }
    if answers:
        Impact.objects.create(incident=incident, **answers)
        log.add(Event.Kind.IMPACT, at + timedelta(minutes=2), lead, was=dict.fromkeys(answers, ""), became=answers)
    if course.reach:
        reach = {
            "estimate": course.reach.estimate,
            "low": course.reach.low,
            "high": course.reach.high,
            "how": telling.failure.how,
            "corrected": course.reach.corrected if course.resolved_at else None,
        }
        Exposure.objects.create(incident=incident, of=telling.failure.of, changed_at=at, **reach)
        log.add(Event.Kind.IMPACT, at + timedelta(minutes=2), lead, of=telling.failure.of.label, was=None, became=reach)
    first = log.events[0].detail["severity"]
    if first != course.severity:
        change = {"was": {"severity": first}, "became": {"severity": course.severity.value}, "reason": course.because}
        log.add(Event.Kind.SEVERITY, at + timedelta(minutes=3), lead, **change)


def _contain(chance: random.Random, log: IncidentLog, telling: Telling) -> None:
    course, lead = telling.course, telling.lead
    if course.contained_at is None or course.acknowledged_at is None:
        return
    usual = [action.code for action in taxonomy.failure_mode(telling.failure.mode).containments]
    others = [code for code in usual if code != telling.failure.containment]
    if others and chance.random() < 0.12:
        _try_in_vain(log, telling, chance.choice(others))
    is_checked = chance.random() < 0.86
    checked_at = course.contained_at + timedelta(minutes=25) if is_checked else None
    removed_at = None
    if telling.failure.containment in TEMPORARY and course.resolved_at and is_checked:
        removed_at = course.resolved_at + timedelta(minutes=20)
    containment = Containment.objects.create(
        incident=log.incident,
        action=taxonomy.containment(telling.failure.containment).code,
        by=lead,
        state=_state(checked_at, removed_at),
        worked=True if is_checked else None,
        planned_at=course.contained_at,
        done_at=course.contained_at,
        verified_at=checked_at,
        removed_at=removed_at,
        result=chance.choice(_RESULTS) if is_checked else "",
    )
    facts = {"containment": containment.pk, "action": containment.action, "name": str(containment)}
    log.add(
        Event.Kind.CONTAINMENT,
        course.contained_at,
        lead,
        **facts,
        state="done",
        note="",
        was="investigating",
        became="contained",
    )
    log.add(Event.Kind.CONTAINMENT, checked_at, lead, **facts, state="verified", note=containment.result, worked=True)
    log.add(Event.Kind.CONTAINMENT, removed_at, lead, **facts, state="removed", note="")


def _state(checked_at: datetime | None, removed_at: datetime | None) -> Containment.State:
    if removed_at:
        return Containment.State.REMOVED
    return Containment.State.VERIFIED if checked_at else Containment.State.DONE


def _try_in_vain(log: IncidentLog, telling: Telling, code: str) -> None:
    """Something was tried first, and did not limit the harm."""
    course = telling.course
    if course.contained_at is None or course.acknowledged_at is None:
        return
    length = course.contained_at - course.acknowledged_at
    done_at, seen_at = course.acknowledged_at + length * 0.3, course.acknowledged_at + length * 0.7
    result = "The next fifty outputs were as wrong as before."
    tried = Containment.objects.create(
        incident=log.incident,
        action=taxonomy.containment(code).code,
        by=telling.helper,
        state=Containment.State.VERIFIED,
        worked=False,
        planned_at=done_at,
        done_at=done_at,
        verified_at=seen_at,
        result=result,
    )
    facts = {"containment": tried.pk, "action": code, "name": str(tried)}
    moved = {"was": "investigating", "became": "contained"}
    log.add(Event.Kind.CONTAINMENT, done_at, telling.helper, **facts, state="done", note="", **moved)
    log.add(Event.Kind.CONTAINMENT, seen_at, telling.helper, **facts, state="verified", note=result, worked=False)
    reason = "No containment has worked so far."
    log.add(Event.Kind.STATUS, seen_at, telling.helper, was="contained", became="investigating", reason=reason)


def _inform(log: IncidentLog, telling: Telling) -> None:
    """Tell stakeholders of what is bad: that it is looked into, that it is limited, that it is over."""
    course = telling.course
    if course.severity not in (Severity.SEV1, Severity.SEV2) or course.acknowledged_at is None:
        return
    name = taxonomy.containment(telling.failure.containment).name
    texts = [
        (course.acknowledged_at + timedelta(minutes=12), Status.INVESTIGATING, telling.happening.summary),
        (
            course.contained_at,
            Status.CONTAINED,
            f"The harm is limited: {name[:1].lower()}{name[1:]}. We go on with the cause.",
        ),
        (course.resolved_at, Status.RESOLVED, "The output is right again. A postmortem follows."),
    ]
    last = None
    for at, status, text in texts:
        if at is None or at > log.now or (last and at <= last):
            continue
        last = at + timedelta(minutes=1)
        update = Update.objects.create(
            incident=log.incident, text=text, status=status, severity=course.severity, by=telling.lead, at=last
        )
        facts = {"id": update.pk, "text": text, "impact": "", "status": status.value, "severity": course.severity.value}
        log.add(Event.Kind.UPDATE, last, telling.lead, **facts)
    Incident.objects.filter(pk=log.incident.pk).update(last_update_at=last)


def _end(log: IncidentLog, telling: Telling, alert: Alert | None) -> None:
    course = telling.course
    if course.resolved_at is None:
        return
    if alert and alert.ends_at and alert.ends_at < course.resolved_at:
        log.add(Event.Kind.ALERTS_CLEARED, alert.ends_at)
    log.add(Event.Kind.STATUS, course.resolved_at, telling.lead, was="contained", became="resolved")
    log.add(Event.Kind.STATUS, telling.closed_at, telling.lead, was="resolved", became="closed")


def _record_change(chance: random.Random, log: IncidentLog, telling: Telling) -> None:
    kind, title = telling.happening.change
    if kind and log.incident.system:
        began = telling.course.impact_until or telling.course.impact_at or telling.course.detected_at
        Change.objects.create(
            system=log.incident.system,
            kind=kind,
            title=title,
            recorded_by=telling.helper,
            version=f"v{chance.randint(4, 90)}",
            happened_at=began - timedelta(hours=chance.uniform(0.1, 5)),
        )
