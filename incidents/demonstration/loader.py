"""Writes the demonstration. Rows are written as they would have come to be, with their times in the past."""

import json
import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone

from incidents import taxonomy
from incidents.alerts.models import Alert, Delivery, Outcome, Source, ingest_url
from incidents.demonstration.stories import DEPENDENCIES, PEOPLE, STORIES, SYSTEMS, TEAMS, Story
from incidents.followups.models import FollowUp
from incidents.people.models import Membership, Team, User
from incidents.postmortems.deadlines import due_date
from incidents.postmortems.document import Postmortem
from incidents.postmortems.factors import Factor, FactorKind
from incidents.postmortems.facts import freeze_facts
from incidents.postmortems.guide import Guide, Policy
from incidents.postmortems.reading import Reading
from incidents.postmortems.reviews import CHECKS, Comment, Review
from incidents.postmortems.sections import Revision, Section
from incidents.response.containments import Containment
from incidents.response.events import Event, Note
from incidents.response.impact import Exposure, Harm, Impact, Oversight, Reversible
from incidents.response.incident import Incident, IncidentCounter
from incidents.response.links import Link
from incidents.response.tasks import Task
from incidents.systems.models import Change, Dependency, System

PASSWORD = "faultline-demo"  # noqa: S105 - documented, and for the demonstration only
MONTHS = 18
SEVERITIES = ("sev1", "sev2", "sev2", "sev3", "sev3", "sev3", "sev4")


@dataclass
class Cast:
    teams: dict[str, Team]
    people: dict[str, User]
    systems: dict[str, System]
    source: Source
    token: str

    def responders(self, team: Team) -> list[User]:
        slugs = {e: m for e, _, _, m in PEOPLE}
        return [self.people[e] for e, teams in slugs.items() if teams.get(team.slug) in {"responder", "lead", "admin"}]


def load(first_alert: Path | None = None) -> int:
    """Load it all in one transaction; returns the number of incidents. The same on every run but for the date."""
    chance = random.Random(20_26)  # noqa: S311 - a story, not a secret
    with transaction.atomic():
        cast = _people_and_systems()
        told = _schedule(chance)
        for number, (story, title, declared_at, is_latest) in enumerate(told, start=1):
            _tell(chance, cast, number, story, title, declared_at, is_latest=is_latest)
        _link_repeats()
        IncidentCounter.objects.update_or_create(only=True, defaults={"last": len(told)})
    if first_alert:
        first_alert.write_text(first_curl(cast.token))
    return len(told)


def _link_repeats() -> None:
    """Say of what happened again which earlier incident it repeats."""
    for again in Incident.objects.filter(title__endswith=", again"):
        first = Incident.objects.filter(title=again.title.removesuffix(", again")).first()
        if first:
            later, earlier = (again, first) if again.number > first.number else (first, again)
            Link.objects.create(incident=later, other=earlier, kind=Link.Kind.REPEAT_OF, at=later.declared_at)


def first_curl(token: str) -> str:
    alert = {
        "title": "Answers cite documents that were replaced",
        "metric": "stale_citation_rate",
        "system": "policy-index",
        "severity": "critical",
        "value": 0.31,
        "key": "first-alert",
    }
    return f"curl -sS {ingest_url(token)} -H 'Content-Type: application/json' -d '{json.dumps(alert)}'\n"


def _people_and_systems() -> Cast:
    teams = {slug: Team.objects.create(slug=slug, name=name) for slug, name in TEAMS.items()}
    hashed = make_password(PASSWORD)  # once: it is slow on purpose
    people = {
        email: User.objects.create(
            email=f"{email}@example.com", name=name, password=hashed, is_staff=admin, is_superuser=admin
        )
        for email, name, admin, _ in PEOPLE
    }
    Membership.objects.bulk_create(
        Membership(team=teams[team], user=people[email], role=role)
        for email, _, _, roles in PEOPLE
        for team, role in roles.items()
    )
    systems = {
        slug: System.objects.create(
            slug=slug, name=slug, kind=kind, tier=tier, team=teams[team], purpose=purpose, fallback=fallback,
            objective={1: Decimal("99"), 2: Decimal("98")}.get(tier),
            runbook_url=f"https://runbooks.example.com/{slug}", dashboard_url=f"https://grafana.example.com/d/{slug}",
        )
        for slug, kind, tier, team, purpose, fallback in SYSTEMS
    }  # fmt: skip
    Dependency.objects.bulk_create(Dependency(system=systems[a], upstream=systems[b]) for a, b in DEPENDENCIES)
    source, token = Source.objects.connect(kind="generic", name="Quality monitors", team=teams["data-platform"])
    return Cast(teams, people, systems, source, token)


