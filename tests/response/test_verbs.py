"""What each verb leaves behind: one Event that says who did it and what became of what was, and the facts it promises."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from incidents.errors import Refused, WrongStatus
from incidents.people.models import Team, User
from incidents.response.containments import Containment
from incidents.response.events import Event
from incidents.response.incident import Incident
from incidents.response.vocabulary import CLOCKS
from incidents.systems.models import System
from incidents.taxonomy import Unknown

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def last_event(incident: Incident) -> tuple[str, User | None, dict[str, Any]]:
    event = incident.events.order_by("-pk")[0]
    return event.kind, event.by, event.detail


@pytest.fixture
def untaken(db: None, support_assistant: System) -> Incident:
    """An incident that an alert opened, and that nobody has taken yet."""
    return Incident.objects.declare(title="Recall fell", by=None, system=support_assistant)


class TestEvents:
    @pytest.mark.parametrize(
        ("verb", "fields", "kind", "was", "became"),
        [
            ("set_severity", {"severity": "sev1"}, "severity", {"severity": "sev2"}, {"severity": "sev1"}),
            ("say_who_noticed", {"noticed_by": "user"}, "noticed", {"noticed_by": ""}, {"noticed_by": "user"}),
            ("set_kind", {"kind": "test"}, "kind", {"kind": "real"}, {"kind": "test"}),
            (
                "describe",
                {"title": "  Old \n prices ", "summary": " Since noon. "},
                "described",
                {"title": "Answers cite the retired pricing policy", "summary": ""},
                {"title": "Old prices", "summary": "Since noon."},
            ),
            (
                "classify",
                {"category": "drift"},
                "classified",
                {"category": "", "failure_mode": "", "classified_because": ""},
                {"category": "drift", "failure_mode": "", "classified_because": "Classified by Jo Lindqvist."},
            ),
            (
                "classify",
                {"category": "", "failure_mode": "retrieval.ranking"},
                "classified",
                {"category": "", "failure_mode": "", "classified_because": ""},
                {
                    "category": "retrieval",
                    "failure_mode": "retrieval.ranking",
                    "classified_because": "Classified by Jo Lindqvist.",
                },
            ),
            ("open_up", {}, "visibility", {"private": True}, {"private": False}),
        ],
    )
    def test_a_fact_is_set_once_and_says_what_it_was(
        self,
        incident: Incident,
        jo: User,
        verb: str,
        fields: dict[str, Any],
        kind: str,
        was: dict[str, Any],
        became: dict[str, Any],
    ) -> None:
        if verb == "open_up":
            incident.restrict([], by=jo)
        getattr(incident, verb)(by=jo, **fields)
        getattr(incident, verb)(by=jo, **fields)
        assert last_event(incident) == (kind, jo, {"was": was, "became": became})
        assert incident.events.filter(kind=kind, detail__became=became).count() == 1
        assert {name: getattr(incident, name) for name in became} == became

    def test_a_reason_is_kept_with_the_fact_and_a_blank_one_is_none(self, incident: Incident, jo: User) -> None:
        incident.set_severity("sev1", by=jo, reason=" Refunds were paid ")
        assert last_event(incident)[2]["reason"] == "Refunds were paid"
        incident.set_severity("sev3", by=jo, reason="  ")
        assert "reason" not in last_event(incident)[2]
        incident.classify("drift", by=None, reason="A rule says so.")
        assert (incident.classified_because, last_event(incident)[1]) == ("A rule says so.", None)
        incident.classify("retrieval", by=None)
        assert incident.classified_because == ""

    def test_a_system_brings_its_team_and_no_system_leaves_the_team_as_it_is(
        self, incident: Incident, jo: User, fraud_scorer: System, risk: Team, assistants: Team
    ) -> None:
        incident.set_system(fraud_scorer, by=jo)
        assert (incident.system, incident.team) == (fraud_scorer, risk)
        assert last_event(incident) == (
            "system",
            jo,
            {
                "was": {"system": "support-assistant", "team": "Assistants"},
                "became": {"system": "fraud-scorer", "team": "Risk"},
            },
        )
        incident.set_system(None, by=jo)
        assert (incident.system, incident.team) == (None, risk)

    def test_the_lead_is_handed_over_and_may_be_nobody(self, incident: Incident, mara: User, jo: User) -> None:
        incident.assign_lead(jo, by=mara)
        assert last_event(incident) == (
            "lead",
            mara,
            {"was": {"lead": "Mara Okafor"}, "became": {"lead": "Jo Lindqvist"}},
        )
        incident.restrict([], by=mara)
        incident.assign_lead(None, by=mara)
        assert (incident.lead, last_event(incident)[2]["became"]) == (None, {"lead": None})

    def test_a_note_is_kept_with_its_event(self, incident: Incident, jo: User) -> None:
        note = incident.add_note("  The alias moved ", by=jo)
        event = incident.events.order_by("-pk")[0]
        assert (event.kind, event.by, event.note, note.text, note.author) == ("note", jo, note, "The alias moved", jo)
        with pytest.raises(Refused, match="Write something first"):
            incident.add_note("  ", by=jo)

    def test_whatever_happens_moves_the_time_of_the_last_change(self, incident: Incident, mara: User) -> None:
        with time_machine.travel(timezone.now() + timedelta(hours=1), tick=False):
            event = incident.record(Event.Kind.NOTE, by=mara, at=NOON)
            incident.refresh_from_db()
            assert (event.at, incident.changed_at) == (NOON, timezone.now())

    def test_the_way_of_an_incident_says_at_each_step_what_it_was(
        self, untaken: Incident, mara: User, jo: User
    ) -> None:
        untaken.acknowledge(by=mara)
        assert last_event(untaken) == ("acknowledged", mara, {"was": "triage", "became": "investigating"})
        untaken.resolve(by=jo, note=" v12 is served ")
        assert last_event(untaken) == (
            "status",
            jo,
            {"was": "investigating", "became": "resolved", "note": "v12 is served"},
        )
        resolved_at = untaken.resolved_at
        assert resolved_at
        untaken.close(by=mara)
        assert last_event(untaken) == ("status", mara, {"was": "resolved", "became": "closed"})
        untaken.reopen(by=jo, reason=" It is back ")
        assert last_event(untaken) == (
            "status",
            jo,
            {
                "was": "closed",
                "became": "investigating",
                "reason": "It is back",
                "cleared": {"resolved_at": resolved_at.isoformat()},
            },
        )

    def test_without_a_note_none_is_kept(self, incident: Incident, jo: User) -> None:
        incident.resolve(by=jo, note=" ")
        assert last_event(incident)[2] == {"was": "investigating", "became": "resolved"}

    def test_out_of_turn_it_says_what_it_is_and_what_it_would_have_to_be(self, untaken: Incident, jo: User) -> None:
        with pytest.raises(WrongStatus, match="INC-1 is triage, not investigating or contained"):
            untaken.resolve(by=jo)

    def test_a_declined_one_says_why_and_may_be_opened_again(self, untaken: Incident, mara: User) -> None:
        with pytest.raises(Refused, match="Say why this is not an incident"):
            untaken.decline(by=mara, reason=" ")
        untaken.decline(by=mara, reason=" A test run ")
        assert last_event(untaken) == ("status", mara, {"was": "triage", "became": "declined", "reason": "A test run"})
        untaken.reopen(by=mara, reason="It was none")
        assert untaken.status == "investigating"

    def test_a_merge_is_told_on_both_sides_and_so_is_its_undoing(
        self, incident: Incident, untaken: Incident, jo: User
    ) -> None:
        untaken.merge_into(incident, by=jo, alerts=[7, 9])
        assert last_event(untaken) == (
            "status",
            jo,
            {"was": "triage", "became": "merged", "into": str(incident), "alerts": [7, 9]},
        )
        assert last_event(incident) == ("merged", jo, {"merged": str(untaken), "carried": {}})
        decision = untaken.undo(by=jo)
        assert decision.detail["alerts"] == [7, 9]
        assert (untaken.status, untaken.merged_into) == ("triage", None)
        undone = {"was": "merged", "became": "triage", "out_of": str(incident), "undone": True}
        assert last_event(untaken) == ("status", jo, undone)
        assert last_event(incident) == ("merged", jo, {"unmerged": str(untaken)})

    @pytest.mark.parametrize("state", ["declined", "merged"])
    def test_nothing_is_merged_into_what_is_not_counted(
        self, incident: Incident, untaken: Incident, mara: User, state: str
    ) -> None:
        third = Incident.objects.declare(title="A third", by=mara)
        if state == "declined":
            untaken.decline(by=mara, reason="A test run")
        else:
            untaken.merge_into(third, by=mara)
        with pytest.raises(Refused, match=f"{untaken} is {state}; choose one that is open, resolved or closed"):
            incident.merge_into(untaken, by=mara)
        assert incident.status == "investigating"


class TestTakingBack:
    def test_an_acknowledgement_leaves_a_lead_who_was_chosen_otherwise(
        self, untaken: Incident, mara: User, jo: User
    ) -> None:
        untaken.assign_lead(jo, by=mara)
        untaken.acknowledge(by=mara)
        assert untaken.lead == jo, "acknowledging takes nobody's lead away"
        assert untaken.undo(by=mara).kind == "acknowledged"
        assert (untaken.status, untaken.lead, untaken.acknowledged_at) == ("triage", jo, None)
        assert last_event(untaken) == ("status", mara, {"was": "investigating", "became": "triage", "undone": True})

    @pytest.mark.parametrize("act", ["contain", "declare"])
    def test_only_what_triage_decided(self, incident: Incident, mara: User, act: str) -> None:
        if act == "contain":
            incident.contain(by=mara, action="rollback_index")
        with pytest.raises(Refused, match="undo"):
            incident.undo(by=mara)

    def test_nothing_is_undone_twice(self, untaken: Incident, mara: User) -> None:
        untaken.decline(by=mara, reason="A test run")
        untaken.undo(by=mara)
        assert last_event(untaken) == ("status", mara, {"was": "declined", "became": "triage", "undone": True})
        with pytest.raises(Refused, match="undo"):
            untaken.undo(by=mara)

    @pytest.mark.parametrize("decision", ["decline", "merge"])
    def test_where_a_newer_one_gathers_its_alerts_meanwhile_that_one_goes_on(
        self, incident: Incident, untaken: Incident, mara: User, decision: str
    ) -> None:
        Incident.objects.filter(pk=untaken.pk).update(correlation_key="system:1|drift")
        untaken.refresh_from_db()
        if decision == "decline":
            untaken.decline(by=mara, reason="A test run")
        else:
            untaken.merge_into(incident, by=mara)
        newer = Incident.objects.declare(title="Newer", by=None, correlation_key="system:1|drift")
        untaken.undo(by=mara)
        newer.refresh_from_db()
        assert (untaken.correlation_key, newer.correlation_key) == (None, "system:1|drift")

    def test_where_the_newer_one_is_opened_while_it_is_reopened_that_one_gathers_too(
        self, untaken: Incident, mara: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As when an alert opens it between the look and the move: the look saw nothing of it."""
        untaken.acknowledge(by=mara)
        untaken.resolve(by=mara)
        Incident.objects.filter(pk=untaken.pk).update(correlation_key="system:1|drift")
        newer = Incident.objects.declare(title="Newer", by=None, correlation_key="system:1|drift")
        monkeypatch.setattr(Incident, "_if_taken", lambda _: {})
        untaken.reopen(by=mara, reason="It is back")
        newer.refresh_from_db()
        assert (untaken.status, untaken.correlation_key, newer.correlation_key) == (
            "investigating",
            None,
            "system:1|drift",
        )
        assert last_event(untaken)[2]["reason"] == "It is back"

    def test_where_no_other_does_it_goes_on_gathering(self, untaken: Incident, mara: User) -> None:
        Incident.objects.filter(pk=untaken.pk).update(correlation_key="system:1|drift")
        untaken.decline(by=mara, reason="A test run")
        untaken.undo(by=mara)
        assert untaken.correlation_key == "system:1|drift"
        untaken.acknowledge(by=mara)
        untaken.resolve(by=mara)
        untaken.reopen(by=mara, reason="It is back")
        assert untaken.correlation_key == "system:1|drift"


