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

    def test_what_the_catalogue_lacks_is_recorded_in_ones_own_words(
        self, incident: Incident, mara: User, as_person: Page, key_of: Callable[..., dict[str, str]]
    ) -> None:
        client, contain = as_person(mara), f"{incident.get_absolute_url()}contain/"
        assert '<option value="other">Something else</option>' in client.get(incident.get_absolute_url()).text
        answer = client.post(contain, {"action": "other", "note": " "}, follow=True)
        assert "Say in the note what was done." in answer.text
        address = f"/api/v1/incidents/{incident.number}/contain/"
        answer = client.post(address, {"action": "other"}, headers=key_of(mara), content_type="application/json")
        assert answer.status_code == 400
        assert not incident.containments.exists()
        client.post(contain, {"action": "other", "note": "Unplugged the cable\nof the second rack"})
        assert str(incident.containments.get()) == "Unplugged the cable of the second rack"
        assert "Unplugged the cable of the second rack" in client.get(incident.get_absolute_url()).text

    def test_what_worked_before_is_offered_before_the_rest(
        self, incident: Incident, mara: User, as_person: Page
    ) -> None:
        incident.contain(by=mara, action="rate_limit").verify(by=mara, worked=True)
        later = Incident.objects.declare(title="Stale again", by=mara, system=incident.system)
        page = as_person(mara).get(later.get_absolute_url()).text
        form = page.partition('id="contain_action"')[2].partition("</select>")[0]
        assert form.index("Worked before") < form.index('value="rate_limit"') < form.index("Others")

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

    def test_reopening_clears_the_contained_clock_and_says_what_it_was(
        self, incident: Incident, mara: User, as_person: Page
    ) -> None:
        done = incident.contain(by=mara, action="rollback_index")
        incident.resolve(by=mara)
        incident.reopen(by=mara, reason="It is stale again")
        assert (incident.status, incident.contained_at, incident.resolved_at) == ("investigating", None, None)
        cleared = incident.events.latest("pk").detail["cleared"]
        assert done.done_at
        assert cleared["contained_at"] == done.done_at.isoformat()
        page = as_person(mara).get(f"/incidents/{incident.number}/").content.decode()
        assert "no longer contained at" in " ".join(page.split())

    def test_reopening_what_was_never_contained_says_nothing_of_it(
        self, incident: Incident, mara: User, as_person: Page
    ) -> None:
        incident.resolve(by=mara)
        incident.reopen(by=mara, reason="It is stale again")
        page = " ".join(as_person(mara).get(f"/incidents/{incident.number}/").content.decode().split())
        assert "no longer resolved at" in page
        assert "contained at" not in page

    def test_what_was_done_before_it_was_reopened_does_not_contain_it_now(self, incident: Incident, mara: User) -> None:
        before = incident.contain(by=mara, action="rollback_index")
        before.verify(by=mara, worked=True)
        unchecked = incident.contain(by=mara, action="kill_switch")
        incident.resolve(by=mara)
        incident.reopen(by=mara, reason="It is stale again")
        now = incident.contain(by=mara, action="human_review")
        assert (incident.status, incident.contained_at) == ("contained", now.done_at)
        now.verify(by=mara, worked=True)
        incident.refresh_from_db()
        assert incident.contained_at == now.done_at
        now.verify(by=mara, worked=False)
        incident.refresh_from_db()
        assert (incident.status, incident.contained_at) == ("investigating", None), "the earlier ones count no more"
        unchecked.verify(by=mara, worked=True, result="Held all the time")
        incident.refresh_from_db()
        assert (incident.status, incident.contained_at) == ("contained", unchecked.done_at), "a person checked it anew"

    def test_a_clock_corrected_before_it_was_reopened_holds_nothing_up(self, incident: Incident, mara: User) -> None:
        incident.contain(by=mara, action="rollback_index")
        incident.set_clock("contained_at", incident.declared_at, by=mara)
        incident.resolve(by=mara)
        incident.reopen(by=mara, reason="It is stale again")
        first = incident.contain(by=mara, action="human_review")
        second = incident.contain(by=mara, action="kill_switch")
        first.verify(by=mara, worked=False)
        incident.refresh_from_db()
        assert incident.contained_at == second.done_at

    def test_one_that_is_found_to_work_after_all_contains_it(self, incident: Incident, mara: User) -> None:
        done = incident.contain(by=mara, action="rollback_index")
        done.verify(by=mara, worked=False)
        done.verify(by=mara, worked=True)
        incident.refresh_from_db()
        assert (incident.status, incident.contained_at) == ("contained", done.done_at)

    def test_the_reason_of_a_moved_clock_says_whether_anybody_checked(self, incident: Incident, mara: User) -> None:
        first = incident.contain(by=mara, action="rollback_index")
        second = incident.contain(by=mara, action="human_review")
        first.verify(by=mara, worked=False)
        assert incident.events.latest("pk").detail["reason"] == "The first that nobody found not to work."
        first.verify(by=mara, worked=True)
        assert incident.events.latest("pk").detail["reason"] == "The first containment that worked."
        assert second.done_at

    @pytest.mark.parametrize("address", ["/incidents/1/", "/status/", "/incidents/", "/incidents/?status=all"])
    def test_contained_says_so_while_nobody_checked_and_no_longer_after(
        self, incident: Incident, mara: User, as_person: Page, address: str
    ) -> None:
        client = as_person(mara)

        def doubts() -> list[str]:
            page = client.get(address).content.decode()
            head = page.partition('id="head"')[2].partition("</header>")[0] or page.partition("</header>")[2]
            return [doubt for doubt in ("not checked yet", "nothing in force") if doubt in head]

        assert doubts() == []
        done = incident.contain(by=mara, action="rollback_index")
        assert doubts() == ["not checked yet"]
        done.verify(by=mara, worked=True)
        assert doubts() == []
        done.remove(by=mara)
        assert doubts() == ["nothing in force"]
