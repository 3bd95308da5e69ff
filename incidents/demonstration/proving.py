"""What showed that follow-ups hold, or that they do not: some by a look, some by quiet, one not at all."""

import random
from datetime import datetime, timedelta

from incidents.demonstration.cast import Cast
from incidents.followups.due import due_by_policy
from incidents.followups.models import FollowUp
from incidents.followups.proofs import Proof
from incidents.followups.recurrences import Recurrence
from incidents.followups.returning import PREVENTING, WATCHED, because
from incidents.people.models import User
from incidents.response.events import Event
from incidents.response.incident import Incident

_AFTER = timedelta(days=30)  # how long after it was done somebody looked
_WINDOW = 60  # days that what prevents something must stay quiet


def show_what_held(chance: random.Random, cast: Cast, *, now: datetime) -> None:
    """Give what was done long enough ago its proof; what came back last is open again."""
    rows = FollowUp.objects.filter(state=FollowUp.State.DONE, finished_at__lt=now - _AFTER)
    rows = rows.select_related("incident__system__team", "incident__team", "owner")
    back: list[tuple[FollowUp, Incident]] = []
    for follow_up in rows.order_by("pk"):
        if follow_up.kind in PREVENTING and (incident := _came_back(follow_up)):
            back.append((follow_up, incident))
        elif follow_up.outcome and chance.random() < 0.85:
            _show(chance, cast, follow_up, now=now)
    back.sort(key=lambda pair: pair[1].declared_at)
    for follow_up, incident in back:
        _fail(follow_up, incident, is_last=(follow_up, incident) == back[-1], now=now)


def _came_back(follow_up: FollowUp) -> Incident | None:
    done, incident = follow_up.finished_at, follow_up.incident
    if done is None or not (incident.system_id and incident.failure_mode):
        return None
    same = Incident.objects.counted().filter(system=incident.system, failure_mode=incident.failure_mode, private=False)
    return same.filter(declared_at__gt=done, declared_at__lt=done + WATCHED).order_by("declared_at").first()


def _show(chance: random.Random, cast: Cast, follow_up: FollowUp, *, now: datetime) -> None:
    done = follow_up.finished_at or now
    if follow_up.kind == FollowUp.Kind.PREVENT and chance.random() < 0.5:
        proof = Proof.objects.create(
            follow_up=follow_up, kind=Proof.Kind.QUIET, days=_WINDOW, by=follow_up.owner, at=done
        )
        standing = proof.standing(now)
        if standing.holds:
            _verify(follow_up, standing.sentence, by=None, at=now - timedelta(days=2))
        return
    team = follow_up.incident.team
    others = [person for person in cast.responders(team) if person != follow_up.owner] if team else []
    if not others:
        return
    person, day = chance.choice(others), (done + _AFTER).date()
    Proof.objects.create(
        follow_up=follow_up, kind=Proof.Kind.LOOK, person=person, look_on=day, by=follow_up.owner, at=done
    )
    _verify(follow_up, f"{person} looked on {day:%Y-%m-%d}: {follow_up.outcome}", by=person, at=done + _AFTER)


def _verify(follow_up: FollowUp, sentence: str, *, by: User | None, at: datetime) -> None:
    follow_up.state, follow_up.verified_at, follow_up.verified_because = FollowUp.State.VERIFIED, at, sentence[:500]
    follow_up.save()
    facts = {"id": follow_up.pk, "title": follow_up.title, "became": "verified", "because": follow_up.verified_because}
    follow_up.incident.events.create(kind=Event.Kind.FOLLOW_UP, by=by, at=at, detail=facts)


def _fail(follow_up: FollowUp, incident: Incident, *, is_last: bool, now: datetime) -> None:
    """It did not hold; all but the last of these were done again since."""
    at = incident.declared_at
    Recurrence.objects.create(
        follow_up=follow_up,
        incident=incident,
        at=at,
        state_was=FollowUp.State.DONE,
        finished_was=follow_up.finished_at or at,
        due_was=follow_up.due_on,
    )
    follow_up.failed_at = at
    facts = {"id": follow_up.pk, "title": follow_up.title, "became": "did_not_hold", "other": incident.number}
    sentence = because(follow_up, incident)
    follow_up.incident.events.create(kind=Event.Kind.FOLLOW_UP, at=at, detail=facts | {"because": sentence})
    if is_last:
        follow_up.state, follow_up.finished_at = FollowUp.State.DID_NOT_HOLD, None
        follow_up.due_on = due_by_policy(follow_up.priority, now.date())
    else:
        follow_up.finished_at = at + timedelta(days=9)
        follow_up.due_on = (at + timedelta(days=14)).date()
    follow_up.save()
