"""Mail about follow-ups: to whoever is given one, before and after its day, and to who leads where it stays late."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from incidents.followups.models import FollowUp
from incidents.followups.reminders import remind
from incidents.notifications.messages import Notification
from incidents.people.models import User
from incidents.response.incident import Incident


def mails() -> list[tuple[str, str]]:
    return sorted(Notification.objects.values_list("person__name", "subject"))


class TestOwner:
    def test_whoever_is_given_one_is_told_and_nobody_of_what_they_took(
        self, incident: Incident, mara: User, jo: User
    ) -> None:
        FollowUp.objects.add(incident, title="Rebuild nightly", by=mara, owner=mara)
        follow_up = FollowUp.objects.add(incident, title="Alert on index age", by=mara, owner=jo)
        told = [("Jo Lindqvist", "Mara Okafor made you the owner of “Alert on index age”")]
        assert mails() == told
        follow_up.edit(by=mara, priority=1)
        follow_up.edit(by=jo, owner=mara)
        assert mails() == [*told, ("Mara Okafor", "Jo Lindqvist made you the owner of “Alert on index age”")]

    def test_by_the_page_as_well(
        self, incident: Incident, mara: User, jo: User, as_person: Callable[[User], Client]
    ) -> None:
        filled = {"title": "Alert on index age", "kind": "detect", "priority": "2", "owner": jo.pk}
        as_person(mara).post(f"/incidents/{incident.number}/follow-ups/new/", filled)
        assert Notification.objects.get().person == jo


class TestDays:
    @pytest.fixture
    def follow_up(self, incident: Incident, mara: User) -> FollowUp:
        return FollowUp.objects.add(incident, title="Alert on index age", by=mara, owner=mara)

    def due(self, follow_up: FollowUp, days: int) -> str:
        day = timezone.localdate() + timedelta(days=days)
        FollowUp.objects.filter(pk=follow_up.pk).update(due_on=day)
        return f"{day:%Y-%m-%d}"

    def test_what_is_far_off_is_left_alone(self, follow_up: FollowUp) -> None:
        self.due(follow_up, 4)
        assert (remind(), mails()) == (0, [])

    def test_its_owner_is_told_once_before_and_once_after(self, follow_up: FollowUp) -> None:
        soon = self.due(follow_up, 3)
        for _ in range(2):
            remind()
        assert mails() == [("Mara Okafor", f"“Alert on index age” is due on {soon}")]
        late = self.due(follow_up, -1)
        for _ in range(2):
            remind()
        assert mails()[1:] == [("Mara Okafor", f"“Alert on index age” was due on {late}")]

    def test_who_leads_is_told_of_what_stays_late(self, follow_up: FollowUp, jo: User) -> None:
        late = self.due(follow_up, -7)
        remind()
        assert mails() == [(name, f"“Alert on index age” was due on {late}") for name in (str(jo), "Mara Okafor")]

    def test_the_lead_is_told_of_what_nobody_owns(self, follow_up: FollowUp, jo: User) -> None:
        follow_up.incident.assign_lead(jo, by=jo)
        follow_up.edit(by=jo, owner=None)
        self.due(follow_up, 0)
        remind()
        assert [name for name, _ in mails()] == [str(jo)]

    def test_nothing_is_said_of_what_is_done_or_hidden(self, follow_up: FollowUp, mara: User, jo: User) -> None:
        self.due(follow_up, -1)
        follow_up.complete(by=mara)
        assert (remind(), mails()) == (0, [])
        follow_up.reopen(by=mara, reason="It came back")
        follow_up.incident.restrict([], by=mara)
        FollowUp.objects.filter(pk=follow_up.pk).update(owner=jo)
        assert (remind(), mails()) == (0, [])
