"""What is filled in comes from the record, follows corrections, and can be reworded."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from django.test import Client
from django.utils import timezone

from incidents.alerts import by_hand
from incidents.alerts.models import Alert
from incidents.people.models import User
from incidents.postmortems.document import Postmortem
from incidents.postmortems.facts import Fact, corrections, facts_of, recorded_facts
from incidents.postmortems.lines import EditedLine
from incidents.response.events import Event
from incidents.response.impact import assess
from incidents.response.incident import Incident
from incidents.response.links import Link
from incidents.response.story import curate
from incidents.response.vocabulary import CLOCKS
from incidents.systems.models import Change, System
from incidents.taxonomy import failure_mode
from tests.postmortems.conftest import publish

As = Callable[[User], Client]


class TestFacts:
    def test_they_carry_their_source_and_follow_corrections_until_it_is_published(
        self, postmortem: Postmortem, mara: User, jo: User, rui: User, support_assistant: System
    ) -> None:
        began = timezone.now() - timedelta(hours=3)
        Change.objects.create(
            system=support_assistant, kind="index", title="Rebuild", happened_at=began - timedelta(hours=1)
        )
        postmortem.incident.set_clock("impact_started_at", began, by=mara)
        facts = facts_of(postmortem)
        assert facts["silence"][0].text.startswith(("2 h 59", "3 h"))
        assert "Rebuild" in facts["trigger"][0].text
        assert facts["response"][0].text.startswith("Return to the previous index")
        assert all(fact.source and fact.url for part in facts.values() for fact in part)
        publish(postmortem, by=mara, reviewer=rui, lead=jo)
        facts = facts_of(postmortem)
        postmortem.incident.set_clock("impact_started_at", began - timedelta(days=1), by=mara)
        assert facts_of(postmortem)["silence"] == facts["silence"]

    def test_a_record_corrected_after_publication_is_said_on_the_page(
        self, postmortem: Postmortem, mara: User, jo: User, rui: User, as_person: As
    ) -> None:
        postmortem.incident.set_severity("sev2", by=mara)
        publish(postmortem, by=mara, reviewer=rui, lead=jo)
        assert corrections(postmortem) == []
        assert "corrected since" not in as_person(mara).get(postmortem.get_absolute_url()).text
        Incident.objects.get(pk=postmortem.incident_id).set_severity("sev1", by=mara)
        published = Postmortem.objects.get(pk=postmortem.pk)
        assert [(fact.label, fact.text, now) for fact, now in corrections(published)] == [("Severity", "SEV2", "SEV1")]
        page = as_person(mara).get(postmortem.get_absolute_url()).text
        assert "The record was corrected since this was published." in page

    def test_output_was_wrong_until_it_was_contained_else_resolved_as_in_reports(
        self, postmortem: Postmortem, mara: User
    ) -> None:
        def length() -> str:
            return next(fact.text for fact in recorded_facts(fresh())["impact"] if fact.label == "Output was wrong for")

        def fresh() -> Postmortem:
            return Postmortem.objects.get(pk=postmortem.pk)

        def clock(name: str, hours: int | None) -> None:
            at = None if hours is None else now - timedelta(hours=hours)
            fresh().incident.set_clock(name, at, by=mara)

        now = timezone.now()
        assert length() == "unknown: nobody has said when it started"
        clock("impact_started_at", 5)
        clock("contained_at", 2)
        clock("resolved_at", 1)
        assert length() == "3 h"
        clock("contained_at", None)
        assert length() == "4 h"
        clock("resolved_at", 6)
        assert length() == "unknown: the clocks are out of order"
        fresh().incident.reopen(by=mara, reason="It is back")
        assert length() == "unknown: it is neither contained nor resolved"

    def test_every_fact_equals_the_record_after_every_kind_of_correction(
        self, postmortem: Postmortem, mara: User, jo: User, policy_index: System
    ) -> None:
        """Each correction moves the lines that tell of it, and the page of the postmortem tells them all."""
        incident, now = postmortem.incident, timezone.now().replace(second=0, microsecond=0)
        incident.describe(title="Answers cite a policy that ended", summary="", by=mara)
        incident.set_severity("sev1", by=mara)
        incident.set_system(policy_index, by=mara)
        incident.assign_lead(jo, by=mara)
        incident.say_who_noticed("user", by=mara)
        incident.set_clock("impact_started_at", now - timedelta(hours=5), by=mara)
        incident.set_clock("detected_at", now - timedelta(hours=2), by=mara)
        incident.refresh_from_db()
        told = {(key, fact.label): fact.text for key, facts in recorded_facts(postmortem).items() for fact in facts}
        assert told["summary", "Incident"] == f"{incident}: Answers cite a policy that ended"
        assert told["summary", "Severity"] == incident.get_severity_display() == "SEV1"
        assert told["summary", "System"] == str(incident.system) == "policy-index"
        assert told["summary", "Lead"] == str(incident.lead) == "Jo Lindqvist"
        assert told["silence", "Silence"] == "3 h"
        assert told["silence", "Noticed first by"] == incident.get_noticed_by_display()
        assert told["timeline", "Impact started"] == f"{now - timedelta(hours=5):%Y-%m-%d %H:%M} UTC"
        assert told["timeline", "Detected"] == f"{now - timedelta(hours=2):%Y-%m-%d %H:%M} UTC"
        assert told["factors", "Kind of failure"].startswith("Retrieval: ")

    def test_a_line_that_somebody_edited_follows_no_longer_until_it_is_let_go(
        self, postmortem: Postmortem, mara: User
    ) -> None:
        def severity() -> Fact:
            return next(fact for fact in facts_of(postmortem)["summary"] if fact.label == "Severity")

        EditedLine.put(postmortem, severity().key, text="SEV2, felt as SEV1", was=severity().text, by=mara)
        postmortem.incident.set_severity("sev3", by=mara)
        assert (severity().text, severity().record, severity().by) == ("SEV2, felt as SEV1", "SEV3", "Mara Okafor")
        EditedLine.follow_again(postmortem, severity().key)
        assert (severity().text, severity().is_edited) == ("SEV3", False)

    def test_what_was_green_meanwhile_is_told(
        self, postmortem: Postmortem, mara: User, tell: Callable[..., object], support_assistant: System
    ) -> None:
        tell("Recall was low once", system="support-assistant", status="resolved")
        tell("Something else of another system", system="elsewhere")
        (fact,) = self.green(postmortem, by=mara)
        assert fact.text.startswith("Nightly evaluations found support-assistant good once, last at ")

    def green(self, postmortem: Postmortem, *, by: User) -> list[Fact]:
        """What was green between ten minutes ago and in a minute."""
        now = timezone.now()
        postmortem.incident.set_clock("detected_at", now + timedelta(minutes=1), by=by)
        postmortem.incident.set_clock("impact_started_at", now - timedelta(minutes=10), by=by)
        return [fact for fact in facts_of(postmortem)["silence"] if fact.label == "Green meanwhile"]

    def test_a_monitor_that_fired_about_this_system_was_not_green(
        self, postmortem: Postmortem, mara: User, tell: Callable[..., object], support_assistant: System
    ) -> None:
        tell("Recall was low once", system="support-assistant", status="resolved")
        tell("Answers are slow", system="support-assistant")
        assert self.green(postmortem, by=mara) == []

    def test_nor_one_that_measured_only_other_systems(
        self, postmortem: Postmortem, mara: User, tell: Callable[..., object], support_assistant: System
    ) -> None:
        tell("Feed is narrow", system="home-feed", status="resolved")
        assert self.green(postmortem, by=mara) == []

    def test_the_monitor_that_detected_it_is_named_as_such_and_never_green(
        self, postmortem: Postmortem, mara: User, tell: Callable[..., Alert], support_assistant: System
    ) -> None:
        tell("Recall was low once", system="support-assistant", status="resolved")
        alert = tell("Groundedness fell", system="support-assistant")
        by_hand.link([alert], postmortem.incident, by=mara)
        assert self.green(postmortem, by=mara) == []
        (silent,) = [fact for fact in facts_of(postmortem)["silence"] if fact.label == "Silent until then"]
        assert silent.text.startswith("Nightly evaluations told of it first at ")

    def test_the_questions_are_those_of_the_category_and_the_failure_mode(self, postmortem: Postmortem) -> None:
        guide = postmortem.guide
        asked = guide.asked(guide.part("factors"), [postmortem.incident])
        assert any("stage was the right text lost" in question for question in asked)
        assert any("signals of" in question for question in asked)
        assert not any("Draw the loop" in question for question in asked)


def lines(postmortem: Postmortem, section: str) -> list[tuple[str, str, str, str]]:
    facts = recorded_facts(Postmortem.objects.get(pk=postmortem.pk))[section]
    return [(fact.label, fact.text, fact.source, fact.url) for fact in facts]


class TestEveryLine:
    """Each says what the record says, where it says it, and leads there."""

    def test_of_the_summary(self, postmortem: Postmortem, mara: User) -> None:
        incident = postmortem.incident
        assert lines(postmortem, "summary") == [
            ("Incident", "INC-1: Answers cite the retired pricing policy", "incident", "/incidents/1/"),
            ("System", "support-assistant", "incident", "/incidents/1/"),
            ("Severity", "SEV2", "incident", "/incidents/1/"),
            ("Lead", "Mara Okafor", "incident", "/incidents/1/"),
        ]
        incident.set_system(None, by=mara)
        incident.assign_lead(None, by=mara)
        assert [text for _, text, _, _ in lines(postmortem, "summary")[1:]] == ["not known", "SEV2", "nobody"]

    def test_of_the_impact(self, postmortem: Postmortem, mara: User) -> None:
        length = ("Output was wrong for", "unknown: nobody has said when it started", "clocks", "/incidents/1/")
        assert lines(postmortem, "impact") == [
            length,
            ("Hit", "unknown: nobody has said how many", "impact", "/incidents/1/impact/more/"),
        ]
        exposures, here = postmortem.incident.exposures, "/incidents/1/#impact"
        exposures.create(of="actions", estimate=1200, low=1000, high=1500, how="Query log", corrected=1100)
        exposures.create(of="decisions", estimate=20, low=0, how="Sample", corrected=0)
        exposures.create(of="outputs", estimate=30, high=40, how="Sample")
        exposures.create(of="users", estimate=5000, how="Guess")
        exposures.create(
            of="money", currency="EUR", estimate=120050, high=200000, how="Ledger", evidence="Q3", corrected=50
        )
        assess(postmortem.incident, by=mara, harm="near_miss", slices="German invoices")
        assert lines(postmortem, "impact") == [
            length,
            ("Actions hit", "about 1,200 (1,000 to 1,500); Query log; 1,100 put right", "impact", here),
            ("Decisions hit", "about 20 (0 to ?); Sample; 0 put right", "impact", here),
            ("Money, EUR lost", "about 1,200.50 EUR (? to 2,000); Ledger (Q3); 0.50 EUR put right", "impact", here),
            ("Outputs hit", "about 30 (? to 40); Sample; put right: unknown", "impact", here),
            ("Users hit", "about 5,000; Guess; put right: unknown", "impact", here),
            ("Harm", "Near miss", "impact", here),
            ("Slices affected", "German invoices", "impact", here),
        ]

    def test_of_the_silence(self, postmortem: Postmortem, mara: User) -> None:
        incident = postmortem.incident
        assert lines(postmortem, "silence") == [
            ("Silence", "unknown", "clocks", "/incidents/1/"),
            ("Noticed first by", "Not known yet", "incident", "/incidents/1/"),
            ("First alert", "none on record", "alerts", "/incidents/1/"),
        ]
        detected = incident.detected_at
        assert detected
        start, until = detected - timedelta(hours=5), detected - timedelta(hours=3)
        incident.set_clock("impact_started_at", start, until=until, by=mara, method="change")
        assert lines(postmortem, "silence")[:2] == [
            ("Silence", "3 h to 5 h", "clocks", "/incidents/1/"),
            ("The start is known by", "a change", "clocks", "/incidents/1/"),
        ]

    def test_of_the_alerts_the_first_six_and_how_many_more(
        self, postmortem: Postmortem, mara: User, tell: Callable[..., Alert]
    ) -> None:
        def alert_lines() -> list[tuple[str, str, str, str]]:
            return [line for line in lines(postmortem, "silence") if "lert" in line[0]]

        def line_of(alert: Alert, label: str = "Alert") -> tuple[str, str, str, str]:
            return (
                label,
                f"{alert.title} ({alert.first_received_at:%Y-%m-%d %H:%M} UTC)",
                "alert",
                f"/alerts/{alert.pk}/",
            )

        alerts: list[Alert] = []
        for n in range(1, 9):
            alert = tell(f"Alert {n}", severity="info")
            by_hand.link([alert], postmortem.incident, by=mara)
            alerts.append(alert)
            if n == 1:
                assert alert_lines() == [line_of(alert, "First alert")]
            if n == 2:
                assert alert_lines() == [line_of(alerts[0], "First alert"), line_of(alert)]
            if n == 6:
                assert alert_lines()[-1] == line_of(alert)
        assert alert_lines() == [
            line_of(alerts[0], "First alert"),
            *map(line_of, alerts[1:6]),
            ("More alerts", "2 more", "alerts", "/alerts/?show=all&q=INC-1"),
        ]

    def test_of_the_class_and_of_what_it_is_linked_with(
        self, postmortem: Postmortem, mara: User, incident: Incident
    ) -> None:
        assert lines(postmortem, "factors") == [
            (
                "Kind of failure",
                "Retrieval: " + failure_mode("retrieval.stale_index").name + " (Classified by Mara Okafor.)",
                "classification",
                "/incidents/1/",
            )
        ]
        earlier, hidden = (Incident.objects.declare(title=title, by=mara) for title in ("Earlier", "Hidden"))
        Link.objects.link(incident, earlier, "repeat_of", by=mara)
        Link.objects.link(hidden, incident, "caused_by", by=mara)
        assert lines(postmortem, "again") == [
            ("Repeat of", "INC-2: Earlier", "link", "/incidents/2/"),
            ("Caused", "INC-3: Hidden", "link", "/incidents/3/"),
        ]
        hidden.restrict([], by=mara)
        assert [text for _, text, _, _ in lines(postmortem, "again")] == ["INC-2: Earlier"]

    def test_of_the_response(self, postmortem: Postmortem, mara: User, jo: User) -> None:
        done = postmortem.incident.containments.get()
        name, at = str(done), f"{done.done_at:%Y-%m-%d %H:%M} UTC"
        here = f"/incidents/1/#containment-{done.pk}"
        assert lines(postmortem, "response")[0] == ("Done, not checked", f"{name} ({at})", "containment", here)
        for worked, label in ((True, "Contained by"), (False, "Did not help")):
            done.verify(by=mara, worked=worked, result="Samples are checked")
            expected = (label, f"{name} ({at}): Samples are checked", "containment", here)
            assert lines(postmortem, "response")[0] == expected

    def test_of_several_incidents_each_line_names_its_own(self, postmortem: Postmortem, mara: User) -> None:
        other = Incident.objects.declare(title="The same once more", by=mara)
        postmortem.cover(other, by=mara)
        labels = [label for label, _, _, _ in lines(postmortem, "impact")]
        assert labels == ["INC-1 output was wrong for", "INC-1 hit", "INC-2 output was wrong for", "INC-2 hit"]

    def test_a_line_is_known_by_its_row_or_by_its_label_and_place(self, postmortem: Postmortem) -> None:
        keys = {section: [fact.key for fact in facts] for section, facts in recorded_facts(postmortem).items()}
        assert keys["summary"] == [
            "1.summary.incident-1",
            "1.summary.system-1",
            "1.summary.severity-1",
            "1.summary.lead-1",
        ]
        assert keys["response"] == [f"1.response.{postmortem.incident.containments.get().pk}"]

    def test_of_the_timeline_as_people_tell_it(self, postmortem: Postmortem, mara: User, jo: User) -> None:
        incident, noon = postmortem.incident, datetime(2026, 11, 20, 12, tzinfo=UTC)
        contained = incident.events.get(kind="containment")
        incident.add_note("The alias moved", by=jo)
        written = incident.events.get(kind="note")
        opened = incident.record(Event.Kind.ALERT_LINKED, by=None)
        curate(written, by=mara, at=noon, marker="diagnosis")
        curate(opened, by=mara, at=noon + timedelta(minutes=1), pinned=True)
        entries = lines(postmortem, "timeline")[6:]
        assert entries == [
            (
                "2026-11-20 12:00 UTC",
                "[Diagnosis] Jo Lindqvist: The alias moved",
                "timeline",
                f"/incidents/1/events/{written.pk}/",
            ),
            ("2026-11-20 12:01 UTC", "Faultline: linked an alert", "timeline", f"/incidents/1/events/{opened.pk}/"),
            (
                f"{contained.at:%Y-%m-%d %H:%M} UTC",
                f"Mara Okafor: {incident.containments.get()}",
                "timeline",
                f"/incidents/1/events/{contained.pk}/",
            ),
        ]
        curate(written, by=mara, text="An alias was moved by the nightly job")
        curate(contained, by=mara, hidden=True)
        assert [text for _, text, _, _ in lines(postmortem, "timeline")[6:]] == [
            "[Diagnosis] Jo Lindqvist: An alias was moved by the nightly job",
            "Faultline: linked an alert",
        ]

    def test_of_the_clocks(self, postmortem: Postmortem) -> None:
        incident = postmortem.incident
        clocks = [(label, text) for label, text, _, _ in lines(postmortem, "timeline")[:6]]
        assert clocks[0] == ("Impact started", "unknown")
        assert clocks[1:] == [
            (label, f"{getattr(incident, clock):%Y-%m-%d %H:%M} UTC") for clock, label in list(CLOCKS.items())[1:]
        ]

    def test_of_the_changes_before_it(self, postmortem: Postmortem, mara: User, support_assistant: System) -> None:
        system = support_assistant.get_absolute_url()
        assert lines(postmortem, "trigger") == [
            ("Changes", "none on record in the 14 days before it was detected", "changes", system)
        ]
        at = postmortem.incident.declared_at - timedelta(hours=2)
        change = Change.objects.create(system=support_assistant, kind="prompt", title="Prompt v9", happened_at=at)
        expected = ("Prompt", f"Prompt v9 (support-assistant, {at:%Y-%m-%d %H:%M} UTC)", "change")
        assert lines(postmortem, "trigger") == [(*expected, system)]
        assert recorded_facts(postmortem)["trigger"][0].key == f"1.trigger.{change.pk}"
        Change.objects.filter(pk=change.pk).update(url="https://prompts.example/9")
        assert lines(postmortem, "trigger") == [(*expected, "https://prompts.example/9")]
        postmortem.incident.set_system(None, by=mara)
        assert "trigger" not in recorded_facts(Postmortem.objects.get(pk=postmortem.pk))