class TestGathering:
    @pytest.fixture
    def gathering(self, untaken: Incident) -> Callable[[str], Incident]:
        """The incident, gathering alerts under a key."""

        def under(key: str) -> Incident:
            Incident.objects.filter(pk=untaken.pk).update(correlation_key=key)
            untaken.refresh_from_db()
            return untaken

        return under

    @pytest.mark.parametrize(
        ("key", "expected"),
        [
            ("name:bot|unclassified", "system:{}|drift"),
            ("name:bot\tmodel=a|region=b|unclassified", "system:{}\tmodel=a|region=b|drift"),
        ],
    )
    def test_it_gathers_what_it_was_found_to_be(
        self, gathering: Callable[[str], Incident], mara: User, support_assistant: System, key: str, expected: str
    ) -> None:
        incident = gathering(key)
        incident.classify("drift", by=mara)
        assert incident.correlation_key == expected.format(support_assistant.pk)
        incident.refresh_from_db()
        assert incident.correlation_key == expected.format(support_assistant.pk)

    def test_without_a_system_it_gathers_where_it_did(self, gathering: Callable[[str], Incident], mara: User) -> None:
        incident = gathering("name:bot\tmodel=a|unclassified")
        incident.set_system(None, by=mara)
        incident.classify("drift", by=mara)
        assert incident.correlation_key == "name:bot\tmodel=a|drift"

    def test_where_another_open_one_gathers_that_it_lets_it(
        self, gathering: Callable[[str], Incident], mara: User, support_assistant: System
    ) -> None:
        key = f"system:{support_assistant.pk}|drift"
        Incident.objects.declare(title="Another", by=None, system=support_assistant, correlation_key=key)
        incident = gathering("name:bot|unclassified")
        incident.classify("drift", by=mara)
        incident.refresh_from_db()
        assert (incident.category, incident.correlation_key) == ("drift", "name:bot|unclassified")

    def test_what_gathers_nothing_begins_nothing(self, incident: Incident, mara: User) -> None:
        incident.classify("drift", by=mara)
        incident.refresh_from_db()
        assert incident.correlation_key is None

    def test_a_key_that_is_let_go_is_free_for_others(self, gathering: Callable[[str], Incident]) -> None:
        incident = gathering("name:bot|drift")
        incident.release_key()
        assert incident.correlation_key is None
        Incident.objects.declare(title="Another", by=None, correlation_key="name:bot|drift")
        incident.refresh_from_db()
        assert incident.correlation_key is None


