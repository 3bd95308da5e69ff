"""What people promised to do after an incident, and what became of it."""

import random
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from incidents.demonstration.cast import Cast
from incidents.demonstration.past import IncidentLog, Telling
from incidents.followups.models import FollowUp
from incidents.people.models import Team, User
from incidents.response.events import Event
from incidents.response.incident import Incident
from incidents.response.vocabulary import Severity

# The one that is far too late, and why.
STUCK = "Write the contract test that was agreed"
_STUCK_DAYS = 84
_STUCK_STORY = (
    "Waits for the gateway’s test environment, which the provider promised for the spring and has moved twice. "
    "Until it is there, a daily comparison of the values that arrive with those that we know stands in, and has found "
    "nothing new. Rui asks the provider every other Monday; if there is no environment by the end of the quarter, we "
    "write the test against a recording."
)
# How many days ago what is a little late was due.
_A_LITTLE_LATE = (3, 6)

_KINDS = (
    ("detect", ("alert", "show", "list", "log", "run the canary")),
    ("evaluate", ("evaluate", "test", "add", "compare", "check", "gate", "take", "train")),
    ("process", ("put", "agree", "give", "review", "escalate", "write", "let")),
    ("contain", ("stop", "limit", "pin")),
)
_CHECKS = {
    "detect": "The alert fires on the data of that day.",
    "evaluate": "The evaluation fails on the version of that day.",
    "process": "The next case of its kind goes the new way.",
    "contain": "A drill stops it within ten minutes.",
    "prevent": "The input of that day is refused.",
}
_OUTCOMES = {
    "detect": ("Replayed that day: it fired after four minutes.", "Fired in staging when we broke it on purpose."),
    "evaluate": (
        "Run on the version of that day: it failed, as it should.",
        "Part of every release since; failed once, rightly.",
    ),
    "process": ("Used twice since, both times without being asked.", "The next launch went through it."),
    "contain": ("Stopped within six minutes in a drill.", "Tried on a Thursday afternoon; took four minutes."),
    "prevent": ("That day’s input is refused, with a reason.", "Replayed that day’s traffic: nothing went wrong."),
}
_DROPPED = ("Covered by a follow-up of a later incident.", "The component it is about was replaced.")


def write_follow_ups(chance: random.Random, cast: Cast, log: IncidentLog, telling: Telling) -> None:
    for title in telling.happening.follow_ups:
        follow_up = _promised(chance, cast, log.incident, cast.systems[telling.failure.system].team, title)
        if follow_up.created_at < log.now:
            _settle(chance, follow_up, now=log.now)
            follow_up.save()
            _record(log, follow_up, telling.lead)


def _promised(chance: random.Random, cast: Cast, incident: Incident, team: Team, title: str) -> FollowUp:
    resolved_at = incident.resolved_at or incident.declared_at
    urgency = {Severity.SEV1: (0, 1), Severity.SEV2: (1, 1, 2), Severity.SEV3: (2, 2, 1), Severity.SEV4: (2, 3)}
    priority = chance.choice(urgency.get(Severity(incident.severity), (2,)))
    days = (7, 14, 30, 45)[priority]
    kind = next((kind for kind, verbs in _KINDS if title.lower().startswith(verbs)), "prevent")
    return FollowUp(
        incident=incident,
        title=title,
        check_text=_CHECKS[kind],
        kind=kind,
        priority=priority,
        state="open",
        owner=cast.people["rui"] if title == STUCK else chance.choice(cast.responders(team)),
        due_on=resolved_at.date() + timedelta(days=days + chance.choice((0, 1, 3, 7))),
        created_by=incident.lead,
        created_at=resolved_at + timedelta(hours=chance.uniform(3, 40)),
    )


def _settle(chance: random.Random, follow_up: FollowUp, *, now: datetime) -> None:
    """Most are done in time, some days late; a few are decided against; what is not due yet is under way."""
    today, due_on = now.date(), follow_up.due_on or now.date()
    if follow_up.title == STUCK:
        follow_up.state, follow_up.description = "in_progress", _STUCK_STORY
        follow_up.due_on = today - timedelta(days=_STUCK_DAYS)
        return
    span = _midday(due_on) - follow_up.created_at
    is_late = chance.random() < 0.16
    finished_at = (
        _midday(due_on + timedelta(days=chance.randint(1, 11)))
        if is_late
        else follow_up.created_at + span * chance.uniform(0.3, 0.97)
    )
    if finished_at < now - timedelta(hours=1):
        is_dropped = chance.random() < 0.06
        follow_up.state, follow_up.finished_at = "wont_do" if is_dropped else "done", finished_at
        follow_up.outcome = chance.choice(_DROPPED) if is_dropped else chance.choice(_OUTCOMES[follow_up.kind])
        if not is_dropped and chance.random() < 0.12:
            follow_up.outcome = ""
    elif due_on < today:
        # It would be late for more than a few days by the time that anybody reads this.
        follow_up.state, follow_up.due_on = "in_progress", today - timedelta(days=chance.choice(_A_LITTLE_LATE))
    elif now - follow_up.created_at > span / 2:
        follow_up.state = "in_progress"


def keep_few_late(now: datetime) -> None:
    """See that one or two are late by some days, whatever the calendar says; of the others the work is just done."""
    late = list(FollowUp.objects.overdue().exclude(title=STUCK).order_by("-due_on", "pk"))
    for follow_up in late[len(_A_LITTLE_LATE) :]:
        follow_up.state, follow_up.finished_at = "done", now - timedelta(hours=20)
        follow_up.outcome = _OUTCOMES[follow_up.kind][0]
        follow_up.save()
        facts: dict[str, Any] = {"id": follow_up.pk, "title": follow_up.title, "became": "done"}
        follow_up.incident.record(Event.Kind.FOLLOW_UP, by=follow_up.owner, at=follow_up.finished_at, **facts)
    next_one = FollowUp.objects.open().exclude(title=STUCK).order_by("due_on", "pk").first()
    if not late and next_one:
        days = min(_A_LITTLE_LATE)
        FollowUp.objects.filter(pk=next_one.pk).update(state="in_progress", due_on=now.date() - timedelta(days=days))


def _midday(day: date) -> datetime:
    return datetime.combine(day, time(12), UTC)


def _record(log: IncidentLog, follow_up: FollowUp, lead: User) -> None:
    kind, facts = Event.Kind.FOLLOW_UP, {"id": follow_up.pk, "title": follow_up.title}
    log.add(kind, follow_up.created_at, lead, **facts, became="open")
    if follow_up.title == STUCK and follow_up.due_on:
        for earlier, moved_by in ((70, 35), (34, 0)):
            at = _midday(follow_up.due_on - timedelta(days=earlier))
            due_on = follow_up.due_on - timedelta(days=moved_by)
            log.add(kind, max(at, follow_up.created_at), follow_up.owner, **facts, due_on=str(due_on))
    log.add(kind, follow_up.finished_at, follow_up.owner, **facts, became=follow_up.state)