def _schedule(chance: random.Random) -> list[tuple[Story, str, datetime, bool]]:
    """Spread the stories over eighteen months up to now, the last few still open."""
    told = [(story, title) for story in STORIES for title in story.titles]
    told += [(story, f"{story.titles[0]}, again") for story in STORIES[::6]]
    chance.shuffle(told)
    now = timezone.now()
    ages = sorted((chance.uniform(4, MONTHS * 30.4) for _ in told), reverse=True)
    ages[-6:] = [2.9, 1.6, 0.7, 0.21, 0.08, 0.02]
    return [
        (story, title, now - timedelta(days=age), position >= len(told) - 6)
        for position, ((story, title), age) in enumerate(zip(told, ages, strict=True))
    ]


def _tell(
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
        classified_because=f"“{story.alert}” points to {mode.name.lower()}." if story.alert else f"Settled by {lead}.",
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
    _change(chance, incident, story, lead)
    if reached >= 1:
        _assessed(random.Random(number), incident, lead, is_over=reached >= 3)  # noqa: S311 - the same each time
    if reached >= 3:
        _learn(chance, cast, incident, story, lead, ago=ago)


def _correlation_key(story: Story, system: System, category: str, *, is_open: bool) -> str | None:
    """The key under which later alerts join; None where another open incident has it, or the first alert is to open one."""
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
    told: list[Event] = []

    def add(kind: Event.Kind, at: datetime | None, by: User | None = None, **detail: Any) -> None:
        if at and at <= timezone.now():
            note = detail.pop("written", None)
            told.append(Event(incident=incident, kind=kind, at=at, by=by, note=note, detail=detail))

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
            incident=incident, action=action.code, by=lead, state=Containment.State.VERIFIED, worked=True,
            planned_at=incident.contained_at, done_at=incident.contained_at, verified_at=incident.contained_at,
            result="The samples that were wrong are right again.",
        )  # fmt: skip
        add(Event.Kind.CONTAINMENT, incident.contained_at, lead, action=action.code, name=action.name, note="",
            was="investigating", became="contained")  # fmt: skip
    if reached >= 3 and incident.resolved_at:
        if story.alert:
            add(Event.Kind.ALERTS_CLEARED, incident.resolved_at - timedelta(minutes=3))
        add(Event.Kind.STATUS, incident.resolved_at, lead, was="contained", became="resolved")
    if reached >= 4 and incident.resolved_at:
        add(Event.Kind.STATUS, incident.resolved_at + timedelta(days=12), lead, was="resolved", became="closed")
    Event.objects.bulk_create(told)


def _alert(chance: random.Random, cast: Cast, incident: Incident, story: Story, *, cleared: bool) -> Alert:
    at = incident.detected_at or incident.declared_at
    mode = taxonomy.failure_mode(story.mode)
    metric = mode.signals[0]
    body = json.dumps(
        {"title": incident.title, "metric": metric, "system": story.system, "key": f"{story.alert}-{incident.number}"}
    )
    delivery = Delivery.objects.create(
        source=cast.source, received_at=at, due_at=at, processed_at=at, body=body.encode(), size=len(body),
        digest=f"{incident.number:064x}", status=Delivery.Status.PROCESSED, claim_count=1,
    )  # fmt: skip
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
        value=f"{chance.uniform(0.2, 0.7):.2f}",
        starts_at=at,
        newest_start_at=at,
        ends_at=incident.resolved_at if cleared else None,
        first_received_at=at,
        last_received_at=incident.resolved_at if cleared and incident.resolved_at else at,
        occurrences=chance.randint(1, 40),
    )
    Outcome.objects.create(
        delivery=delivery, position=0, alert=alert, says="firing", result="opened",
        reason="Nothing with this fingerprint was firing.",
    )  # fmt: skip
    return alert


