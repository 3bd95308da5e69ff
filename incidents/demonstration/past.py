"""What happened in one incident: its clocks, events, alert, change and impact."""

import json
import random
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from incidents import taxonomy
from incidents.alerts.models import Alert, Delivery, Outcome
from incidents.demonstration.cast import Cast
from incidents.demonstration.learning import write_learning
from incidents.demonstration.stories import Story
from incidents.people.models import User
from incidents.response.containments import Containment
from incidents.response.events import Event, Note
from incidents.response.impact import Exposure, Harm, Impact, Oversight, Reversible
from incidents.response.incident import Incident
from incidents.response.tasks import Task
from incidents.systems.models import Change, System

SEVERITIES = ("sev1", "sev2", "sev2", "sev3", "sev3", "sev3", "sev4")


def write_incident(
    chance: random.Random, cast: Cast, number: int, story: Story, title: str, declared_at: datetime, *, is_latest: bool
) -> None:
    system = cast.systems[story.system]
    responders = cast.responders(system.team)
    lead = chance.choice(responders)
    mode = taxonomy.failure_mode(story.mode)
    ago = timezone.now() - declared_at
    silence = timedelta(hours=chance.lognormvariate(2.6, 1.4))
    detected_at = declared_at - timedelta(minutes=chance.uniform(0, 9))
    impact = detected_at - silence if chance.random() < 0.8 else None
    acknowledged_at = declared_at + timedelta(minutes=chance.lognormvariate(1.6, 0.9))
    contained_at = acknowledged_at + timedelta(minutes=chance.lognormvariate(3.8, 1.0))
    resolved_at = contained_at + timedelta(hours=chance.lognormvariate(1.6, 1.1))
    stage = _stage(number, ago, contained_at, resolved_at, is_latest=is_latest)
    reached = ["triage", "investigating", "contained", "resolved", "closed"].index(stage)
    incident = Incident.objects.create(
        number=number,
        title=title,
        summary=story.summary,
        status=stage,
        severity=chance.choice(SEVERITIES),
        system=system,
        team=system.team,
        category=mode.category,
        failure_mode=mode.code,
        classified_because=f"“{story.alert}” points to {mode.name.lower()}."
        if story.alert
        else f"Classified by {lead}.",
        lead=lead if reached else None,
        opened_by=None if story.alert else lead,
        noticed_by=story.noticed_by,
        correlation_key=_correlation_key(story, system, mode.category, is_open=reached < 3),
        impact_started_at=impact,
        detected_at=detected_at,
        declared_at=declared_at,
        acknowledged_at=acknowledged_at if reached >= 1 else None,
        contained_at=contained_at if reached >= 2 else None,
        resolved_at=resolved_at if reached >= 3 else None,
        changed_at=max(filter(None, [declared_at, acknowledged_at if reached else None])),
    )
    _history(chance, cast, incident, story, lead, reached=reached)
    _record_change(chance, incident, story, lead)
    if reached >= 1:
        _assess(random.Random(number), incident, lead, is_over=reached >= 3)  # noqa: S311 - the same each time
    if reached >= 3:
        write_learning(chance, cast, incident, story, lead, ago=ago)


def _correlation_key(story: Story, system: System, category: str, *, is_open: bool) -> str | None:
    """The key under which later alerts join; None where another open incident has it, and for policy-index, whose first alert opens a new incident."""
    key = f"system:{system.pk}|{category}"
    taken = is_open and Incident.objects.open().filter(correlation_key=key).exists()
    return None if taken or not story.alert or story.system == "policy-index" else key


def _stage(number: int, ago: timedelta, contained_at: datetime, resolved_at: datetime, *, is_latest: bool) -> str:
    now = timezone.now()
    if is_latest:
        return (
            ("contained", "investigating", "contained", "investigating", "investigating", "triage")[number % 6]
            if (ago > timedelta(hours=1))
            else "triage"
        )
    if contained_at > now or resolved_at > now:
        return "investigating"
    return "closed" if ago > timedelta(days=45) else "resolved"


