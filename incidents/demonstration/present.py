"""What is going on while somebody looks: open incidents at every stage, and alerts that opened none."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from incidents import taxonomy
from incidents.demonstration.cast import Cast
from incidents.demonstration.course import Course, Reach
from incidents.demonstration.evidence import Mail
from incidents.demonstration.past import IncidentLog, Telling, write_incident
from incidents.demonstration.stories import FAILURES, Failure, Happening
from incidents.response.containments import Containment
from incidents.response.events import Event
from incidents.response.impact import Oversight, Reversible
from incidents.response.incident import Incident
from incidents.response.roles import Assignment, ResponseRole
from incidents.response.tasks import Task
from incidents.response.updates import Update
from incidents.response.vocabulary import Severity
from incidents.systems.models import Change


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenOne:
    """One that is open. Times are minutes ago; None has not come yet."""

    mode: str
    system: str
    title: str
    summary: str
    cause: str
    severity: Severity
    lead: str
    helper: str
    detected: float
    acknowledged: float | None = None
    contained: float | None = None
    impact: float | None = None
    reach: Reach | None = None
    change: tuple[str, str] = ("", "")
    update: tuple[str, float, float] | None = (
        None  # what stakeholders were told, how long ago, and when they hear again
    )


OPEN_ONES = (
    OpenOne(
        mode="retrieval.chunking",
        system="policy-index",
        title="Footnotes became separate answers",
        summary="Conditions in footnotes are retrieved without the sentence that they belong to.",
        cause="The parser’s new version treats small print as paragraphs. The fix is in Thursday’s release.",
        severity=Severity.SEV4,
        lead="priya",
        helper="ivan",
        detected=3_190,
        acknowledged=3_164,
        contained=2_940,
        impact=4_620,
        reach=Reach(estimate=90, low=70, high=130, corrected=None),
        change=("index", "Parser of the policy index, 4.2"),
    ),
    OpenOne(
        mode="drift.calibration",
        system="fraud-scorer",
        title="Approval rate fell by four points in Norway",
        summary="Cards of one Norwegian bank score higher than last week; other countries are as they were.",
        cause="The bank reissued its cards with new numbers, so all of them look new to the model.",
        severity=Severity.SEV3,
        lead="rui",
        helper="mara",
        detected=548,
        acknowledged=537,
        contained=441,
        impact=1_010,
        reach=Reach(estimate=320, low=260, high=410, corrected=None),
        update=("Norwegian cards have a threshold of their own until the model is retrained tonight.", 165, 75),
    ),
    OpenOne(
        mode="drift.concept",
        system="demand-forecast",
        title="Forecast misses the early sale",
        summary="The sale began a day earlier than planned; warehouses in the south run short of toys.",
        cause="The calendar has the new date since noon, and the features are made at night.",
        severity=Severity.SEV3,
        lead="tom",
        helper="jo",
        detected=214,
        acknowledged=201,
        update=(
            "Southern warehouses run short of toys. Until the forecast is right, orders are placed by hand.",
            186,
            -7,
        ),
    ),
    OpenOne(
        mode="agent_action.unauthorised",
        system="refund-agent",
        title="Refunds above the limit went out without approval",
        summary="The tool let refunds above €200 through without asking anybody. All of them name the new goodwill reason.",
        cause="The new reason has a limit of its own in the tool’s configuration, and it is empty.",
        severity=Severity.SEV2,
        lead="mara",
        helper="tom",
        detected=49,
        acknowledged=46,
        update=(
            "Some refunds above €200 went out without approval. We are finding out how many and are about to stop them.",
            27,
            3,
        ),
        change=("configuration", "Goodwill as a reason for refunds"),
    ),
    OpenOne(
        mode="data_quality.completeness",
        system="feature-store",
        title="Null rate of device_id reached 40 %",
        summary="",
        cause="",
        severity=Severity.SEV3,
        lead="priya",
        helper="ivan",
        detected=12,
    ),
    OpenOne(
        mode="drift.query_intent",
        system="support-assistant",
        title="A quarter of the questions get no answer",
        summary="",
        cause="",
        severity=Severity.SEV3,
        lead="mara",
        helper="jo",
        detected=4,
    ),
)


def write_open_ones(chance: random.Random, cast: Cast, mail: Mail, first: int) -> None:
    for number, one in enumerate(OPEN_ONES, start=first):
        log = write_incident(chance, cast, mail, number, _telling(cast, one, mail.now))
        if one.severity == Severity.SEV2:
            _run_the_worst(cast, log)
        if one.update:
            text, ago, ahead = one.update
            now = log.now
            _tell_stakeholders(log, text, at=now - timedelta(minutes=ago), next_at=now + timedelta(minutes=ahead))
        log.write()


def _telling(cast: Cast, one: OpenOne, now: datetime) -> Telling:
    failure = next(failure for failure in FAILURES if (failure.mode, failure.system) == (one.mode, one.system))
    happening = Happening(
        title=one.title, summary=one.summary, cause=one.cause, lesson="", follow_ups=(), change=one.change
    )
    return Telling(
        failure=failure,
        happening=happening,
        course=_course(failure, one, now),
        lead=cast.people[one.lead],
        helper=cast.people[one.helper],
    )


def _course(failure: Failure, one: OpenOne, now: datetime) -> Course:
    def ago(minutes: float | None) -> datetime | None:
        return None if minutes is None else now - timedelta(minutes=minutes)

    detected_at = now - timedelta(minutes=one.detected)
    is_known = one.reach is not None
    return Course(
        impact_at=ago(one.impact),
        impact_until=None,
        detected_at=detected_at,
        declared_at=detected_at + timedelta(seconds=2),
        acknowledged_at=ago(one.acknowledged),
        contained_at=ago(one.contained),
        resolved_at=None,
        reach=one.reach,
        harm=failure.harm if is_known else "",
        reversible=failure.reversible if is_known else Reversible.UNKNOWN,
        oversight=failure.oversight if is_known else Oversight.UNKNOWN,
        fallback="",
        trust="",
        severity=one.severity,
        because="",
    )


def _run_the_worst(cast: Cast, log: IncidentLog) -> None:
    """In the middle of it: who does what, and what is tried next."""
    incident, now = log.incident, log.now
    mara, tom, jo = (cast.people[name] for name in ("mara", "tom", "jo"))
    for minutes, code, person in ((41, "investigator", tom), (39, "communications", jo)):
        role, at = ResponseRole.objects.get(code=code), now - timedelta(minutes=minutes)
        Assignment.objects.create(incident=incident, role=role, person=person, since=at)
        log.add(Event.Kind.ROLE, at, mara, role=role.name, was=[], became=[str(person)])
    planned_at = now - timedelta(minutes=9)
    action = taxonomy.containment("require_approval").code
    note = "Every refund waits for a person. Operations is calling in two more approvers first."
    planned = Containment.objects.create(incident=incident, action=action, note=note, by=tom, planned_at=planned_at)
    log.add(Event.Kind.CONTAINMENT, planned_at, tom, **planned.event_detail())
    title, made_at = "Count the refunds above the limit since this morning", now - timedelta(minutes=33)
    task = Task.objects.create(incident=incident, title=title, owner=tom, made_by=mara, made_at=made_at)
    log.add(Event.Kind.TASK, made_at, mara, **task.event_detail("added"))


def _tell_stakeholders(log: IncidentLog, text: str, *, at: datetime, next_at: datetime) -> None:
    incident, lead = log.incident, log.incident.lead
    update = Update.objects.create(
        incident=incident,
        text=text,
        status=incident.status,
        severity=incident.severity,
        by=lead,
        at=at,
        next_at=next_at,
    )
    Incident.objects.filter(pk=incident.pk).update(last_update_at=at, next_update_at=next_at)
    facts: dict[str, Any] = {
        "id": update.pk,
        "text": text,
        "impact": "",
        "status": incident.status,
        "severity": incident.severity,
    }
    log.add(Event.Kind.UPDATE, at, lead, **facts)


def write_harmless_changes(cast: Cast, now: datetime) -> None:
    """Most changes break nothing: a list of changes that holds only culprits would give them away."""
    people = cast.people
    for system, kind, title, version, days, by in (
        ("support-assistant", "index", "Nightly rebuild of the policy index", "v412", 1, "jo"),
        ("product-search", "model", "Reranker, monthly retraining", "2.9", 6, "ivan"),
        ("home-feed", "model", "Feed model, weekly retraining", "1187", 2, "noor"),
        ("fraud-scorer", "feature", "Merchant risk by region", "v33", 9, "rui"),
        ("feature-store", "configuration", "Larger cache", "v18", 12, "priya"),
        ("demand-forecast", "dataset", "Opening hours of the new warehouse", "v7", 5, "tom"),
        ("refund-agent", "model", "Minor version of the hosted model", "2026-11", 16, "jo"),
    ):
        Change.objects.create(
            system=cast.systems[system],
            kind=kind,
            title=title,
            version=version,
            happened_at=now - timedelta(days=days, hours=3),
            recorded_by=people[by],
        )
