"""Follow-ups: owned, dated, and told to the incident."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from incidents.errors import Refused, WrongStatus
from incidents.followups.models import FollowUp
from incidents.people.models import User
from incidents.response.events import Event
from incidents.response.incident import Incident


@pytest.fixture
def follow_up(incident: Incident, mara: User) -> FollowUp:
    return FollowUp.objects.add(incident, title="Alert on index age", by=mara, owner=mara)


def test_each_step_is_told_to_the_incident(follow_up: FollowUp, mara: User) -> None:
    follow_up.begin(by=mara)
    follow_up.complete(by=mara, outcome="It fired in the drill")
    events = follow_up.incident.events.filter(kind=Event.Kind.FOLLOW_UP)
    assert [event.detail["became"] for event in events] == ["open", "in_progress", "done"]
    with pytest.raises(WrongStatus, match="already marked as done"):
        follow_up.complete(by=mara)


def test_what_will_not_be_done_says_why(follow_up: FollowUp, mara: User) -> None:
    with pytest.raises(Refused):
        follow_up.drop(by=mara, reason="")
    follow_up.drop(by=mara, reason="The system is retired")
    assert (follow_up.state, follow_up.is_open) == ("wont_do", False)


def test_it_is_overdue_from_the_day_after_it_was_due(follow_up: FollowUp, mara: User) -> None:
    today = timezone.localdate()
    follow_up.plan(by=mara, owner=mara, due_on=today, priority=1)
    assert not follow_up.is_overdue
    follow_up.plan(by=mara, owner=mara, due_on=today - timedelta(days=1), priority=1)
    assert follow_up.is_overdue
    assert list(FollowUp.objects.overdue()) == [follow_up]


def test_somebody_who_may_not_see_the_incident_cannot_own_it(incident: Incident, mara: User, jo: User) -> None:
    incident.restrict([], by=mara)
    with pytest.raises(Refused, match="cannot see"):
        FollowUp.objects.add(incident, title="Secretly", by=mara, owner=jo, due_on=date(2026, 12, 1))
