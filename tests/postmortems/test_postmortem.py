"""Postmortems: they start themselves, know the facts, lose no text, and reach their readers by way of a review."""

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core import mail
from django.db import connection
from django.test import Client
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from incidents.errors import Refused, WrongStatus
from incidents.followups.models import FollowUp
from incidents.people.models import User
from incidents.postmortems import due, export, readiness, reading, reviews
from incidents.postmortems.document import Postmortem
from incidents.postmortems.factors import Factor, FactorKind
from incidents.postmortems.facts import Fact, facts_of, recorded_facts
from incidents.postmortems.guide import BUILT_IN, Guide, GuidePart, Policy
from incidents.postmortems.lines import EditedLine
from incidents.postmortems.meeting import ParkedFix
from incidents.postmortems.public import library, related
from incidents.postmortems.reading import ExternalVersion, Reading, ShareLink
from incidents.postmortems.reviews import Amendment, Comment, Review
from incidents.postmortems.sections import Clash, Draft, Revision, Section
from incidents.response.incident import Incident
from incidents.response.notices import Notice
from incidents.systems.models import Change, System
from tests.postmortems.conftest import ALL, fill, publish

As = Callable[[User], Client]


class TestStarting:
    def test_a_resolved_incident_gets_one_by_itself_owned_by_its_lead(self, incident: Incident, mara: User) -> None:
        incident.resolve(by=mara)
        assert due.start_missing() == 0, "a slip of the finger can still be undone"
        with time_machine.travel(timezone.now() + timedelta(minutes=1)):
            assert (due.start_missing(), due.start_missing()) == (1, 0)
        started = Postmortem.objects.get()
        assert (started.owner, started.state, started.slug) == (mara, "draft", str(incident.number))

    def test_an_open_incident_has_none_yet(self, incident: Incident, mara: User) -> None:
        with pytest.raises(WrongStatus):
            Postmortem.objects.begin(incident, by=mara)

    def test_severity_decides_by_policy_how_much_is_asked_and_until_when(self, incident: Incident, mara: User) -> None:
        with time_machine.travel(datetime(2026, 11, 20, 12, tzinfo=UTC)):  # a Friday
            incident.resolve(by=mara)
            started = Postmortem.objects.begin(incident)
        assert (str(started.due_on), started.depth) == ("2026-11-27", "standard")
        asked = [part.key for part in started.parts()]
        assert "lucky" in asked
        assert "accounts" not in asked, "only a deep one asks for accounts"
        started.set_depth("brief", by=mara)
        assert [part.key for part in started.parts()] == ["summary", "impact", "silence", "trigger", "factors"]
        started.set_depth("deep", by=mara)
        assert "accounts" in [part.key for part in started.parts()]

    def test_an_incident_may_have_several_and_one_may_cover_several(
        self, postmortem: Postmortem, another: Callable[[str], Postmortem], mara: User, rui: User
    ) -> None:
        second = Postmortem.objects.begin(postmortem.incident, by=mara, another=True)
        assert second.slug == f"{postmortem.incident.number}-2"
        other = another("Recall fell in the home feed")
        postmortem.cover(other.incident, by=mara)
        other.refresh_from_db()
        assert other.state == "not_required", "what held no word yet gives way"
        assert {fact.label for fact in facts_of(postmortem)["summary"]} >= {"INC-1 severity", "INC-2 severity"}
        other.incident.restrict([mara], by=mara)
        assert not Postmortem.objects.visible_to(rui).filter(pk=postmortem.pk).exists(), (
            "as private as its most private"
        )
        postmortem.uncover(other.incident, by=mara)
        assert Postmortem.objects.visible_to(rui).filter(pk=postmortem.pk).exists()

    def test_what_is_covered_by_another_starts_none_of_its_own(
        self, postmortem: Postmortem, mara: User, another: Callable[[str], Postmortem]
    ) -> None:
        other = another("Recall fell").incident
        Postmortem.objects.filter(incident=other).delete()
        postmortem.cover(other, by=mara)
        with time_machine.travel(timezone.now() + timedelta(minutes=1)):
            assert due.start_missing() == 0


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
        assert [fact.text for fact in green] == ["Nightly evaluations reported 2 times and nothing of this"]

    def test_the_questions_are_those_of_the_category_and_the_failure_mode(self, postmortem: Postmortem) -> None:
        guide = postmortem.guide
        asked = guide.asked(guide.part("factors"), [postmortem.incident])
        assert any("stage was the right text lost" in question for question in asked)
        assert any("signals of" in question for question in asked)
        assert not any("Draw the loop" in question for question in asked)


