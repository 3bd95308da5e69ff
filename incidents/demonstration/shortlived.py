"""What came to nothing: alerts that triage declined, and drills."""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from incidents.alerts.raising import suggested_severity
from incidents.demonstration.cast import Cast
from incidents.demonstration.course import Course
from incidents.demonstration.evidence import Episode, Mail, tell
from incidents.demonstration.past import IncidentLog, Telling, write_incident
from incidents.demonstration.schedule import Occasion
from incidents.demonstration.stories import FAILURES, Failure, Happening
from incidents.response.events import Event
from incidents.response.impact import Fallback
from incidents.response.incident import Incident
from incidents.response.vocabulary import IncidentKind, NoticedBy, Severity, Status

_DECLINED = (
    ("drift.calibration", "fraud-scorer", 655, "Payday: the band does not know the calendar."),
    ("drift.covariate", "fraud-scorer", 588, "After a failed load, the nightly job compared the day with itself."),
    ("feedback_loop.signal_loss", "home-feed", 521, "A holiday in the largest market: events follow the people."),
    ("drift.query_intent", "support-assistant", 472, "A load test with made-up questions."),
    ("data_quality.freshness", "demand-forecast", 418, "The warehouse’s maintenance, which was announced."),
    ("drift.covariate", "fraud-scorer", 301, "A test file had reached the nightly job."),
    ("retrieval.ranking", "product-search", 163, "The evaluation ran against the index of staging."),
    ("data_quality.duplication", "feature-store", 49, "A planned replay; the check ran before it had finished."),
)
_DRILLS = (
    ("agent_action.runaway", "refund-agent", "Drill: stop the refund agent", (38, 132, 251, 422)),
    ("drift.covariate", "fraud-scorer", "Drill: payments without the model", (71, 192, 383)),
    ("drift.third_party_model", "support-assistant", "Drill: the provider is gone", (97, 331)),
)


def false_alarms(chance: random.Random, now: datetime) -> Iterator[Occasion]:
    for mode, system, days, reason in _DECLINED:
        at = _morning(now - timedelta(days=days), chance)
        yield Occasion(_failure(mode, system), _happening(reason, NoticedBy.MONITOR), at)


def drills(chance: random.Random, now: datetime) -> Iterator[Occasion]:
    for mode, system, title, ages in _DRILLS:
        for days in ages:
            at = _morning(now - timedelta(days=days), chance)
            yield Occasion(_failure(mode, system), _happening(title, NoticedBy.STAFF), at)


def _failure(mode: str, system: str) -> Failure:
    return next(failure for failure in FAILURES if (failure.mode, failure.system) == (mode, system))


def _happening(title: str, noticed_by: str) -> Happening:
    return Happening(title=title, summary="", cause="", lesson="", follow_ups=(), noticed_by=noticed_by)


def _morning(day: datetime, chance: random.Random) -> datetime:
    weekday = day - timedelta(days=max(0, day.weekday() - 4))
    return weekday.replace(hour=chance.randint(9, 15), minute=chance.randrange(60), second=0, microsecond=0)


def write_declined(chance: random.Random, cast: Cast, mail: Mail, number: int, occasion: Occasion) -> None:
    """An alert opened it, and somebody saw that nothing was wrong; the title of the happening says why."""
    failure, at, system = occasion.failure, occasion.at, cast.systems[occasion.failure.system]
    if failure.signal is None:
        return
    episode = Episode(
        signal=failure.signal, system=failure.system, severity="medium", since=at, until=at + timedelta(hours=2)
    )
    alert, by = tell(chance, cast, mail, failure, episode), chance.choice(cast.responders(system.team))
    incident = Incident.objects.create(
        number=number,
        title=alert.title,
        status=Status.DECLINED,
        severity=suggested_severity(alert),
        system=system,
        team=system.team,
        category=alert.category,
        failure_mode=alert.failure_mode,
        classified_because=alert.classified_because,
        noticed_by=NoticedBy.MONITOR,
        detected_at=at,
        declared_at=at,
    )
    alert.incident = incident
    alert.routed_because = (
        f"Opened {incident}: nothing was open for the system {system}, {alert.category_name.lower()}."
    )
    alert.save()
    log = IncidentLog(incident, mail.now)
    log.add(Event.Kind.OPENED, at, severity=incident.severity, system=str(system))
    log.add(Event.Kind.ALERT_LINKED, at, count=1, alerts=[{"id": alert.pk, "title": alert.title}])
    declined_at, reason = at + timedelta(minutes=chance.uniform(6, 50)), occasion.happening.title
    log.add(Event.Kind.STATUS, declined_at, by, was="triage", became="declined", reason=reason)
    log.write()


def write_drill(chance: random.Random, cast: Cast, mail: Mail, number: int, occasion: Occasion) -> None:
    team, at = cast.systems[occasion.failure.system].team, occasion.at
    lead, helper = chance.sample(cast.responders(team), 2)
    contained_at = at + timedelta(minutes=chance.uniform(4, 14))
    course = Course(
        impact_at=None,
        impact_until=None,
        detected_at=at,
        declared_at=at,
        acknowledged_at=at,
        contained_at=contained_at,
        resolved_at=contained_at + timedelta(minutes=chance.uniform(40, 70)),
        reach=None,
        harm="",
        reversible="",
        oversight="",
        fallback=Fallback.MANUAL,
        trust="",
        severity=Severity.SEV4,
        because="",
    )
    happening = replace(
        occasion.happening,
        summary="A drill: nothing was wrong, and nobody outside was reached.",
        cause="The runbook’s third step was outdated; it is corrected.",
        costs=(),
    )
    telling = Telling(
        failure=occasion.failure,
        happening=happening,
        course=course,
        lead=lead,
        helper=helper,
        closed_at=at + timedelta(days=1),
        kind=IncidentKind.TEST,
    )
    write_incident(chance, cast, mail, number, telling).write()
