"""Proof is earned: what stayed quiet long enough, a drill that worked, or a look by whoever was named."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from incidents.errors import Refused, WrongStatus
from incidents.followups import proofs
from incidents.followups.models import FollowUp
from incidents.followups.proofs import Proof, judge_due
from incidents.notifications.messages import Notification
from incidents.people.models import User
from incidents.response.events import Event
from incidents.response.incident import Incident
from incidents.systems.models import System

MODE = "retrieval.stale_index"


@pytest.fixture
def happened(mara: User, support_assistant: System) -> Callable[..., Incident]:
    """Let an incident of one failure mode have happened so many days ago, and be over."""
    System.objects.filter(pk=support_assistant.pk).update(created_at=timezone.now() - timedelta(days=900))

    def declare(days: float, **facts: Any) -> Incident:
        at = timezone.now() - timedelta(days=days)
        usual: dict[str, Any] = {"failure_mode": MODE, "category": "retrieval", "declared_at": at, "detected_at": at}
        return Incident.objects.declare(
            title=f"Stale {days} days ago", by=mara, **{"system": support_assistant} | usual | facts
        )

    return declare


@pytest.fixture
def follow_up(happened: Callable[..., Incident], mara: User) -> FollowUp:
    """Done 90 days ago, after the failure had come seven times in 300 days."""
    for days in range(100, 400, 48):
        happened(days)
    made = FollowUp.objects.add(happened(389), title="Alert on index age", by=mara, owner=mara)
    FollowUp.objects.filter(pk=made.pk).update(created_at=timezone.now() - timedelta(days=380))
    done(made, mara, days=90)
    return made


def done(follow_up: FollowUp, by: User, *, days: float) -> None:
    follow_up.complete(by=by, outcome="It is live")
    FollowUp.objects.filter(pk=follow_up.pk).update(finished_at=timezone.now() - timedelta(days=days))
    follow_up.refresh_from_db()


class TestQuiet:
    def test_it_says_what_the_old_rate_leads_to_expect_and_waits_until_the_quiet_is_evidence(
        self, follow_up: FollowUp, mara: User
    ) -> None:
        Proof.objects.plan(follow_up, by=mara, kind="quiet", days=60)
        assert follow_up.proof.standing().sentence == (
            "Quiet for 90 of 60 days. 2.0 expected, 0 seen, p = 0.14: not yet evidence (8 in the 365 days before). "
            "It would be after 47 more quiet days."
        )
        assert (judge_due(), FollowUp.objects.get().state) == (0, "done"), (
            "the window is over, and yet it says too little"
        )
        later = timezone.now() + timedelta(days=60)
        assert (judge_due(later), judge_due(later)) == (1, 0)
        follow_up.refresh_from_db()
        assert follow_up.state == "verified"
        assert "3.3 expected, 0 seen, p = 0.04: evidence that it holds" in follow_up.verified_because
        event = follow_up.incident.events.filter(kind=Event.Kind.FOLLOW_UP).latest("pk")
        assert (event.by, event.detail["became"]) == (None, "verified")

    def test_it_waits_until_the_window_is_over(self, follow_up: FollowUp, mara: User) -> None:
        Proof.objects.plan(follow_up, by=mara, kind="quiet", days=700)
        FollowUp.objects.update(finished_at=timezone.now() - timedelta(days=99))
        judge_due()
        assert FollowUp.objects.get().state == "done"

    def test_tests_declined_and_other_failures_are_no_recurrences(
        self, follow_up: FollowUp, mara: User, happened: Callable[..., Incident], fraud_scorer: System
    ) -> None:
        Proof.objects.plan(follow_up, by=mara, kind="quiet", days=60)
        before = follow_up.proof.standing().sentence
        happened(10, kind="test")
        happened(9, failure_mode="retrieval.missing_documents")
        happened(8, system=None, failure_mode=MODE)
        assert follow_up.proof.standing().sentence == before

    def test_without_a_failure_mode_it_says_that_it_cannot_be_judged(self, incident: Incident, mara: User) -> None:
        made = FollowUp.objects.add(incident, title="Rebuild nightly", by=mara, owner=mara)
        Proof.objects.plan(made, by=mara, kind="quiet", days=60)
        done(made, mara, days=100)
        assert made.proof.standing().sentence == "It cannot be judged: INC-1 has no failure mode."
        assert (judge_due(), FollowUp.objects.get().state) == (0, "done")

    def test_an_alert_rule_that_fires_again_shows_that_it_does_not_hold(
        self, incident: Incident, mara: User, tell: Callable[..., Any], support_assistant: System
    ) -> None:
        made = FollowUp.objects.add(incident, title="Rebuild nightly", by=mara, owner=mara)
        Proof.objects.plan(made, by=mara, kind="quiet", days=60, alert_name="recall@10 low")
        done(made, mara, days=10)
        assert judge_due() == 0
        alert = tell("recall@10 low", system="support-assistant", status="firing")
        type(alert).objects.update(telling_name=made.proof.alert_name, system=support_assistant)
        assert judge_due() == 1
        made.refresh_from_db()
        assert (made.state, made.finished_at) == ("did_not_hold", None)
        assert Notification.objects.filter(topic="follow_up.did_not_hold", person=mara).exists()


class TestLook:
    def test_only_whoever_was_named_says_so_and_not_before_the_day(
        self, follow_up: FollowUp, mara: User, jo: User
    ) -> None:
        day = timezone.localdate() + timedelta(days=1)
        Proof.objects.plan(follow_up, by=mara, kind="look", person=jo, look_on=day)
        with pytest.raises(Refused, match="before, it shows nothing"):
            proofs.look(follow_up, by=jo, holds=True, note="The index is an hour old")
        Proof.objects.update(look_on=timezone.localdate())
        with pytest.raises(Refused, match="was named to look"):
            proofs.look(follow_up, by=mara, holds=True, note="The index is an hour old")
        proofs.look(follow_up, by=jo, holds=True, note="The index is an hour old")
        assert (follow_up.state, "The index is an hour old" in follow_up.verified_because) == ("verified", True)

    def test_nobody_proves_their_own_work_where_nothing_was_agreed(
        self, follow_up: FollowUp, mara: User, jo: User
    ) -> None:
        with pytest.raises(Refused, match="Somebody else"):
            proofs.look(follow_up, by=mara, holds=True, note="Fine")
        proofs.look(follow_up, by=jo, holds=True, note="Looked at a week of answers")
        assert follow_up.state == "verified"

    def test_a_look_is_no_proof_where_something_else_was_agreed(
        self, follow_up: FollowUp, mara: User, jo: User
    ) -> None:
        Proof.objects.plan(follow_up, by=mara, kind="quiet", days=60)
        with pytest.raises(Refused, match="was agreed"):
            proofs.look(follow_up, by=jo, holds=True, note="Fine")
        proofs.look(follow_up, by=jo, holds=False, note="Answers are stale again")
        assert (follow_up.state, follow_up.is_open) == ("did_not_hold", True)


class TestDrill:
    @pytest.fixture
    def drill(self, mara: User, support_assistant: System) -> Incident:
        return Incident.objects.declare(title="Drill", by=mara, system=support_assistant, kind="test")

    def test_one_that_worked_is_proof_and_one_that_did_not_opens_it_again(
        self, follow_up: FollowUp, drill: Incident, mara: User
    ) -> None:
        Proof.objects.plan(follow_up, by=mara, kind="drill")
        proofs.drilled(follow_up, drill, by=mara, worked=True, note="It fired after a minute")
        assert (follow_up.state, Proof.objects.get().drill) == ("verified", drill)
        proofs.drilled(follow_up, drill, by=mara, worked=False, note="It did not fire")
        assert follow_up.state == "did_not_hold"

    def test_a_real_incident_is_none(self, follow_up: FollowUp, incident: Incident, mara: User) -> None:
        with pytest.raises(Refused, match="is no test"):
            proofs.drilled(follow_up, incident, by=mara, worked=True, note="It fired")


def test_only_what_is_done_can_be_verified_and_the_database_keeps_that_it_says_what_showed_it(
    incident: Incident, mara: User
) -> None:
    made = FollowUp.objects.add(incident, title="Rebuild nightly", by=mara)
    with pytest.raises(WrongStatus):
        made.verify(by=None, because="Quiet")
    for broken in ({"state": "verified"}, {"state": "did_not_hold"}, {"state": "done"}, {"verified_because": "x"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            FollowUp.objects.filter(pk=made.pk).update(**broken)


def test_it_is_begun_done_and_shown_anew_after_it_did_not_hold(follow_up: FollowUp, mara: User, jo: User) -> None:
    proofs.look(follow_up, by=jo, holds=False, note="Stale again")
    assert follow_up.due_on is not None, "it has a day again"
    assert follow_up.due_on > timezone.localdate()
    follow_up.begin(by=mara)
    follow_up.complete(by=mara, outcome="Rebuilt by a schedule")
    proofs.look(follow_up, by=jo, holds=True, note="Fresh for a week")
    assert follow_up.state == "verified"
    assert follow_up.failed_at is not None, "that it once did not hold stays on record"


class TestPage:
    def test_it_asks_at_once_and_says_where_the_proof_stands(
        self, incident: Incident, mara: User, as_person: Callable[[User], Client]
    ) -> None:
        filled = {"title": "Rebuild nightly", "kind": "prevent", "priority": "1", "check_text": "The age stays low"}
        path, client = f"/incidents/{incident.number}/follow-ups/new/", as_person(mara)
        refused = client.post(path, filled | {"proof": "look"})
        assert refused.status_code == 422
        assert "Choose who looks." in refused.text
        client.post(path, filled | {"proof": "quiet", "days": "60"})
        page = client.get(FollowUp.objects.get().get_absolute_url())
        assert "The failure stays away for 60 days after it is done." in page.text

    def test_by_the_api_it_is_chosen_read_and_looked_at(
        self, follow_up: FollowUp, jo: User, mara: User, key_of: Callable[..., dict[str, str]], client: Client
    ) -> None:
        path, json = f"/api/v1/follow-ups/{follow_up.pk}/", "application/json"
        plan = {"kind": "look", "person": jo.email, "look_on": str(timezone.localdate())}
        answer = client.post(f"{path}proof/", plan, content_type=json, headers=key_of(mara))
        assert answer.json()["proof"]["plan"] == f"Jo Lindqvist looks on {timezone.localdate()}."
        standing = client.get(f"{path}proof/", headers=key_of(mara)).json()
        assert standing["holds"] is None
        seen = {"holds": True, "note": "Fresh for a week"}
        assert client.post(f"{path}look/", seen, content_type=json, headers=key_of(jo)).json()["state"] == "verified"


def test_the_funnel_counts_only_earned_proof(
    follow_up: FollowUp, jo: User, lee: User, key_of: Callable[..., dict[str, str]], client: Client
) -> None:
    """Somebody’s word in the outcome is no proof, and what came back is none any more."""

    def shown() -> list[int]:
        learning = client.get("/api/v1/reports/trends?months=24", headers=header).json()["learning"]
        return [*(step["count"] for step in learning["funnel"][3:]), learning["failed"]["count"]]

    header = key_of(lee)
    assert follow_up.outcome
    assert shown() == [1, 0, 0]
    proofs.look(follow_up, by=jo, holds=True, note="Fresh for a week")
    assert shown() == [1, 1, 0]
    Incident.objects.declare(
        title="Stale again", by=None, system=follow_up.incident.system, failure_mode=MODE, category="retrieval"
    )
    assert shown() == [0, 0, 1]
