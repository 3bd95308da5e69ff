"""What is filled in comes from the record, follows corrections, and can be reworded."""

from collections.abc import Callable
from datetime import timedelta

from django.test import Client
from django.utils import timezone

from incidents.people.models import User
from incidents.postmortems.document import Postmortem
from incidents.postmortems.facts import Fact, facts_of, recorded_facts
from incidents.postmortems.lines import EditedLine
from incidents.systems.models import Change, System
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
        now = timezone.now()
        postmortem.incident.set_clock("detected_at", now + timedelta(minutes=1), by=mara)
        postmortem.incident.set_clock("impact_started_at", now - timedelta(minutes=10), by=mara)
        green = [fact for fact in facts_of(postmortem)["silence"] if fact.label == "Green meanwhile"]
        assert [fact.text for fact in green] == ["Nightly evaluations reported 2 times, but not this"]

    def test_the_questions_are_those_of_the_category_and_the_failure_mode(self, postmortem: Postmortem) -> None:
        guide = postmortem.guide
        asked = guide.asked(guide.part("factors"), [postmortem.incident])
        assert any("stage was the right text lost" in question for question in asked)
        assert any("signals of" in question for question in asked)
        assert not any("Draw the loop" in question for question in asked)
