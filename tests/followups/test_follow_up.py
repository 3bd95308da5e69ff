"""Follow-ups: owned, dated, and told to the incident."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
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
    follow_up.edit(by=mara, due_on=today, priority=1)
    assert not follow_up.is_overdue
    follow_up.edit(by=mara, due_on=today - timedelta(days=1))
    assert follow_up.is_overdue
    assert list(FollowUp.objects.overdue()) == [follow_up]


def test_somebody_who_may_not_see_the_incident_cannot_own_it(incident: Incident, mara: User, jo: User) -> None:
    incident.restrict([], by=mara)
    with pytest.raises(Refused, match="cannot see"):
        FollowUp.objects.add(incident, title="Secretly", by=mara, owner=jo, due_on=date(2026, 12, 1))


class TestEditing:
    FILLED = {
        "title": "Alert on index age",
        "kind": "detect",
        "priority": "1",
        "due_on": "",
        "owner": "",
        "description": "",
    }

    def test_everything_but_its_state_can_be_changed(
        self, follow_up: FollowUp, mara: User, jo: User, as_person: Callable[[User], Client]
    ) -> None:
        filled = self.FILLED | {"check_text": "The drill fires it", "owner": jo.pk, "title": "Page on index age"}
        answer = as_person(mara).post(f"{follow_up.get_absolute_url()}edit/", filled)
        assert answer.status_code == 302
        follow_up.refresh_from_db()
        assert (follow_up.title, follow_up.check_text, follow_up.owner) == (
            "Page on index age",
            "The drill fires it",
            jo,
        )
        detail = follow_up.incident.events.filter(kind=Event.Kind.FOLLOW_UP).latest("pk").detail
        assert detail["check_text"] == "The drill fires it"
        assert "description" not in detail

    @pytest.mark.parametrize(
        ("typed", "error"),
        [
            ({"check_text": ""}, "A P0 or P1 says how one will know that it worked."),
            ({"check_text": "x", "due_on": "2020-01-01"}, "That day has passed."),
            ({"check_text": "x", "title": " "}, "This field is required."),
        ],
    )
    def test_what_is_wrong_is_said_at_the_field_and_nothing_is_lost(
        self,
        follow_up: FollowUp,
        mara: User,
        as_person: Callable[[User], Client],
        typed: dict[str, str],
        error: str,
    ) -> None:
        filled = self.FILLED | {"description": "As the meeting said"} | typed
        answer = as_person(mara).post(f"{follow_up.get_absolute_url()}edit/", filled)
        assert answer.status_code == 422
        assert error in answer.text
        assert "As the meeting said" in answer.text

    def test_a_day_that_passed_since_may_stay(
        self, follow_up: FollowUp, mara: User, as_person: Callable[[User], Client]
    ) -> None:
        FollowUp.objects.filter(pk=follow_up.pk).update(due_on=date(2020, 1, 1))
        filled = self.FILLED | {"check_text": "x", "due_on": "2020-01-01"}
        assert as_person(mara).post(f"{follow_up.get_absolute_url()}edit/", filled).status_code == 302

    def test_by_the_api_only_what_is_sent_changes(
        self, follow_up: FollowUp, mara: User, key_of: Callable[..., dict[str, str]], client: Client
    ) -> None:
        answer = client.patch(
            f"/api/v1/follow-ups/{follow_up.pk}/",
            {"check_text": "The drill fires it"},
            content_type="application/json",
            headers=key_of(mara),
        )
        assert (answer.status_code, answer.json()["check_text"]) == (200, "The drill fires it")
        assert answer.json()["title"] == "Alert on index age"

    def test_somebody_of_another_team_may_not(
        self, follow_up: FollowUp, rui: User, as_person: Callable[[User], Client]
    ) -> None:
        assert as_person(rui).get(f"{follow_up.get_absolute_url()}edit/").status_code == 403


def test_reopening_says_why_and_keeps_what_it_came_to(follow_up: FollowUp, mara: User) -> None:
    follow_up.complete(by=mara, outcome="It fired in the drill")
    with pytest.raises(Refused, match="Say why"):
        follow_up.reopen(by=mara, reason=" ")
    follow_up.reopen(by=mara, reason="It came back")
    detail = follow_up.incident.events.filter(kind=Event.Kind.FOLLOW_UP).latest("pk").detail
    assert (detail["became"], detail["reason"], detail["outcome_was"]) == (
        "open",
        "It came back",
        "It fired in the drill",
    )


class TestDone:
    def test_an_urgent_one_needs_proof(
        self, follow_up: FollowUp, mara: User, as_person: Callable[[User], Client]
    ) -> None:
        follow_up.edit(by=mara, priority=1)
        with pytest.raises(Refused, match="Say what shows that it works"):
            follow_up.complete(by=mara, outcome=" ")
        as_person(mara).post(f"{follow_up.get_absolute_url()}complete/", {"outcome": ""})
        follow_up.refresh_from_db()
        assert follow_up.is_open
        follow_up.complete(by=mara, outcome="It fired in the drill")
        assert follow_up.state == "done"

    def test_what_nobody_owned_is_owned_by_whoever_did_it(self, incident: Incident, mara: User, jo: User) -> None:
        nobodys = FollowUp.objects.add(incident, title="Rebuild nightly", by=jo)
        nobodys.complete(by=mara)
        assert nobodys.owner == mara
        assert incident.events.filter(kind=Event.Kind.FOLLOW_UP).latest("pk").detail["owner"] == "Mara Okafor"
        hers = FollowUp.objects.add(incident, title="Rebuild weekly", by=jo, owner=mara)
        hers.complete(by=jo)
        assert hers.owner == mara

    def test_a_program_gives_it_no_day_that_has_passed(
        self, incident: Incident, mara: User, key_of: Callable[..., dict[str, str]], client: Client
    ) -> None:
        def send(method: Callable[..., Any], path: str, **facts: Any) -> Any:
            return method(f"/api/v1{path}", facts, content_type="application/json", headers=key_of(mara))

        path = f"/incidents/{incident.number}/follow-ups/"
        refused = send(client.post, path, title="Late already", due_on="2020-01-01")
        assert (refused.status_code, list(refused.json()["errors"])) == (400, ["due_on"])
        made = send(client.post, path, title="In time", due_on="2200-01-01").json()
        FollowUp.objects.filter(pk=made["id"]).update(due_on=date(2020, 1, 1))
        stays = send(client.patch, f"/follow-ups/{made['id']}/", title="Still", due_on="2020-01-01")
        assert stays.status_code == 200, "one that passed since may stay"
        assert send(client.patch, f"/follow-ups/{made['id']}/", due_on="2020-01-02").status_code == 400
