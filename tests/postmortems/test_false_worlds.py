"""Every pre-filled sentence in a world in which it would be false: there it is not said, or says what is true there."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from incidents.alerts import by_hand
from incidents.alerts.drain import drain
from incidents.alerts.models import Alert, Source
from incidents.people.models import Team, User
from incidents.postmortems.document import Postmortem
from incidents.postmortems.facts import MOST_EVENTS, recorded_facts
from incidents.response.containments import Containment
from incidents.response.incident import Incident
from incidents.response.links import Link
from incidents.systems.models import Change, System

As = Callable[[User], Client]
Tell = Callable[..., Alert]
CLOCK = {"now": timezone.now()}


@pytest.fixture(autouse=True)
def now() -> None:
    """One moment for each test, whenever it runs."""
    CLOCK["now"] = timezone.now().replace(second=0, microsecond=0)


def texts(postmortem: Postmortem, section: str, label: str = "") -> list[str]:
    facts = recorded_facts(Postmortem.objects.get(pk=postmortem.pk))
    return [fact.text for fact in facts.get(section, []) if label in ("", fact.label)]


def clocks(postmortem: Postmortem, by: User, **moments: datetime | None) -> Incident:
    incident = Incident.objects.get(pk=postmortem.incident_id)
    for name, at in moments.items():
        incident.set_clock(name, at, by=by)
    return incident


def hours(count: float) -> datetime:
    return CLOCK["now"] - timedelta(hours=count)


class TestSummary:
    def test_after_a_rename_a_move_a_hand_over_and_a_new_severity(
        self, postmortem: Postmortem, mara: User, jo: User, fraud_scorer: System
    ) -> None:
        incident = postmortem.incident
        incident.describe(title="Another title", summary="", by=mara)
        incident.set_system(fraud_scorer, by=mara)
        incident.set_severity("sev4", by=mara)
        incident.assign_lead(jo, by=mara)
        assert texts(postmortem, "summary") == ["INC-1: Another title", "fraud-scorer", "SEV4", "Jo Lindqvist"]


class TestImpact:
    def test_no_exact_length_where_the_start_is_a_range(self, postmortem: Postmortem, mara: User) -> None:
        incident = clocks(postmortem, mara, contained_at=hours(1))
        incident.set_clock("impact_started_at", hours(6), until=hours(4), by=mara)
        assert texts(postmortem, "impact", "Output was wrong for") == ["3 h to 5 h"]
        clocks(postmortem, mara, contained_at=hours(5))
        assert texts(postmortem, "impact", "Output was wrong for")[0].endswith(" to 1 h"), (
            "it may have begun at its end"
        )

    def test_no_length_while_it_is_open_again_or_its_clocks_contradict_each_other(
        self, postmortem: Postmortem, mara: User
    ) -> None:
        incident = clocks(postmortem, mara, impact_started_at=hours(6), contained_at=hours(7))
        assert texts(postmortem, "impact", "Output was wrong for") == ["unknown: the clocks are out of order"]
        incident.reopen(by=mara, reason="It is back")
        assert texts(postmortem, "impact", "Output was wrong for") == ["unknown: it is neither contained nor resolved"]

    def test_nobody_has_said_how_many_until_somebody_has(self, postmortem: Postmortem) -> None:
        exposure = postmortem.incident.exposures.create(of="outputs", estimate=0, how="Counted")
        assert texts(postmortem, "impact", "Hit") == []
        assert texts(postmortem, "impact", "Outputs hit")[0].endswith("; Counted; put right: unknown")
        exposure.delete()
        assert texts(postmortem, "impact", "Hit") == ["unknown: nobody has said how many"]


class TestSilence:
    def test_none_is_shorter_than_nothing(self, postmortem: Postmortem, mara: User) -> None:
        clocks(postmortem, mara, impact_started_at=hours(2), detected_at=hours(3))
        assert texts(postmortem, "silence", "Silence") == ["unknown: the clocks are out of order"]

    def test_a_range_that_reaches_past_the_detection_ends_at_nothing(self, postmortem: Postmortem, mara: User) -> None:
        incident = clocks(postmortem, mara, detected_at=hours(3))
        incident.set_clock("impact_started_at", hours(5), until=hours(2), by=mara)
        (length,) = texts(postmortem, "silence", "Silence")
        assert length.endswith(" to 2 h")
        assert not length.startswith("-")

    def test_a_monitor_that_told_elsewhere_is_not_denied(self, postmortem: Postmortem, mara: User) -> None:
        postmortem.incident.say_who_noticed("monitor", by=mara)
        assert texts(postmortem, "silence", "Noticed first by") == ["A monitor"]
        assert texts(postmortem, "silence", "First alert") == ["none on record"]

    def test_the_first_alert_is_the_first_that_came_not_the_first_that_was_linked(
        self, postmortem: Postmortem, mara: User, tell: Tell
    ) -> None:
        earlier, later = tell("Recall fell", severity="info"), tell("Answers are old", severity="info")
        for alert in (later, earlier):
            by_hand.link([alert], postmortem.incident, by=mara)
        assert texts(postmortem, "silence", "First alert")[0].startswith("Recall fell (")


@pytest.fixture
def wrong(postmortem: Postmortem, support_assistant: System) -> Postmortem:
    """Wrong since an hour ago, and noticed in six minutes: what is told now is told meanwhile."""
    Incident.objects.filter(pk=postmortem.incident_id).update(detected_at=hours(-0.1), impact_started_at=hours(1))
    return postmortem


class TestGreen:
    """Each says that something is over or passes, and yet nothing of this system was measured and found good."""

    def green(self, postmortem: Postmortem) -> list[str]:
        return texts(postmortem, "silence", "Green meanwhile")

    def test_what_was_measured_and_found_good_is_said(self, wrong: Postmortem, tell: Tell) -> None:
        tell("Recall was low once", system="support-assistant", status="resolved")
        assert len(self.green(wrong)) == 1

    @pytest.mark.parametrize("condition", ["no_data", "check_failed", "notice"])
    def test_that_data_came_back_or_a_check_ran_says_nothing_of_the_output(
        self, wrong: Postmortem, tell: Tell, condition: str
    ) -> None:
        tell("Recall", system="support-assistant", status="resolved", condition=condition)
        assert self.green(wrong) == []

    def test_nor_does_an_alert_that_ended_because_its_data_stopped(self, wrong: Postmortem, tell: Tell) -> None:
        alert = tell("Recall was low once", system="support-assistant", status="resolved")
        Alert.objects.filter(pk=alert.pk).update(flags=["end_vanished"])
        assert self.green(wrong) == []

    def test_nor_what_ended_before_it_began_and_was_told_late(self, wrong: Postmortem, tell: Tell) -> None:
        alert = tell("Recall was low once", system="support-assistant", status="resolved")
        Alert.objects.filter(pk=alert.pk).update(ends_at=hours(2))
        assert self.green(wrong) == []

    def test_nor_a_monitor_where_something_of_the_system_fired_all_the_while(
        self, wrong: Postmortem, tell: Tell
    ) -> None:
        firing = tell("Answers are slow", system="support-assistant")
        Alert.objects.filter(pk=firing.pk).update(first_received_at=hours(9))
        firing.outcomes.all().delete()  # it told of that before, and says nothing more
        tell("Recall was low once", system="support-assistant", status="resolved")
        assert self.green(wrong) == []

    def test_nor_one_that_found_it_good_after_it_was_noticed(self, wrong: Postmortem, mara: User, tell: Tell) -> None:
        clocks(wrong, mara, detected_at=hours(0.5))
        tell("Recall was low once", system="support-assistant", status="resolved")
        assert self.green(wrong) == []

    def test_nor_one_of_a_system_that_the_incident_is_not_about(
        self, wrong: Postmortem, mara: User, tell: Tell, fraud_scorer: System
    ) -> None:
        tell("Recall was low once", system="support-assistant", status="resolved")
        wrong.incident.set_system(fraud_scorer, by=mara)
        assert self.green(wrong) == []


class TestSilentUntilThen:
    def silent(self, postmortem: Postmortem) -> list[str]:
        return texts(postmortem, "silence", "Silent until then")

    def test_each_monitor_told_of_it_when_it_did(
        self, wrong: Postmortem, mara: User, tell: Tell, post: Callable[..., object], assistants: Team
    ) -> None:
        first = tell("Groundedness fell", system="support-assistant", severity="info")
        _, token = Source.objects.connect(kind="generic", name="Uptime", team=assistants)
        post(
            token,
            {"title": "Answers are short", "key": "x", "system": "support-assistant", "severity": "info"},
        )
        drain()
        second = Alert.objects.latest("pk")
        Alert.objects.filter(pk=first.pk).update(first_received_at=hours(0.5))
        by_hand.link([first, second], wrong.incident, by=mara)
        assert self.silent(wrong) == [
            f"Nightly evaluations told of it first at {hours(0.5):%Y-%m-%d %H:%M} UTC",
            f"Uptime told of it first at {second.first_received_at:%Y-%m-%d %H:%M} UTC",
        ]

    def test_one_that_told_of_the_system_before_was_not_silent(self, wrong: Postmortem, mara: User, tell: Tell) -> None:
        tell("Answers are slow", system="support-assistant")
        alert = tell("Groundedness fell", system="support-assistant")
        by_hand.link([alert], wrong.incident, by=mara)
        Alert.objects.filter(title="Answers are slow").update(first_received_at=hours(0.7), incident=None)
        assert self.silent(wrong) == []

    def test_nor_one_that_told_of_it_before_it_began(self, wrong: Postmortem, mara: User, tell: Tell) -> None:
        alert = tell("Groundedness fell", system="support-assistant")
        by_hand.link([alert], wrong.incident, by=mara)
        Alert.objects.filter(pk=alert.pk).update(first_received_at=hours(3))
        assert self.silent(wrong) == []


class TestTimeline:
    def test_a_start_that_is_a_range_is_no_moment(self, postmortem: Postmortem, mara: User) -> None:
        postmortem.incident.set_clock("impact_started_at", hours(6), until=hours(4), by=mara)
        expected = f"between {hours(6):%Y-%m-%d %H:%M} UTC and {hours(4):%Y-%m-%d %H:%M} UTC"
        assert texts(postmortem, "timeline", "Impact started") == [expected]

    def test_what_was_planned_taken_back_or_dropped_does_not_read_as_done(self, incident: Incident, mara: User) -> None:
        plan = incident.plan_containment(action="kill_switch", by=mara)
        plan.drop(by=mara)
        incident.contain(by=mara, action="rollback_index")
        done = Containment.objects.get(action="rollback_index")
        done.verify(by=mara, worked=True)
        done.verify(by=mara, worked=False)
        done.remove(by=mara)
        incident.resolve(by=mara)
        postmortem = Postmortem.objects.begin(incident, by=mara)
        entries = [text.partition(": ")[2] for text in texts(postmortem, "timeline")[6:]]
        assert entries[:6] == [
            f"planned: {plan}",
            f"decided against: {plan}",
            str(done),
            f"found that it worked: {done}",
            f"found that it did not work: {done}",
            f"rolled back: {done}",
        ]

    def test_a_long_one_says_that_it_goes_on(self, postmortem: Postmortem, mara: User) -> None:
        for n in range(MOST_EVENTS):
            postmortem.incident.add_note(f"Note {n}", by=mara)
        assert texts(postmortem, "timeline", "Later") == ["more entries are in the incident’s timeline"]
        postmortem.incident.events.latest("pk")
        assert len(texts(postmortem, "timeline")) == 6 + MOST_EVENTS + 1

    def test_a_corrected_note_says_what_it_says_now(self, postmortem: Postmortem, mara: User) -> None:
        postmortem.incident.add_note("Three were wrong", by=mara)
        note = postmortem.incident.events.get(kind="note").note
        assert note
        note.rewrite("Five were wrong", by=mara)
        assert texts(postmortem, "timeline")[-1] == "Mara Okafor: Five were wrong"


class TestTrigger:
    @pytest.mark.parametrize(
        ("known", "words"),
        [("impact_started_at", "it began"), ("detected_at", "it was detected"), ("", "it was declared")],
    )
    def test_the_fourteen_days_are_those_before_what_is_known(
        self, postmortem: Postmortem, mara: User, known: str, words: str
    ) -> None:
        clocks(postmortem, mara, detected_at=None)
        if known:
            clocks(postmortem, mara, **{known: hours(1)})
        assert texts(postmortem, "trigger") == [f"none on record in the 14 days before {words}"]

    def test_none_is_not_said_where_one_is_on_record_upstream(
        self, postmortem: Postmortem, policy_index: System
    ) -> None:
        Change.objects.create(system=policy_index, kind="index", title="Rebuild", happened_at=hours(24))
        (text,) = texts(postmortem, "trigger")
        assert text.startswith("Rebuild (policy-index, ")

    def test_nothing_is_said_of_a_system_that_nobody_knows(self, postmortem: Postmortem, mara: User) -> None:
        postmortem.incident.set_system(None, by=mara)
        assert texts(postmortem, "trigger") == []


class TestFactors:
    def test_what_is_unclassified_is_no_kind(self, another: Callable[[str], Postmortem]) -> None:
        assert texts(another("Something"), "factors") == ["Unclassified"]


class TestResponse:
    def test_what_was_planned_or_not_checked_contained_nothing(self, incident: Incident, mara: User) -> None:
        incident.plan_containment(action="kill_switch", by=mara)
        incident.contain(by=mara, action="rollback_index")
        incident.resolve(by=mara)
        postmortem = Postmortem.objects.begin(incident, by=mara)
        facts = recorded_facts(postmortem)["response"]
        assert [fact.label for fact in facts if fact.source == "containment"] == ["Done, not checked"]

    def test_what_was_taken_back_says_so(self, incident: Incident, mara: User) -> None:
        incident.contain(by=mara, action="rollback_index")
        done = incident.containments.get()
        done.verify(by=mara, worked=True)
        done.remove(by=mara)
        incident.resolve(by=mara)
        (text,) = texts(Postmortem.objects.begin(incident, by=mara), "response", "Contained by")
        done.refresh_from_db()
        assert done.removed_at
        assert f"rolled back {done.removed_at:%Y-%m-%d %H:%M} UTC" in text

    def test_nothing_is_said_of_roles_hand_overs_and_updates_that_there_were_not(self, postmortem: Postmortem) -> None:
        assert [fact.source for fact in recorded_facts(postmortem)["response"]] == ["containment"]


class TestAgain:
    def test_what_was_unlinked_is_linked_no_more(self, postmortem: Postmortem, mara: User) -> None:
        other = Incident.objects.declare(title="Earlier", by=mara)
        Link.objects.link(postmortem.incident, other, "repeat_of", by=mara)
        assert texts(postmortem, "again", "Repeat of") == ["INC-2: Earlier"]
        Link.objects.get().delete()
        assert texts(postmortem, "again") == []


def test_a_clock_that_nobody_knows_is_unknown_in_a_further_postmortem_of_what_was_imported(
    jo: User, as_person: As
) -> None:
    raw = b"---\ntitle: Old prices\ndate: 2025-03-14\nstarted: 2025-03-13T08:00:00Z\n---\n## Summary\nOld.\n"
    lead = as_person(jo)
    preview = lead.post("/postmortems/import/", {"files": [SimpleUploadedFile("old.md", raw)]})["Location"]
    lead.post(f"{preview}take/")
    further = Postmortem.objects.begin(Incident.objects.get(), by=jo, another=True)
    assert texts(further, "timeline", "Declared") == ["unknown"]
    assert texts(further, "timeline", "Resolved") == ["unknown"]
    assert texts(further, "timeline", "Impact started") == ["2025-03-13 08:00 UTC"]
    assert texts(further, "impact", "Output was wrong for") == ["unknown: nobody has said when it ended"]
    assert datetime(2025, 3, 13, 8, tzinfo=UTC) == Incident.objects.get().impact_started_at