class TestClocks:
    @pytest.mark.parametrize("clock", CLOCKS)
    def test_each_can_be_corrected_up_to_five_minutes_ahead_of_our_clock(
        self, incident: Incident, jo: User, clock: str
    ) -> None:
        with time_machine.travel(NOON, tick=False):
            at = NOON + timedelta(minutes=5)
            incident.set_clock(clock, at, by=jo, reason="The log says so")
            with pytest.raises(Refused, match=f"{CLOCKS[clock]} cannot be in the future"):
                incident.set_clock(clock, at + timedelta(seconds=1), by=jo)
        assert getattr(incident, clock) == at
        kind, by, detail = last_event(incident)
        assert (kind, by, detail["reason"]) == ("clock", jo, "The log says so")
        assert detail["became"][clock] == "2026-11-20T12:05:00+00:00"

    def test_what_was_corrected_names_every_clock_that_is_known(self, incident: Incident, jo: User) -> None:
        with pytest.raises(Refused, match="the six are impact_started_at, detected_at, declared_at"):
            incident.set_clock("birthday", None, by=jo)

    @pytest.mark.parametrize("closed", [False, True])
    def test_a_resolved_incident_has_a_time_of_resolution(self, incident: Incident, jo: User, closed: bool) -> None:
        incident.set_clock("resolved_at", None, by=jo)
        incident.resolve(by=jo)
        if closed:
            incident.close(by=jo)
        with pytest.raises(Refused, match="reopen it instead"):
            incident.set_clock("resolved_at", None, by=jo)

    def test_a_start_is_said_by_a_person_unless_another_way_is_named(self, incident: Incident, jo: User) -> None:
        incident.set_clock("impact_started_at", NOON, until=NOON, by=jo)
        assert (incident.impact_started_until, incident.impact_method) == (NOON, "person")
        with pytest.raises(Refused, match="A range runs"):
            incident.set_clock("impact_started_at", None, until=NOON, by=jo)


