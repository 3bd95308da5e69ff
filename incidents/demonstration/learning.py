"""What was learnt from one incident: its postmortem, review, readers and follow-ups."""

import random
from datetime import datetime, timedelta

from django.utils import timezone

from incidents.demonstration.cast import Cast
from incidents.demonstration.stories import Story
from incidents.followups.models import FollowUp
from incidents.people.models import User
from incidents.postmortems.deadlines import due_date
from incidents.postmortems.document import Postmortem
from incidents.postmortems.factors import Factor, FactorKind
from incidents.postmortems.facts import freeze_facts
from incidents.postmortems.guide import Guide, Policy
from incidents.postmortems.reading import Reading
from incidents.postmortems.reviews import CHECKS, Comment, Review
from incidents.postmortems.sections import Revision, Section
from incidents.response.events import Event
from incidents.response.incident import Incident


def write_learning(
    chance: random.Random, cast: Cast, incident: Incident, story: Story, lead: User, *, ago: timedelta
) -> None:
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
        incident=incident,
        slug=str(incident.number),
        guide=guide,
        depth=Policy.objects.of(incident.severity).depth,
        state=state,
        triggered_by="" if state == "draft" else "change" if change else "none",
        trigger=change if state != "draft" else None,
        owner=lead,
        due_on=due_date(incident),
        started_at=resolved,
        published_at=published_at,
        published_by=cast.responders(lead.teams.all()[0])[0] if published_at else None,
        not_required_because="The same cause as an earlier incident, whose follow-up is under way."
        if state == "not_required"
        else "",
    )
    texts = _texts(story) if state in {"published", "in_review"} else {"summary": story.summary}
    Section.objects.bulk_create(
        Section(
            postmortem=postmortem,
            key=part.key,
            position=position,
            text=texts.get(part.key, ""),
            version=1 if part.key in texts else 0,
            edited_by=lead if part.key in texts else None,
            edited_at=resolved + timedelta(days=1) if part.key in texts else None,
        )
        for position, part in enumerate(guide.parts)
    )
    for section in postmortem.sections.exclude(text=""):
        edited = section.edited_at or resolved
        Revision.objects.create(section=section, text=section.text, version=1, by=lead, began_at=edited, at=edited)
    if state not in {"draft", "not_required"}:
        _review(chance, cast, postmortem, lead, published_at=published_at)
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
            Event(
                incident=incident,
                kind=Event.Kind.FOLLOW_UP,
                at=follow_up.created_at,
                by=lead,
                detail={"id": follow_up.pk, "title": follow_up.title, "became": "open"},
            )
        )
    Event.objects.bulk_create(events)


_FACTORS = {
    "drift": ("Population changed", "Monitor on averages only"),
    "retrieval": ("Stale cache or index", "No monitor on the output"),
    "feedback_loop": ("Own output fed back", "Goals in conflict"),
    "agent_action": ("Access wider than needed", "No approval where one was needed"),
    "data_quality": ("Missing contract with the source", "Late or incomplete data"),
}


def _review(
    chance: random.Random, cast: Cast, postmortem: Postmortem, lead: User, *, published_at: datetime | None
) -> None:
    """Name its factors and have it reviewed and, where it is published, read."""
    incident = postmortem.incident
    for name in _FACTORS.get(incident.category, ("Change without review", "Signal came too late")):
        Factor.objects.create(
            postmortem=postmortem,
            kind=FactorKind.objects.get(name=name),
            by=lead,
            evidence=incident.get_absolute_url(),
            text=f"This made the failure possible, and nothing along the way flagged it: {name.lower()}.",
        )
    others = [person for person in cast.people.values() if person != lead]
    reviewer = chance.choice(others)
    agreed = published_at is not None
    Review.objects.create(
        postmortem=postmortem,
        reviewer=reviewer,
        asked_by=lead,
        verdict="approved" if agreed else "",
        checks=[key for key, _ in CHECKS] if agreed else [],
        decided_at=published_at,
    )
    if not agreed:
        summary = postmortem.sections.get(key="summary")
        Comment.objects.create(
            postmortem=postmortem,
            section=summary,
            by=reviewer,
            quote=summary.text.split(". ")[0][:80],
            text="Can we say for how long, and how we know?",
        )
    elif published_at:
        for person in others[: chance.randint(1, len(others))]:
            Reading.objects.create(postmortem=postmortem, person=person, first_at=published_at, last_at=published_at)


def _texts(story: Story) -> dict[str, str]:
    change = story.change[1] or "None found: the world changed, not the system."
    return {
        "summary": story.summary,
        "impact": "Unknown: answers are not sampled by segment. The upper bound is all traffic during that time.",
        "silence": "Uptime, latency and error rate were green. The signal that moved first had no alert.",
        "trigger": change,
        "factors": f"- {story.cause}\n- The check that should have stopped it looks only at averages.",
        "response": "The fallback was there and worked. Finding who could approve it took the longest.",
        "well": "The first responder trusted the output, not the green dashboard.",
        "lucky": "It was a quiet hour; at noon it would have reached ten times as many.",
        "learning": story.lesson,
    }


def _follow_ups(
    chance: random.Random, cast: Cast, incident: Incident, story: Story, *, ago: timedelta
) -> list[FollowUp]:
    follow_ups = []
    resolved = incident.resolved_at or incident.declared_at
    today = timezone.localdate()
    for title in story.follow_ups:
        due = timezone.localdate(resolved) + timedelta(days=chance.choice((14, 21, 30, 45)))
        done = chance.random() < (0.8 if ago > timedelta(days=75) else 0.35)
        finished = (
            min(resolved + timedelta(days=chance.uniform(3, 50)), timezone.now() - timedelta(hours=1)) if done else None
        )
        dropped = done and chance.random() < 0.1
        if not done and chance.random() < 0.6:  # rescheduled, as happens
            due = today + timedelta(days=chance.choice((1, 6, 12, 25)))
        follow_ups.append(
            FollowUp.objects.create(
                incident=incident,
                title=title,
                check_text="The check fails on that day’s data.",
                kind=chance.choice(("prevent", "detect", "evaluate")),
                priority=chance.choice((0, 1, 1, 2, 2, 3)),
                state="wont_do" if dropped else "done" if done else "in_progress" if due < today else "open",
                owner=chance.choice(cast.responders(incident.team)) if incident.team else None,
                due_on=due,
                created_by=incident.lead,
                created_at=resolved + timedelta(days=1),
                finished_at=finished,
                outcome="Confirmed in a drill."
                if done and not dropped
                else "Covered by another follow-up."
                if dropped
                else "",
            )
        )
    return follow_ups
