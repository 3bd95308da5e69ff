"""What limits the harm: planned, done, checked and rolled back."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.utils import timezone

from incidents.errors import WrongStatus
from incidents.people.models import User
from incidents.response.incident import Incident

Page = Callable[[User], Client]


class TestContainments:
    def test_one_is_planned_done_checked_and_taken_back_each_with_its_event(
        self, incident: Incident, mara: User
    ) -> None:
        planned = incident.plan_containment(by=mara, action="rollback_index", note="to v12")
        assert (planned.state, incident.status, planned.done_at) == ("planned", "investigating", None)
        planned.do(by=mara)
        incident.refresh_from_db()
        assert (incident.status, incident.contained_at) == ("contained", planned.done_at)
        planned.verify(by=mara, worked=True, result="Samples are right")
        planned.remove(by=mara)
        assert planned.removed_at
        told = [event.detail["state"] for event in incident.events.filter(kind="containment").order_by("pk")]
        assert told == ["planned", "done", "verified", "removed"]

    def test_the_contained_clock_follows_the_first_that_worked(self, incident: Incident, mara: User) -> None:
        now = timezone.now()
        first = incident.contain(by=mara, action="rollback_index", at=now - timedelta(minutes=30))
        second = incident.contain(by=mara, action="human_review", at=now - timedelta(minutes=10))
        assert incident.contained_at == first.done_at
        first.verify(by=mara, worked=False, result="Still stale")
        second.verify(by=mara, worked=True)
        incident.refresh_from_db()
        assert (incident.status, incident.contained_at) == ("contained", second.done_at)

    def test_where_none_worked_it_is_being_investigated_again(self, incident: Incident, mara: User) -> None:
        incident.contain(by=mara, action="rollback_index").verify(by=mara, worked=False)
        incident.refresh_from_db()
        assert (incident.status, incident.contained_at) == ("investigating", None)
        incident.contain(by=mara, action="human_review")
        assert incident.status == "contained"

    def test_a_clock_that_a_person_corrected_stays_as_they_said(self, incident: Incident, mara: User) -> None:
        done = incident.contain(by=mara, action="rollback_index")
        said = incident.declared_at - timedelta(minutes=5)
        incident.set_clock("contained_at", said, by=mara, reason="The alias moved then")
        done.verify(by=mara, worked=True)
        incident.refresh_from_db()
        assert incident.contained_at == said

    def test_two_who_press_done_at_once_do_it_once(self, incident: Incident, mara: User) -> None:
        planned = incident.plan_containment(by=mara, action="rollback_index")
        again = incident.containments.get()
        planned.do(by=mara)
        with pytest.raises(WrongStatus, match="is done already"):
            again.do(by=mara)
        assert incident.events.filter(kind="containment", detail__state="done").count() == 1

    def test_what_is_done_has_a_time_in_the_database(self, incident: Incident, mara: User) -> None:
        incident.plan_containment(by=mara, action="rollback_index")
        with pytest.raises(DatabaseError), transaction.atomic():
            incident.containments.update(state="done")