class TestWriting:
    def test_what_two_write_in_different_lines_is_put_together(
        self, postmortem: Postmortem, mara: User, jo: User
    ) -> None:
        section = postmortem.sections.get(key="summary")
        section.write("One.\n\nTwo.", by=mara, base="")
        assert section.write("One, by Mara.\n\nTwo.", by=mara, base="One.\n\nTwo.") is False
        assert section.write("One.\n\nTwo, by Jo.", by=jo, base="One.\n\nTwo.") is True
        assert section.text == "One, by Mara.\n\nTwo, by Jo."
        assert section.edited_by == jo

    def test_the_same_line_is_kept_in_both_versions_until_somebody_settles_it(
        self, postmortem: Postmortem, mara: User, jo: User
    ) -> None:
        hers, his = (postmortem.sections.get(key="summary") for _ in range(2))
        hers.write("From Mara", by=mara, base="")
        with pytest.raises(Clash) as clash:
            his.write("From Jo", by=jo, base="")
        assert clash.value.merge.text == "From Mara\nFrom Jo"
        assert Draft.objects.get(person=jo).text == "From Jo"
        his.write("From Mara and Jo", by=jo, base="From Mara")
        assert not Draft.objects.exists()

    def test_two_who_save_at_the_same_instant_both_stay(self, transactional_db: None, mara: User, jo: User) -> None:
        incident = Incident.objects.declare(title="Recall fell", by=mara)
        incident.resolve(by=mara)
        section = Postmortem.objects.begin(incident).sections.get(key="summary")
        section.write("one\ntwo\nthree", by=mara, base="")
        gate_, base = threading.Barrier(2), "one\ntwo\nthree"

        def save(text: str, who: User) -> None:
            gate_.wait()
            Section.objects.get(pk=section.pk).write(text, by=who, base=base)
            connection.close()

        threads = [
            threading.Thread(target=save, args=("ONE\ntwo\nthree", mara)),
            threading.Thread(target=save, args=("one\ntwo\nTHREE", jo)),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        section.refresh_from_db()
        assert section.text == "ONE\ntwo\nTHREE"

    def test_typing_on_is_one_revision_and_taking_out_begins_another(self, postmortem: Postmortem, mara: User) -> None:
        section = postmortem.sections.get(key="summary")
        for text, base in (("The", ""), ("The index", "The"), ("The index was stale", "The index")):
            section.write(text, by=mara, base=base)
        section.write("Gone", by=mara, base="The index was stale")
        assert list(section.revisions.values_list("text", flat=True)) == ["The index was stale", "Gone"]

    def test_what_is_typed_while_it_is_published_is_kept_as_a_draft(
        self, published: Postmortem, mara: User, as_person: As
    ) -> None:
        path = f"{published.get_absolute_url()}sections/summary/"
        answer = as_person(mara).post(path, {"text": "Too late", "base": "Known."})
        assert answer.status_code == 409
        assert "Too late" in Draft.objects.get(person=mara).text

    def test_the_page_as_it_is_typed_is_answered_with_both(
        self, postmortem: Postmortem, mara: User, jo: User, as_person: As
    ) -> None:
        path, json_ = f"{postmortem.get_absolute_url()}sections/summary/", {"Accept": "application/json"}
        saved = as_person(mara).post(path, {"text": "From Mara should have", "base": ""}, headers=json_).json()
        assert (saved["text"], saved["merged"], saved["version"]) == ("From Mara should have", False, 1)
        assert "the better way the easy way" in saved["findings"]
        clash = as_person(jo).post(path, {"text": "From <b>Jo</b>", "base": ""}, headers=json_)
        assert clash.status_code == 409
        assert "&lt;b&gt;" in clash.json()["clash"]
        assert "From <b>Jo</b>" not in clash.json()["clash"]

    def test_the_form_alone_shows_both_texts_and_lets_them_be_put_together(
        self, postmortem: Postmortem, mara: User, jo: User, as_person: As
    ) -> None:
        path = f"{postmortem.get_absolute_url()}sections/summary/"
        as_person(mara).post(path, {"text": "From Mara", "base": ""})
        clash = as_person(jo).post(path, {"text": "From Jo", "base": ""})
        assert clash.status_code == 409
        assert "From Mara\nFrom Jo" in clash.content.decode()
        assert "Two versions" in as_person(jo).get(postmortem.get_absolute_url()).content.decode(), (
            "also after a reload"
        )
        assert as_person(jo).post(path, {"text": "Both", "base": "From Mara"}).status_code == 302

    def test_a_text_that_is_too_long_is_kept_in_the_page(
        self, postmortem: Postmortem, mara: User, as_person: As
    ) -> None:
        path = f"{postmortem.get_absolute_url()}sections/summary/"
        answer = as_person(mara).post(path, {"text": "ä" * 100_001, "base": ""})
        assert answer.status_code == 422
        assert "ä" * 100_001 in answer.content.decode()

    def test_the_page_hears_what_others_did(self, postmortem: Postmortem, mara: User, jo: User, as_person: As) -> None:
        postmortem.sections.get(key="summary").write("From Mara", by=mara, base="")
        as_person(mara).get(f"{postmortem.get_absolute_url()}live/?at=summary&have=summary:1")
        told = as_person(jo).get(f"{postmortem.get_absolute_url()}live/?at=impact&have=summary:0,impact:0").json()
        assert [(section["key"], section["text"]) for section in told["sections"]] == [("summary", "From Mara")]
        assert told["people"] == [{"name": "Mara Okafor", "key": "summary"}]

    def test_whoever_is_named_is_told_once(self, postmortem: Postmortem, mara: User, jo: User, as_person: As) -> None:
        path = f"{postmortem.get_absolute_url()}sections/summary/"
        as_person(mara).post(path, {"text": "Ask @jo.", "base": ""})
        as_person(mara).post(path, {"text": "Ask @jo. And `@mara`.", "base": "Ask @jo."})
        assert [(notice.person, "named you" in notice.subject) for notice in Notice.objects.all()] == [(jo, True)]

    def test_the_names_of_incidents_are_told_to_who_may_see_them(
        self, postmortem: Postmortem, mara: User, jo: User, as_person: As, another: Callable[[str], Postmortem]
    ) -> None:
        secret = another("Salaries in answers").incident
        secret.restrict([mara], by=mara)
        path = postmortem.get_absolute_url()
        as_person(mara).post(f"{path}sections/summary/", {"text": f"Like {secret}.", "base": ""})
        for person, seen in ((mara, True), (jo, False)):
            shown = as_person(person).post(f"{path}preview/", {"text": f"Like {secret}."}).content.decode()
            assert (secret.title in shown) is seen

    def test_a_pasted_picture_is_kept_with_the_incident(
        self, postmortem: Postmortem, mara: User, as_person: As
    ) -> None:
        from io import BytesIO

        from django.core.files.uploadedfile import SimpleUploadedFile
        from PIL import Image

        drawn = BytesIO()
        Image.new("RGB", (4, 4)).save(drawn, "PNG")
        client, path = as_person(mara), f"{postmortem.get_absolute_url()}files/"
        told = client.post(path, {"file": SimpleUploadedFile("drift.png", drawn.getvalue())}).json()["markdown"]
        assert told.startswith("![drift.png](/incidents/")
        shown = client.post(f"{postmortem.get_absolute_url()}preview/", {"text": told}).content.decode()
        assert "<img" in shown
        refused = client.post(path, {"file": SimpleUploadedFile("x.png", b"<script>")})
        assert (refused.status_code, "no picture" in refused.json()["error"]) == (422, True)

    def test_a_stranger_reads_and_comments_and_does_not_write(
        self, postmortem: Postmortem, rui: User, as_person: As
    ) -> None:
        path = postmortem.get_absolute_url()
        assert as_person(rui).post(f"{path}sections/summary/", {"text": "x", "base": ""}).status_code == 403
        as_person(rui).post(f"{path}sections/summary/comment/", {"text": "How do we know?"})
        assert Comment.objects.get().by == rui


class NothingTypedIsLost(TestCase):
    """Whatever three people save in whatever order, each of their lines is in the text, a revision or a draft."""

    @settings(max_examples=120, deadline=None)
    @given(
        st.lists(
            st.tuples(
                st.sampled_from([0, 1, 2]), st.integers(0, 6), st.sampled_from(["change", "add", "drop"]), st.booleans()
            ),
            max_size=12,
        )
    )
    def test_over_any_order_of_saves(self, steps: list[tuple[int, int, str, bool]]) -> None:
        people = [User.objects.create_user(f"p{n}@example.com", name=f"P {n}") for n in range(3)]
        incident = Incident.objects.declare(title="Recall fell", by=people[0])
        incident.resolve(by=people[0])
        section = Postmortem.objects.begin(incident).sections.get(key="summary")
        section.write("l0\nl1\nl2\nl3\nl4\nl5", by=people[0], base="")
        seen = [section.text] * 3
        typed: set[str] = set()
        for number, (who, line, how, reads) in enumerate(steps):
            lines, base = seen[who].split("\n"), seen[who]
            at = min(line, len(lines) - 1)
            word = f"w{number}"
            if how == "change":
                lines[at] = word
            elif how == "add":
                lines.insert(at, word)
            elif len(lines) > 1:
                lines.pop(at)
            if how != "drop":
                typed.add(word)
            try:
                section.write("\n".join(lines), by=people[who], base=base)
            except Clash as clash:  # settled as the page offers it: both, one after the other
                section.write(clash.merge.text, by=people[who], base=clash.section.text)
            section.refresh_from_db()
            seen[who] = section.text
            if reads:
                seen = [section.text] * 3
        kept = "\n".join(
            [
                section.text,
                *Revision.objects.values_list("text", flat=True),
                *Draft.objects.values_list("text", flat=True),
            ]
        )
        assert not {word for word in typed if word not in kept.split("\n")}


class TestJudging:
    def test_it_names_what_is_missing_by_its_depth(self, postmortem: Postmortem, mara: User) -> None:
        told = " ".join(map(str, readiness.missing(postmortem)))
        for words in ("“Summary” is empty", "who noticed first", "neither a number nor", "when the output went wrong",
                      "The trigger is not decided", "2 more contributing factors"):  # fmt: skip
            assert words in told
        with pytest.raises(Refused, match="Summary"):
            postmortem.send_to_review(by=mara, missing=[str(one) for one in readiness.missing(postmortem)])
        postmortem.set_depth("brief", by=mara)
        assert "1 more contributing factor." in map(str, readiness.missing(postmortem))
        postmortem.set_depth("standard", by=mara)
        fill(postmortem, mara)

    def test_urgent_follow_ups_need_owner_date_and_check(self, postmortem: Postmortem, mara: User) -> None:
        fill(postmortem, mara)
        row = FollowUp.objects.add(postmortem.incident, title="Alert on index age", by=mara, priority=0)
        assert "an owner and a due date and a way to know that it worked" in str(readiness.missing(postmortem)[0])
        row.drop(by=mara, reason="Another covers it.")
        assert readiness.missing(postmortem) == []

    def test_a_factor_is_named_once_and_needs_evidence(self, postmortem: Postmortem, mara: User) -> None:
        fill(postmortem, mara)
        kind = FactorKind.objects.all()[0]
        with pytest.raises(Refused, match="already"):
            Factor.objects.add(postmortem, kind, text="Again", evidence="", by=mara)
        postmortem.factors.get(kind=kind).rewrite(text="It hid it.", evidence="")
        assert "names no evidence" in str(readiness.missing(postmortem)[0])

    def test_the_trigger_is_one_change_or_said_to_be_none(
        self, postmortem: Postmortem, mara: User, as_person: As, support_assistant: System
    ) -> None:
        change = Change.objects.create(
            system=support_assistant, kind="index", title="Rebuild", happened_at=timezone.now() - timedelta(hours=1)
        )
        client, path = as_person(mara), f"{postmortem.get_absolute_url()}trigger/"
        client.post(path, {"choice": f"change-{change.pk}", "text": "the nightly one"})
        postmortem.refresh_from_db()
        assert (postmortem.triggered_by, postmortem.trigger) == ("change", change)
        assert export.trigger_of(postmortem).endswith("the nightly one")
        client.post(path, {"choice": "none"})
        postmortem.refresh_from_db()
        assert (postmortem.triggered_by, postmortem.trigger) == ("none", None)
        client.post(path, {"choice": "change-999999"})
        client.post(path, {"choice": "other", "text": " "})
        postmortem.refresh_from_db()
        assert postmortem.triggered_by == "none"


class TestReview:
    def test_somebody_who_was_no_responder_approves_it_and_a_lead_publishes(
        self, postmortem: Postmortem, mara: User, jo: User, rui: User, lee: User, as_person: As
    ) -> None:
        postmortem.incident.add_note("I looked at the index.", by=jo)  # before it was resolved in truth; see below
        fill(postmortem, mara)
        client = as_person(mara)
        path = postmortem.get_absolute_url()
        client.post(f"{path}review/")
        client.post(f"{path}ask/", {"person": rui.pk})
        assert Notice.objects.filter(person=rui, subject__contains="review").exists()
        assert as_person(mara).post(f"{path}decide/", {"verdict": "approved", "checks": ALL}).status_code == 302
        postmortem.refresh_from_db()
        assert postmortem.state == "in_review", "whoever owns it cannot approve it"
        as_person(rui).post(f"{path}decide/", {"verdict": "approved", "checks": ALL[:-1]})
        assert not Review.objects.filter(verdict="approved").exists(), "the checklist is ticked whole"
        as_person(rui).post(f"{path}decide/", {"verdict": "approved", "checks": ALL})
        postmortem.refresh_from_db()
        assert postmortem.state == "approved"
        as_person(mara).post(f"{path}publish/")
        postmortem.refresh_from_db()
        assert postmortem.state == "approved", "a responder does not publish"
        as_person(jo).post(f"{path}publish/")
        postmortem.refresh_from_db()
        assert (postmortem.state, postmortem.published_by) == ("published", jo)

    def test_the_yes_of_a_responder_is_not_enough(self, incident: Incident, mara: User, jo: User, rui: User) -> None:
        incident.add_note("The index is old.", by=jo)
        incident.resolve(by=mara)
        postmortem = Postmortem.objects.begin(incident, by=mara)
        fill(postmortem, mara)
        postmortem.send_to_review(by=mara, missing=[])
        reviews.decide(postmortem, by=jo, verdict="approved", checks=ALL)
        assert postmortem.state == "in_review"
        assert reviews.lacking(postmortem) == ["The approval of somebody who was not a responder."]
        reviews.decide(postmortem, by=rui, verdict="approved", checks=ALL)
        assert postmortem.state == "approved"

    def test_asked_changes_hold_it_up_and_the_policy_says_how_many_agree(
        self, postmortem: Postmortem, mara: User, jo: User, rui: User
    ) -> None:
        Policy.objects.filter(severity="sev2").update(reviewers=2)
        fill(postmortem, mara)
        postmortem.send_to_review(by=mara, missing=[])
        with pytest.raises(Refused, match="what should change"):
            reviews.decide(postmortem, by=rui, verdict="changes", checks=[])
        reviews.decide(postmortem, by=rui, verdict="changes", checks=[], note="Who was affected?")
        reviews.decide(postmortem, by=jo, verdict="approved", checks=ALL)
        assert reviews.lacking(postmortem)[-1] == "Rui Costa asks for changes."
        reviews.decide(postmortem, by=rui, verdict="approved", checks=ALL)
        assert postmortem.state == "approved"

    def test_what_is_sent_back_is_approved_anew(self, published: Postmortem, jo: User, mara: User, rui: User) -> None:
        published.reopen(by=jo, reason="The number was wrong.")
        assert published.state == "draft"
        assert not published.reviews.exclude(verdict="").exists()
        published.send_to_review(by=mara, missing=[])
        reviews.decide(published, by=rui, verdict="approved", checks=ALL)
        published.send_back(by=jo, reason="One more thing.")
        assert published.state == "draft"

    def test_open_comments_hold_up_publication(self, postmortem: Postmortem, mara: User, jo: User, rui: User) -> None:
        section = postmortem.sections.get(key="summary")
        remark = Comment.objects.write(section, "How do we know?", by=rui)
        Comment.objects.write(section, "From the logs.", by=mara, parent=remark)
        fill(postmortem, mara)
        postmortem.send_to_review(by=mara, missing=[])
        reviews.decide(postmortem, by=rui, verdict="approved", checks=ALL)
        with pytest.raises(Refused, match="1 comment is still open"):
            postmortem.publish(by=jo, facts={})
        remark.resolve(by=mara)
        postmortem.publish(by=jo, facts={})

    def test_a_suggestion_is_taken_where_its_words_still_stand(
        self, postmortem: Postmortem, mara: User, rui: User, as_person: As
    ) -> None:
        section = postmortem.sections.get(key="summary")
        section.write("It took three hours.", by=mara, base="")
        path = f"{postmortem.get_absolute_url()}sections/summary/comment/"
        as_person(rui).post(path, {"quote": "three", "suggest": "1", "instead": "five"})
        remark = Comment.objects.get()
        as_person(mara).post(f"{postmortem.get_absolute_url()}comments/{remark.pk}/", {"accept": "1"})
        section.refresh_from_db()
        assert section.text == "It took five hours."
        late = Comment.objects.write(section, "", by=rui, quote="five", instead="six")
        section.write("It took long.", by=mara, base=section.text)
        with pytest.raises(Refused, match="changed meanwhile"):
            late.accept(by=mara)

    def test_not_required_is_legal_with_a_reason(self, postmortem: Postmortem, jo: User) -> None:
        with pytest.raises(Refused):
            postmortem.excuse(by=jo, reason=" ")
        postmortem.excuse(by=jo, reason="The same cause as INC-1.")
        assert postmortem.state == "not_required"


class TestAfterwards:
    def test_it_is_locked_and_amended_where_everybody_sees_it(
        self, published: Postmortem, mara: User, as_person: As
    ) -> None:
        with pytest.raises(WrongStatus):
            published.sections.get(key="summary").write("Later", by=mara, base="Known.")
        Amendment.write(published, "It was 1,400 answers.", key="impact", by=mara)
        page = as_person(mara).get(published.get_absolute_url()).content.decode()
        assert "It was 1,400 answers." in page
        assert "Amended by Mara Okafor" in page
        assert "It was 1,400 answers." in export.as_markdown(published)

    def test_readers_are_counted_once(self, published: Postmortem, mara: User, lee: User, as_person: As) -> None:
        for person in (mara, lee, lee):
            as_person(person).get(published.get_absolute_url())
        assert Reading.summary(published) == "read by 2 people, 2 teams"

    def test_the_history_shows_who_changed_what_and_lets_it_read_so_again(
        self, postmortem: Postmortem, mara: User, jo: User, as_person: As
    ) -> None:
        section = postmortem.sections.get(key="summary")
        section.write("It took three hours.", by=mara, base="")
        section.write("It took five hours.", by=jo, base="It took three hours.")
        path = postmortem.get_absolute_url()
        page = as_person(mara).get(f"{path}history/").content.decode()
        assert "<del>three</del><ins>five</ins>" in page
        first = section.revisions.order_by("pk")[0]
        as_person(mara).post(f"{path}history/{first.pk}/restore/")
        section.refresh_from_db()
        assert section.text == "It took three hours."

    def test_the_library_finds_by_weight_filters_and_hides_what_is_private(
        self, postmortem: Postmortem, mara: User, rui: User, as_person: As, another: Callable[[str], Postmortem]
    ) -> None:
        titled, mentions, secret = (
            another("Stale embeddings"),
            another("Recall fell"),
            another("Embeddings of salaries"),
        )
        mentions.sections.get(key="impact").write("The embeddings were stale.", by=mara, base="")
        secret.incident.restrict([mara], by=mara)
        found = as_person(rui).get("/postmortems/?q=embeddings").content.decode()
        assert found.index("Stale embeddings") < found.index("Recall fell")
        assert "salaries" not in found
        assert "The <mark>embeddings</mark> were stale." in found
        kind = FactorKind.objects.all()[0]
        Factor.objects.add(titled, kind, text="x", evidence="", by=mara)
        for query in (f"factor={kind.pk}", f"factor={kind.group}"):
            page = as_person(rui).get(f"/postmortems/?{query}").content.decode()
            assert "Stale embeddings" in page
            assert "Recall fell" not in page
        for nonsense in (
            "q=%26+%7C+%21+%3C-%3E",
            "q=" + "%25" * 300,
            "factor=%00",
            "factor=99999999999",
            "page=x",
            "q=the",
        ):
            assert as_person(rui).get(f"/postmortems/?{nonsense}").status_code in (200, 400)

    def test_the_digest_tells_each_of_what_they_may_see_once(
        self, published: Postmortem, mara: User, rui: User
    ) -> None:
        published.incident.restrict([mara], by=mara)
        User.objects.filter(email="jo@example.com").update(digest=False)
        monday = timezone.localdate() + timedelta(days=7 - timezone.localdate().weekday())
        assert reading.send_digest(monday) == 1
        reading.send_digest(monday)
        assert list(Notice.objects.filter(subject__contains="to read").values_list("person__email", flat=True)) == [
            mara.email
        ]
        Notice.objects.send()
        assert published.incident.title in mail.outbox[-1].body

    def test_a_year_later_its_owner_is_asked_whether_it_still_holds(self, published: Postmortem, mara: User) -> None:
        day = timezone.localdate() + timedelta(days=365)
        assert reading.remember_anniversaries(day) == 1
        reading.remember_anniversaries(day + timedelta(days=1))
        assert Notice.objects.filter(person=mara, subject__contains="A year since").count() == 1

    def test_it_shows_up_again_when_something_like_it_happens(
        self, published: Postmortem, mara: User, as_person: As, support_assistant: System
    ) -> None:
        again = Incident.objects.declare(title="Answers cite the retired policy", by=mara, system=support_assistant)
        again.classify("", "retrieval.stale_index", by=mara)
        page = as_person(mara).get(f"{again.get_absolute_url()}similar/").content.decode()
        assert published.get_absolute_url() in page

    def test_public_incidents_of_the_kind_are_offered_and_counted_nowhere(
        self, postmortem: Postmortem, mara: User, as_person: As
    ) -> None:
        assert len(library()) > 30
        assert all(row.category == "retrieval" for row in related([postmortem.incident]))
        assert (
            related([postmortem.incident])[0].name
            in as_person(mara).get(postmortem.get_absolute_url()).content.decode()
        )
        assert as_person(mara).get("/postmortems/public/?category=drift").status_code == 200
        assert Incident.objects.count() == 1


class TestSharing:
    def test_as_files(self, published: Postmortem, mara: User, as_person: As) -> None:
        FollowUp.objects.add(published.incident, title="Alert on index age", by=mara, owner=mara)
        text = export.as_markdown(published)
        assert text.startswith("# Postmortem of INC-1: Answers cite")
        assert "- Silence: unknown _(from clocks)_" in text
        assert "- [ ] P2 Alert on index age (Mara Okafor, Open)" in text
        path = published.get_absolute_url()
        data = json.loads(as_person(mara).get(f"{path}json/").content)
        assert (data["id"], len(data["factors"]), data["trigger"]["kind"]) == ("1", 2, "none")
        assert "It hid the fault." in as_person(mara).get(f"{path}print/").content.decode()
        pdf = as_person(mara).get(f"{path}pdf/")
        assert pdf.status_code == 302 or pdf.content.startswith(b"%PDF-")

    def test_a_link_ends_by_itself_by_hand_and_with_what_it_shows(
        self, published: Postmortem, jo: User, mara: User, as_person: As, client: Client
    ) -> None:
        path = f"{published.get_absolute_url()}share/"
        lead = as_person(jo)
        lead.post(f"{path}new/", {"what": "whole", "days": "14"})
        address = lead.session["share_link"].partition("testserver")[2]
        shown = client.get(address)
        assert shown.status_code == 200
        assert "It hid the fault." in shown.content.decode()
        assert "Mara Okafor" not in shown.content.decode().split("Filled in from the record")[0], (
            "no owner’s name at its head"
        )
        assert shown["X-Robots-Tag"].startswith("noindex")
        with time_machine.travel(timezone.now() + timedelta(days=15)):
            assert client.get(address).status_code == 404
        published.incident.restrict([mara], by=mara)
        assert client.get(address).status_code == 404, "what became private is shared no longer"
        published.incident.open_up(by=mara)
        assert client.get(address).status_code == 200
        ShareLink.objects.get().revoke(by=jo)
        assert client.get(address).status_code == 404

    def test_a_responder_shares_nothing(self, published: Postmortem, mara: User, as_person: As) -> None:
        as_person(mara).post(f"{published.get_absolute_url()}share/new/", {"what": "whole", "days": "14"})
        assert not ShareLink.objects.exists()

    def test_words_for_the_outside_are_approved_by_a_second_person(
        self, published: Postmortem, jo: User, mara: User, as_person: As, client: Client
    ) -> None:
        published.incident.restrict([mara, jo], by=mara)
        with pytest.raises(Refused, match="private"):
            ShareLink.objects.make(published, external=False, days=3, by=jo)
        mine = ExternalVersion.write(published, "Some answers were old.", by=jo)
        with pytest.raises(Refused, match="Somebody else"):
            mine.approve(by=jo)
        external = ExternalVersion.write(published, "Some answers were wrong.", by=mara)
        with pytest.raises(Refused, match="not approved"):
            ShareLink.objects.make(published, external=True, days=3, by=jo)
        lead, path = as_person(jo), published.get_absolute_url()
        lead.post(f"{path}external/approve/", {"text_digest": "of other words"})
        external.refresh_from_db()
        assert not external.is_approved
        external.approve(by=jo)
        _, secret = ShareLink.objects.make(published, external=True, days=3, by=jo)
        shown = client.get(f"/shared/{secret}/").content.decode()
        assert "Some answers were wrong." in shown
        assert published.incident.title not in shown
        ExternalVersion.write(published, "Changed.", by=mara)
        assert client.get(f"/shared/{secret}/").status_code == 404, "an approval is for the words that were approved"

    def test_the_meeting_asks_one_question_at_a_time_and_parks_fixes(
        self, postmortem: Postmortem, mara: User, as_person: As
    ) -> None:
        client, path = as_person(mara), postmortem.get_absolute_url()
        assert "What did users get" in client.get(f"{path}meeting/").content.decode()
        client.post(f"{path}sections/summary/note/", {"text": "Answers were old.", "step": "1"})
        client.post(f"{path}sections/summary/note/", {"text": "For a day.", "step": "1"})
        assert postmortem.sections.get(key="summary").text == "Answers were old.\n\nFor a day."
        client.post(f"{path}fixes/", {"text": "Alert on index age", "step": "1"})
        fix = ParkedFix.objects.get()
        for _ in range(2):
            client.post(f"{path}fixes/{fix.pk}/", {"take": "1"})
        assert FollowUp.objects.get().title == "Alert on index age"
        for step in ("99", "0", "x", "%00"):
            assert client.get(f"{path}meeting/?step={step}").status_code in (200, 400)


class TestGuide:
    def test_a_new_version_is_asked_from_now_on_and_what_was_begun_keeps_its_own(
        self, postmortem: Postmortem, ada: User, another: Callable[[str], Postmortem]
    ) -> None:
        extra = GuidePart("fairness", "Fairness", "Who bore it?", 5, questions=("Which groups were hit more?",))
        Guide.objects.publish([*BUILT_IN, extra], {"retrieval": ["Only this?"]}, note="Fairness", by=ada, over=1)
        later = another("Recall fell")
        assert "fairness" in [part.key for part in later.parts()]
        assert "fairness" not in [part.key for part in postmortem.parts()]
        assert later.guide.questions_for("retrieval") == ["Only this?"]
        with pytest.raises(Refused, match="version 2 meanwhile"):
            Guide.objects.publish(BUILT_IN, {}, note="", by=ada, over=1)
        with pytest.raises(Refused, match="cannot be left out"):
            Guide.objects.publish(BUILT_IN[1:], {}, note="", by=ada, over=2)

    def test_administrators_change_it_on_its_page_and_others_read_it(
        self, postmortem: Postmortem, ada: User, mara: User, as_person: As
    ) -> None:
        assert as_person(mara).get("/postmortems/guide/").status_code == 200
        page = as_person(ada).get("/postmortems/guide/")
        form = page.context["forms"]
        given = {
            "over": "1",
            "note": "Shorter",
            f"{form.prefix}-TOTAL_FORMS": str(len(form.forms)),
            f"{form.prefix}-INITIAL_FORMS": str(form.initial_form_count()),
        }
        for one in form.forms:
            for name, field in one.fields.items():
                value = one.initial.get(name, field.initial)
                if value not in (None, False):
                    given[f"{one.prefix}-{name}"] = str(value)
        given["part-0-questions"] = "What did users get?"
        given[f"part-{len(form.forms) - 1}-title"] = "Fairness"
        for category, text in page.context["prompts"]:
            given[f"prompts-{category.code}"] = text
        assert as_person(mara).post("/postmortems/guide/", given).status_code == 403
        answer = as_person(ada).post("/postmortems/guide/", given)
        assert answer.status_code == 302, answer.content.decode()[-3000:]
        newest = Guide.objects.current()
        assert newest.number == 2
        assert newest.part("summary").questions == ("What did users get?",)
        assert newest.part("fairness").title == "Fairness"
        assert newest.prompts == {}, "what was not changed follows the taxonomy"
        assert as_person(mara).get("/postmortems/guide/1/").status_code == 200


def test_the_postmortem_of_a_private_incident_is_hidden_with_it(
    postmortem: Postmortem, mara: User, jo: User, as_person: As
) -> None:
    postmortem.incident.restrict([], by=mara)
    path = postmortem.get_absolute_url()
    assert as_person(mara).get(path).status_code == 200
    for rest in (
        "",
        "markdown/",
        "json/",
        "print/",
        "pdf/",
        "history/",
        "meeting/",
        "live/",
        "evidence/",
        "share/",
        "line/?key=x",
    ):
        assert as_person(jo).get(f"{path}{rest}").status_code == 404, rest
    assert postmortem.incident.title not in as_person(jo).get("/postmortems/?show=all").content.decode()