def _assessed(chance: random.Random, incident: Incident, lead: User, *, is_over: bool) -> None:
    """Say what most of them did, and to stakeholders of the latest that they are being looked after."""
    if chance.random() < 0.7:
        outputs = int(chance.lognormvariate(6.5, 1.6)) + 1
        Exposure.objects.create(
            incident=incident, of=Exposure.Of.OUTPUTS, estimate=outputs, low=int(outputs * 0.8), high=int(outputs * 1.3),
            how=chance.choice(["Query log", "200 sampled, the share that was wrong", "Count of the affected batch"]),
            corrected=int(outputs * chance.random()) if is_over else None,
        )  # fmt: skip
        Impact.objects.create(
            incident=incident,
            harm=chance.choice([Harm.EVENT, Harm.EVENT, Harm.NEAR_MISS, Harm.ISSUE]),
            reversible=chance.choice([Reversible.REVERSIBLE, Reversible.COMPENSABLE, Reversible.IRREVERSIBLE]),
            oversight=chance.choice([Oversight.ABSENT, Oversight.WORKED, Oversight.BYPASSED, Oversight.UNKNOWN]),
        )
    if not is_over and incident.acknowledged_at:
        Task.objects.create(
            incident=incident, title="Sample fifty outputs and count the wrong ones", owner=lead, made_by=lead,
            made_at=incident.acknowledged_at,
        )  # fmt: skip


def _change(chance: random.Random, incident: Incident, story: Story, lead: User) -> None:
    kind, title = story.change
    if kind and incident.system:
        began = incident.impact_started_at or incident.detected_at or incident.declared_at
        Change.objects.create(
            system=incident.system, kind=kind, title=title, recorded_by=lead,
            version=f"v{chance.randint(4, 90)}", happened_at=began - timedelta(hours=chance.uniform(0.2, 30)),
        )  # fmt: skip


def _learn(chance: random.Random, cast: Cast, incident: Incident, story: Story, lead: User, *, ago: timedelta) -> None:
    """Write the postmortem in one of its states, and the follow-ups."""
    follow_ups = _follow_ups(chance, cast, incident, story, ago=ago)
    if ago < timedelta(days=8) and incident.number % 3 == 0:
        return  # resolved a moment ago: its postmortem has yet to start
    old = ago > timedelta(days=30)
    state = "published" if old and chance.random() < 0.85 else "in_review" if chance.random() < 0.3 else "draft"
    if old and incident.severity == "sev4" and chance.random() < 0.5:
        state = "not_required"
    resolved = incident.resolved_at or incident.declared_at
    published_at = resolved + timedelta(days=chance.uniform(2, 14)) if state == "published" else None
    guide = Guide.objects.current()
    change = incident.system.changes.order_by("-happened_at").first() if incident.system and story.change[1] else None
    postmortem = Postmortem.objects.create(
        incident=incident, slug=str(incident.number), guide=guide, depth=Policy.objects.of(incident.severity).depth, state=state,
        triggered_by="" if state == "draft" else "change" if change else "none", trigger=change if state != "draft" else None,
        owner=lead, due_on=due_date(incident), started_at=resolved,
        published_at=published_at, published_by=cast.responders(lead.teams.all()[0])[0] if published_at else None,
        not_required_because="The same cause as an earlier incident, whose follow-up is under way." if state == "not_required" else "",
    )  # fmt: skip
    texts = _texts(story) if state in {"published", "in_review"} else {"summary": story.summary}
    Section.objects.bulk_create(
        Section(
            postmortem=postmortem, key=part.key, position=position, text=texts.get(part.key, ""),
            version=1 if part.key in texts else 0, edited_by=lead if part.key in texts else None,
            edited_at=resolved + timedelta(days=1) if part.key in texts else None,
        )
        for position, part in enumerate(guide.parts)
    )  # fmt: skip
    for section in postmortem.sections.exclude(text=""):
        edited = section.edited_at or resolved
        Revision.objects.create(section=section, text=section.text, version=1, by=lead, began_at=edited, at=edited)
    if state not in {"draft", "not_required"}:
        _judge(chance, cast, postmortem, lead, published_at=published_at)
    postmortem.index()
    if state == "published":
        Postmortem.objects.filter(pk=postmortem.pk).update(frozen_facts=freeze_facts(postmortem))
    events = [
        Event(
            incident=incident, kind=Event.Kind.POSTMORTEM, at=resolved, detail={"became": "draft", "owner": str(lead)}
        )
    ]
    if published_at:
        events.append(
            Event(
                incident=incident, kind=Event.Kind.POSTMORTEM, at=published_at, by=lead, detail={"became": "published"}
            )
        )
    for follow_up in follow_ups:
        events.append(
            Event(incident=incident, kind=Event.Kind.FOLLOW_UP, at=follow_up.created_at, by=lead,
                  detail={"id": follow_up.pk, "title": follow_up.title, "became": "open"})
        )  # fmt: skip
    Event.objects.bulk_create(events)