class TestContainments:
    def test_what_is_done_says_so_with_everything_about_it(self, incident: Incident, jo: User) -> None:
        at, due = NOON - timedelta(hours=2), NOON + timedelta(days=1)
        done = incident.contain(by=jo, action="rollback_index", note=" to v12 ", at=at, remove_by=due)
        assert (done.state, done.by, done.note, done.done_at, done.remove_by) == ("done", jo, "to v12", at, due)
        assert incident.contained_at == at
        facts = {
            "containment": done.pk,
            "action": "rollback_index",
            "name": str(done),
            "state": "done",
            "note": "to v12",
        }
        assert last_event(incident) == ("containment", jo, {"was": "investigating", "became": "contained", **facts})
        again = incident.contain(by=jo, action="human_review")
        assert last_event(incident) == ("containment", jo, again.event_detail())

    def test_a_plan_says_what_until_when_and_is_dropped_with_its_reason(self, incident: Incident, jo: User) -> None:
        planned = incident.plan_containment(by=jo, action="rollback_index", note=" to v12 ", remove_by=NOON)
        assert (planned.by, planned.note, planned.remove_by) == (jo, "to v12", NOON)
        assert last_event(incident) == ("containment", jo, planned.event_detail())
        planned.drop(by=jo, note=" Too slow ")
        assert (planned.state, planned.removed_at, planned.is_in_force) == ("dropped", None, False)
        assert last_event(incident) == ("containment", jo, planned.event_detail(note="Too slow"))
        with pytest.raises(WrongStatus, match="is not done already"):
            planned.do(by=jo)

    def test_nothing_is_planned_for_what_is_over_or_unknown(self, incident: Incident, jo: User) -> None:
        with pytest.raises(Unknown):
            incident.plan_containment(by=jo, action="prayer")
        incident.resolve(by=jo)
        with pytest.raises(WrongStatus, match="nothing is left to contain"):
            incident.plan_containment(by=jo, action="rollback_index")

    def test_a_check_is_told_and_may_be_said_again(self, incident: Incident, jo: User) -> None:
        done = incident.contain(by=jo, action="rollback_index")
        for worked, result in ((False, "Still stale"), (True, "Fresh after all")):
            done.verify(by=jo, worked=worked, result=f" {result} ")
            assert (done.state, done.worked, done.result) == ("verified", worked, result)
            event = incident.events.filter(kind="containment", detail__has_key="worked").order_by("-pk")[0]
            assert (event.by, event.detail) == (jo, done.event_detail(worked=worked, note=result))

    def test_where_none_worked_it_says_why_it_is_investigated_again(self, incident: Incident, jo: User) -> None:
        incident.contain(by=jo, action="rollback_index").verify(by=jo, worked=False)
        reason = "No containment has worked so far."
        assert last_event(incident) == (
            "status",
            jo,
            {"was": "contained", "became": "investigating", "reason": reason},
        )

    def test_one_that_worked_goes_before_an_earlier_one_that_nobody_checked(self, incident: Incident, jo: User) -> None:
        incident.contain(by=jo, action="rollback_index", at=NOON)
        second = incident.contain(by=jo, action="human_review", at=NOON + timedelta(hours=1))
        second.verify(by=jo, worked=True)
        incident.refresh_from_db()
        assert incident.contained_at == second.done_at
        kind, by, detail = last_event(incident)
        assert (kind, by, detail["reason"]) == ("clock", None, "The first containment that worked.")
        second.verify(by=jo, worked=False)
        incident.refresh_from_db()
        assert (incident.status, incident.contained_at) == ("contained", NOON)

    def test_a_correction_of_another_clock_leaves_the_contained_clock_to_what_worked(
        self, incident: Incident, jo: User
    ) -> None:
        first = incident.contain(by=jo, action="rollback_index", at=NOON)
        second = incident.contain(by=jo, action="human_review", at=NOON + timedelta(hours=1))
        incident.set_clock("impact_started_at", NOON - timedelta(hours=1), by=jo)
        first.verify(by=jo, worked=False)
        incident.refresh_from_db()
        assert incident.contained_at == second.done_at

    @pytest.mark.parametrize(
        ("acts", "overdue"),
        [
            ((), True),
            (("worked",), True),
            (("failed",), False),
            (("removed",), False),
            (("worked", "removed"), False),
        ],
    )
    def test_what_is_in_force_beyond_its_date_is_overdue(
        self, incident: Incident, jo: User, acts: tuple[str, ...], overdue: bool
    ) -> None:
        now = timezone.now()
        with time_machine.travel(now, tick=False) as clock:
            done = incident.contain(by=jo, action="rollback_index", remove_by=now)
            incident.contain(by=jo, action="human_review")
            for act in acts:
                if act == "removed":
                    done.remove(by=jo, note=" v13 is served ")
                else:
                    done.verify(by=jo, worked=act == "worked")
            assert (done.is_overdue, Containment.objects.overdue().exists()) == (False, False)
            clock.shift(timedelta(seconds=1))
            assert (done.is_overdue, list(Containment.objects.overdue())) == (overdue, [done] if overdue else [])
        if acts == ("removed",):
            assert last_event(incident) == ("containment", jo, done.event_detail(note="v13 is served"))