def _history(chance: random.Random, cast: Cast, incident: Incident, story: Story, lead: User, *, reached: int) -> None:
    """Write the events, the notes, the containments and the alerts behind them."""
    events: list[Event] = []

    def add(kind: Event.Kind, at: datetime | None, by: User | None = None, **detail: Any) -> None:
        if at and at <= timezone.now():
            note = detail.pop("written", None)
            events.append(Event(incident=incident, kind=kind, at=at, by=by, note=note, detail=detail))

    add(
        Event.Kind.OPENED,
        incident.declared_at,
        incident.opened_by,
        severity=incident.severity,
        system=str(incident.system),
    )
    if story.alert:
        alert = _alert(chance, cast, incident, story, cleared=reached >= 3)
        add(Event.Kind.ALERT_LINKED, incident.declared_at, count=1, alerts=[{"id": alert.pk, "title": alert.title}])
    if reached >= 1 and incident.opened_by is None:
        add(Event.Kind.ACKNOWLEDGED, incident.acknowledged_at, lead, was="triage", became="investigating")
    if reached >= 1 and incident.acknowledged_at:
        for minutes, text in ((6, story.summary), (19, story.cause)):
            at = incident.acknowledged_at + timedelta(minutes=minutes)
            if at <= timezone.now():
                note = Note.objects.create(incident=incident, author=lead, text=text, created_at=at)
                add(Event.Kind.NOTE, at, lead, written=note)
    if reached >= 2 and incident.contained_at:
        action = taxonomy.containment(story.containment)
        Containment.objects.create(
            incident=incident,
            action=action.code,
            by=lead,
            state=Containment.State.VERIFIED,
            worked=True,
            planned_at=incident.contained_at,
            done_at=incident.contained_at,
            verified_at=incident.contained_at,
            result="The samples that were wrong are now correct.",
        )
        add(
            Event.Kind.CONTAINMENT,
            incident.contained_at,
            lead,
            action=action.code,
            name=action.name,
            note="",
            was="investigating",
            became="contained",
        )
    if reached >= 3 and incident.resolved_at:
        if story.alert:
            add(Event.Kind.ALERTS_CLEARED, incident.resolved_at - timedelta(minutes=3))
        add(Event.Kind.STATUS, incident.resolved_at, lead, was="contained", became="resolved")
    if reached >= 4 and incident.resolved_at:
        add(Event.Kind.STATUS, incident.resolved_at + timedelta(days=12), lead, was="resolved", became="closed")
    Event.objects.bulk_create(events)


def _alert(chance: random.Random, cast: Cast, incident: Incident, story: Story, *, cleared: bool) -> Alert:
    at = incident.detected_at or incident.declared_at
    mode = taxonomy.failure_mode(story.mode)
    metric = mode.signals[0]
    body = json.dumps(
        {"title": incident.title, "metric": metric, "system": story.system, "key": f"{story.alert}-{incident.number}"}
    )
    delivery = Delivery.objects.create(
        source=cast.source,
        received_at=at,
        due_at=at,
        processed_at=at,
        body=body.encode(),
        size=len(body),
        digest=f"{incident.number:064x}",
        status=Delivery.Status.PROCESSED,
        claim_count=1,
    )
    alert = Alert.objects.create(
        source=cast.source,
        fingerprint=f"{incident.number:064x}",
        status="resolved" if cleared else "firing",
        title=f"{story.alert}: {metric} of {story.system}",
        description=story.summary,
        severity={"sev1": "critical", "sev2": "high", "sev3": "medium"}.get(incident.severity, "low"),
        system=incident.system,
        system_name=story.system,
        category=mode.category,
        failure_mode=mode.code,
        confidence="high",
        classified_because=incident.classified_because,
        incident=incident,
        routed_because=f"Opened {incident}: nothing was open for {story.system}, {mode.category.replace('_', ' ')}.",
        labels={"alertname": story.alert, "metric": metric, "system": story.system},
        measured={"metric": metric},
        value=f"{chance.uniform(0.2, 0.7):.2f}",
        starts_at=at,
        newest_start_at=at,
        ends_at=incident.resolved_at if cleared else None,
        first_received_at=at,
        last_received_at=incident.resolved_at if cleared and incident.resolved_at else at,
        occurrences=chance.randint(1, 40),
    )
    Outcome.objects.create(
        delivery=delivery,
        position=0,
        alert=alert,
        says="firing",
        result="opened",
        reason="Nothing with this fingerprint was firing.",
    )
    return alert


def _assess(chance: random.Random, incident: Incident, lead: User, *, is_over: bool) -> None:
    """Record the harm that most of them did, and a task for those that are still open."""
    if chance.random() < 0.7:
        outputs = int(chance.lognormvariate(6.5, 1.6)) + 1
        Exposure.objects.create(
            incident=incident,
            of=Exposure.Of.OUTPUTS,
            estimate=outputs,
            low=int(outputs * 0.8),
            high=int(outputs * 1.3),
            how=chance.choice(["Query log", "200 sampled; share that was wrong", "Size of the affected batch"]),
            corrected=int(outputs * chance.random()) if is_over else None,
        )
        Impact.objects.create(
            incident=incident,
            harm=chance.choice([Harm.EVENT, Harm.EVENT, Harm.NEAR_MISS, Harm.ISSUE]),
            reversible=chance.choice([Reversible.REVERSIBLE, Reversible.COMPENSABLE, Reversible.IRREVERSIBLE]),
            oversight=chance.choice([Oversight.ABSENT, Oversight.WORKED, Oversight.BYPASSED, Oversight.UNKNOWN]),
        )
    if not is_over and incident.acknowledged_at:
        Task.objects.create(
            incident=incident,
            title="Sample fifty outputs and count the wrong ones",
            owner=lead,
            made_by=lead,
            made_at=incident.acknowledged_at,
        )


def _record_change(chance: random.Random, incident: Incident, story: Story, lead: User) -> None:
    kind, title = story.change
    if kind and incident.system:
        began = incident.impact_started_at or incident.detected_at or incident.declared_at
        Change.objects.create(
            system=incident.system,
            kind=kind,
            title=title,
            recorded_by=lead,
            version=f"v{chance.randint(4, 90)}",
            happened_at=began - timedelta(hours=chance.uniform(0.2, 30)),
        )