_FACTORS = {
    "drift": ("Population changed", "Monitor on averages only"),
    "retrieval": ("Stale cache or index", "No monitor on the output"),
    "feedback_loop": ("Own output fed back", "Goals in conflict"),
    "agent_action": ("Access wider than needed", "No approval where one was needed"),
    "data_quality": ("Missing contract with the source", "Late or incomplete data"),
}


def _judge(
    chance: random.Random, cast: Cast, postmortem: Postmortem, lead: User, *, published_at: datetime | None
) -> None:
    """Name factors, have it reviewed, and, where it is published, read."""
    incident = postmortem.incident
    for name in _FACTORS.get(incident.category, ("Change without review", "Signal came too late")):
        Factor.objects.create(
            postmortem=postmortem, kind=FactorKind.objects.get(name=name), by=lead, evidence=incident.get_absolute_url(),
            text=f"It made this possible, and nothing on the way told of it: {name.lower()}.",
        )  # fmt: skip
    others = [person for person in cast.people.values() if person != lead]
    reviewer = chance.choice(others)
    agreed = published_at is not None
    Review.objects.create(
        postmortem=postmortem, reviewer=reviewer, asked_by=lead, verdict="approved" if agreed else "",
        checks=[key for key, _ in CHECKS] if agreed else [], decided_at=published_at,
    )  # fmt: skip
    if not agreed:
        summary = postmortem.sections.get(key="summary")
        Comment.objects.create(
            postmortem=postmortem, section=summary, by=reviewer, quote=summary.text.split(". ")[0][:80],
            text="Can we say for how long, and how we know?",
        )  # fmt: skip
    elif published_at:
        for person in others[: chance.randint(1, len(others))]:
            Reading.objects.create(postmortem=postmortem, person=person, first_at=published_at, last_at=published_at)


def _texts(story: Story) -> dict[str, str]:
    change = story.change[1] or "None found: the world changed, not the system."
    return {
        "summary": story.summary,
        "impact": "Unknown, because answers are not sampled by slice; an upper bound is the traffic of the time.",
        "silence": "Uptime, latency and error rate were green. The signal that moved first had no alert.",
        "trigger": change,
        "factors": f"- {story.cause}\n- The check that should have stopped it looks at averages.",
        "response": "The fallback was there and worked. Finding who could approve it took the longest.",
        "well": "The first person who looked believed the output and not the green dashboard.",
        "lucky": "It was a quiet hour; at noon it would have reached ten times as many.",
        "learning": story.lesson,
    }


def _follow_ups(
    chance: random.Random, cast: Cast, incident: Incident, story: Story, *, ago: timedelta
) -> list[FollowUp]:
    made = []
    resolved = incident.resolved_at or incident.declared_at
    today = timezone.localdate()
    for title in story.follow_ups:
        due = timezone.localdate(resolved) + timedelta(days=chance.choice((14, 21, 30, 45)))
        done = chance.random() < (0.8 if ago > timedelta(days=75) else 0.35)
        finished = min(
            resolved + timedelta(days=chance.uniform(3, 50)), timezone.now() - timedelta(hours=1)
        ) if done else None  # fmt: skip
        dropped = done and chance.random() < 0.1
        if not done and chance.random() < 0.6:  # planned anew, as happens
            due = today + timedelta(days=chance.choice((1, 6, 12, 25)))
        made.append(
            FollowUp.objects.create(
                incident=incident,
                title=title,
                check_text="It fails on the data of that day.",
                kind=chance.choice(("prevent", "detect", "evaluate")),
                priority=chance.choice((0, 1, 1, 2, 2, 3)),
                state="wont_do" if dropped else "done" if done else "in_progress" if due < today else "open",
                owner=chance.choice(cast.responders(incident.team)) if incident.team else None,
                due_on=due,
                created_by=incident.lead,
                created_at=resolved + timedelta(days=1),
                finished_at=finished,
                outcome="Seen to fire in a drill."
                if done and not dropped
                else "Covered by another."
                if dropped
                else "",
            )
        )
    return made