class TestPrivacy:
    def test_the_lead_and_whoever_made_it_private_still_see_it(
        self, incident: Incident, mara: User, jo: User, sam: User, rui: User
    ) -> None:
        incident.restrict([sam], by=jo)
        assert set(incident.people.all()) == {sam, jo, mara}
        names = ["Jo Lindqvist", "Mara Okafor", "Sam Outsider"]
        was, became = {"private": False, "people": []}, {"private": True, "people": names}
        assert last_event(incident) == ("visibility", jo, {"was": was, "became": became})
        incident.restrict([sam], by=jo)
        assert incident.events.filter(kind="visibility").count() == 1, "the same people again are no news"
        assert not Incident.objects.visible_to(rui).exists()
        incident.assign_lead(None, by=jo)
        incident.restrict([], by=jo)
        assert set(incident.people.all()) == {jo}
        was, became = {"private": True, "people": names}, {"private": True, "people": ["Jo Lindqvist"]}
        assert last_event(incident) == ("visibility", jo, {"was": was, "became": became})


def test_whoever_contains_it_in_triage_takes_it(untaken: Incident, mara: User) -> None:
    untaken.contain(by=mara, action="rollback_index")
    assert (untaken.status, untaken.lead) == ("contained", mara)
    assert untaken.acknowledged_at is not None
    kinds = list(untaken.events.order_by("pk").values_list("kind", flat=True))
    assert kinds[-2:] == ["acknowledged", "containment"]


def test_a_plan_does_not_take_it(untaken: Incident, mara: User) -> None:
    planned = untaken.plan_containment(by=mara, action="rollback_index")
    assert untaken.status == "triage"
    planned.do(by=mara)
    untaken.refresh_from_db()
    assert (untaken.status, untaken.lead) == ("contained", mara)
