"""What was learnt from one incident: its postmortem, review and readers."""

import random
from datetime import UTC, datetime, timedelta

from incidents.demonstration.cast import Cast
from incidents.demonstration.past import IncidentLog, Telling
from incidents.demonstration.promises import write_follow_ups
from incidents.demonstration.words import excuse, factors_of, texts_of
from incidents.people.models import User
from incidents.postmortems.deadlines import due_date
from incidents.postmortems.document import Postmortem
from incidents.postmortems.factors import Factor, FactorKind
from incidents.postmortems.facts import freeze_facts
from incidents.postmortems.guide import Depth, Guide, Policy
from incidents.postmortems.reading import Reading
from incidents.postmortems.reviews import CHECKS, Comment, Review
from incidents.postmortems.sections import Revision, Section
from incidents.response.events import Event
from incidents.response.incident import Incident
from incidents.response.vocabulary import Severity


def write_learning(chance: random.Random, cast: Cast, log: IncidentLog, telling: Telling) -> None:
    """Write the follow-ups and, where it was begun by now, the postmortem in the state in which it is."""
    if not log.incident.resolved_at:
        return
    write_follow_ups(chance, cast, log, telling)
    started_at = log.incident.resolved_at + timedelta(minutes=chance.uniform(20, 300))
    if started_at < log.now:
        _record(log, _write_postmortem(chance, cast, log.incident, telling, started_at=started_at, now=log.now))


def freeze() -> None:
    """Keep with each publication what was on record then, once everything is."""
    for postmortem in Postmortem.objects.published().select_related("incident", "guide"):
        Postmortem.objects.filter(pk=postmortem.pk).update(frozen_facts=freeze_facts(postmortem))


def _write_postmortem(
    chance: random.Random, cast: Cast, incident: Incident, telling: Telling, *, started_at: datetime, now: datetime
) -> Postmortem:
    policy, guide, due_on = Policy.objects.of(incident.severity), Guide.objects.current(), due_date(incident)
    published_at = _published_at(
        chance, incident, started_at, due_on=datetime(due_on.year, due_on.month, due_on.day, tzinfo=UTC)
    )
    state = "published" if published_at < now else "in_review" if now - started_at > timedelta(days=4) else "draft"
    if incident.severity == Severity.SEV4 and chance.random() < 0.4 and state == "published":
        state = "not_required"
    change = incident.system.changes.order_by("-happened_at").first() if incident.system else None
    if telling.happening.change[0] == "":
        change = None
    is_written = state in {"published", "in_review"}
    postmortem = Postmortem.objects.create(
        incident=incident,
        slug=str(incident.number),
        guide=guide,
        depth=policy.depth,
        state=state,
        triggered_by=("change" if change else "none") if is_written else "",
        trigger=change if is_written else None,
        owner=telling.lead,
        due_on=due_on,
        started_at=started_at,
        published_at=published_at if state == "published" else None,
        published_by=_publisher(cast, incident) if state == "published" else None,
        not_required_because=excuse(chance) if state == "not_required" else "",
    )
    texts = texts_of(chance, incident, telling) if is_written else {}
    if state == "draft" and started_at < now - timedelta(days=1):
        texts = {"summary": telling.happening.summary}
    _write_sections(postmortem, texts, telling.lead, at=min(started_at + timedelta(days=1), now))
    if is_written:
        sent_at = _sent_at(postmortem, started_at)
        _review(chance, cast, postmortem, telling, count=policy.reviewers, sent_at=sent_at)
    postmortem.index()
    if state == "published":
        _read(chance, cast, postmortem, telling, now=now)
    return postmortem


def _published_at(chance: random.Random, incident: Incident, started_at: datetime, *, due_on: datetime) -> datetime:
    """Most are out within the time that their severity allows, some days after it."""
    if chance.random() < 0.8:
        return started_at + max(due_on - started_at, timedelta(days=1)) * chance.uniform(0.45, 0.97)
    return due_on + timedelta(days=chance.uniform(1.3, 9))


def _sent_at(postmortem: Postmortem, started_at: datetime) -> datetime:
    """When it went to its review: two days after it was begun, or a good while before it was published."""
    if postmortem.published_at is None:
        return started_at + timedelta(days=2)
    return started_at + (postmortem.published_at - started_at) * 0.6


def _publisher(cast: Cast, incident: Incident) -> User | None:
    return cast.leads(incident.team)[0] if incident.team else None


def _write_sections(postmortem: Postmortem, texts: dict[str, str], by: User, *, at: datetime) -> None:
    order = [part.key for part in postmortem.guide.parts]
    Section.objects.bulk_create(
        Section(
            postmortem=postmortem,
            key=part.key,
            position=order.index(part.key),
            text=texts.get(part.key, ""),
            version=1 if part.key in texts else 0,
            edited_by=by if part.key in texts else None,
            edited_at=at if part.key in texts else None,
        )
        for part in postmortem.guide.at_depth(postmortem.depth)
    )
    Revision.objects.bulk_create(
        Revision(section=section, text=section.text, version=1, by=by, began_at=at, at=at)
        for section in postmortem.sections.exclude(text="")
    )


def _review(
    chance: random.Random, cast: Cast, postmortem: Postmortem, telling: Telling, *, count: int, sent_at: datetime
) -> None:
    """Name its factors and have it reviewed by people who took no part in the response."""
    for name, text in factors_of(telling, is_brief=postmortem.depth == Depth.BRIEF):
        Factor.objects.create(
            postmortem=postmortem,
            kind=FactorKind.objects.get(name=name),
            by=telling.lead,
            evidence=postmortem.incident.get_absolute_url(),
            text=text,
        )
    reviewers = chance.sample(
        [person for person in cast.people.values() if person not in (telling.lead, telling.helper)], count
    )
    agreed_at = postmortem.published_at - timedelta(hours=2) if postmortem.published_at else None
    for reviewer in reviewers:
        Review.objects.create(
            postmortem=postmortem,
            reviewer=reviewer,
            asked_by=telling.lead,
            asked_at=sent_at,
            verdict="approved" if agreed_at else "",
            checks=[key for key, _ in CHECKS] if agreed_at else [],
            decided_at=agreed_at,
        )
    if not agreed_at:
        summary = postmortem.sections.get(key="summary")
        Comment.objects.create(
            postmortem=postmortem,
            section=summary,
            by=reviewers[0],
            quote=summary.text.split(". ")[0][:80],
            text="Can we say for how long, and how we know?",
            at=sent_at + timedelta(hours=20),
        )


def _read(chance: random.Random, cast: Cast, postmortem: Postmortem, telling: Telling, *, now: datetime) -> None:
    if postmortem.published_at is None:
        return
    others = [person for person in cast.people.values() if person != telling.lead]
    readers = chance.sample(others, chance.choice((0, 1, 2, 3, 3, 4, 5, 7)))
    times = {person: postmortem.published_at + timedelta(days=chance.lognormvariate(0.6, 1)) for person in readers}
    Reading.objects.bulk_create(
        Reading(postmortem=postmortem, person=person, first_at=at, last_at=at)
        for person, at in times.items()
        if at < now
    )


def _record(log: IncidentLog, postmortem: Postmortem) -> None:
    kind = Event.Kind.POSTMORTEM
    log.add(kind, postmortem.started_at, became="draft", owner=str(postmortem.owner))
    if postmortem.state == "not_required":
        at, reason = postmortem.started_at + timedelta(minutes=5), postmortem.not_required_because
        log.add(kind, at, postmortem.owner, became="not_required", reason=reason)
    review = postmortem.reviews.first()
    if review:
        log.add(kind, review.asked_at, postmortem.owner, became="in_review")
        log.add(kind, review.decided_at, review.reviewer, became="approved")
    log.add(kind, postmortem.published_at, postmortem.published_by, became="published")
