"""Postmortems: they start themselves, know the facts, lose no text, and are published by a lead."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from incidents.followups.models import FollowUp
from incidents.people.models import User
from incidents.postmortems import due, export, guide, prefill
from incidents.postmortems.models import Postmortem, StaleText
from incidents.response.models import Incident, Refused, WrongStatus
from incidents.systems.models import Change, System


@pytest.fixture
def postmortem(incident: Incident, mara: User) -> Postmortem:
    incident.classify("", "retrieval.stale_index", by=mara)
    incident.contain(by=mara, action="rollback_index")
    incident.resolve(by=mara)
    return Postmortem.objects.begin(incident, by=mara)


def fill(postmortem: Postmortem, by: User) -> None:
    for section in postmortem.sections.all():
        if section.part.required:
            section.write("Known.", by=by, version=section.version)


class TestStarting:
    def test_a_resolved_incident_gets_one_by_itself_owned_by_its_lead(self, incident: Incident, mara: User) -> None:
        incident.resolve(by=mara)
        assert due.start_missing() == 0, "a slip of the finger can still be undone"
        with time_machine.travel(timezone.now() + timedelta(minutes=1)):
            assert (due.start_missing(), due.start_missing()) == (1, 0)
        started = Postmortem.objects.get()
        assert (started.owner, started.state) == (mara, "draft")
        assert started.sections.count() == len(guide.PARTS)

    def test_an_open_incident_has_none_yet(self, incident: Incident, mara: User) -> None:
        with pytest.raises(WrongStatus):
            Postmortem.objects.begin(incident, by=mara)

    def test_it_is_due_by_severity_in_business_days(self, incident: Incident, mara: User) -> None:
        with time_machine.travel(datetime(2026, 11, 20, 12, tzinfo=UTC)):  # a Friday
            incident.resolve(by=mara)
            assert str(Postmortem.objects.begin(incident).due_on) == "2026-11-27"


class TestFacts:
    def test_they_carry_their_source_and_follow_corrections_until_it_is_published(
        self, postmortem: Postmortem, mara: User, jo: User, support_assistant: System
    ) -> None:
        began = timezone.now() - timedelta(hours=3)
        Change.objects.create(
            system=support_assistant, kind="index", title="Rebuild", happened_at=began - timedelta(hours=1)
        )
        postmortem.incident.set_clock("impact_started_at", began, by=mara)
        facts = prefill.facts_of(postmortem)
        assert facts["silence"][0].text.startswith(("2 h 59", "3 h"))
        assert "Rebuild" in facts["trigger"][0].text
        assert facts["response"][0].text.startswith("Return to the previous index")
        assert all(fact.source and fact.url for part in facts.values() for fact in part)
        fill(postmortem, mara)
        postmortem.send_to_review(by=mara)
        postmortem.publish(by=jo, facts=prefill.frozen(postmortem))
        postmortem.incident.set_clock("impact_started_at", began - timedelta(days=1), by=mara)
        assert prefill.facts_of(postmortem)["silence"] == facts["silence"]

    def test_the_factors_are_asked_about_in_the_words_of_the_category(self, postmortem: Postmortem) -> None:
        asked = guide.questions(guide.part("factors"), category="retrieval")
        assert any("stage was the right text lost" in question for question in asked)
        assert not any(
            "stage was the right text lost" in q for q in guide.questions(guide.part("factors"), category="drift")
        )


class TestWriting:
    def test_two_who_write_the_same_section_lose_nothing(self, postmortem: Postmortem, mara: User, jo: User) -> None:
        hers, his = (postmortem.sections.get(key="summary") for _ in range(2))
        hers.write("From Mara", by=mara, version=0)
        with pytest.raises(StaleText) as stale:
            his.write("From Jo", by=jo, version=0)
        assert (stale.value.section.text, stale.value.text) == ("From Mara", "From Jo")

    def test_the_page_shows_both_texts_and_lets_them_be_put_together(
        self, postmortem: Postmortem, mara: User, jo: User, as_person: Callable[[User], Client]
    ) -> None:
        path = f"/postmortems/{postmortem.incident.number}/sections/summary/"
        as_person(mara).post(path, {"text": "From Mara", "version": 0})
        clash = as_person(jo).post(path, {"text": "From <b>Jo</b>", "version": 0})
        assert clash.status_code == 409
        page = clash.content.decode()
        assert "From Mara" in page
        assert "From &lt;b&gt;Jo&lt;/b&gt;" in page
        assert as_person(jo).post(path, {"text": "Both", "version": 1}).status_code == 302

    def test_a_text_that_is_too_long_is_kept_in_the_page(
        self, postmortem: Postmortem, mara: User, as_person: Callable[[User], Client]
    ) -> None:
        path = f"/postmortems/{postmortem.incident.number}/sections/summary/"
        answer = as_person(mara).post(path, {"text": "ä" * 100_001, "version": 0})
        assert answer.status_code == 422
        assert "ä" * 100_001 in answer.content.decode()


class TestPublishing:
    def test_it_names_what_is_still_empty(self, postmortem: Postmortem, mara: User) -> None:
        with pytest.raises(Refused, match="Summary, Impact, Contributing factors"):
            postmortem.send_to_review(by=mara)

    def test_a_responder_may_not_publish_and_a_lead_may(
        self, postmortem: Postmortem, mara: User, jo: User, as_person: Callable[[User], Client]
    ) -> None:
        fill(postmortem, mara)
        postmortem.send_to_review(by=mara)
        path = f"/postmortems/{postmortem.incident.number}/publish/"
        as_person(mara).post(path)
        postmortem.refresh_from_db()
        assert postmortem.state == "in_review"
        as_person(jo).post(path)
        postmortem.refresh_from_db()
        assert (postmortem.state, postmortem.published_by) == ("published", jo)
        with pytest.raises(WrongStatus):
            postmortem.sections.get(key="summary").write("Later", by=mara, version=1)

    def test_not_required_is_legal_with_a_reason(self, postmortem: Postmortem, jo: User) -> None:
        with pytest.raises(Refused):
            postmortem.excuse(by=jo, reason=" ")
        postmortem.excuse(by=jo, reason="The same cause as INC-1.")
        assert postmortem.state == "not_required"

    def test_it_is_exported_as_markdown_with_facts_and_follow_ups(self, postmortem: Postmortem, mara: User) -> None:
        fill(postmortem, mara)
        FollowUp.objects.add(postmortem.incident, title="Alert on index age", by=mara, owner=mara)
        text = export.as_markdown(postmortem)
        assert text.startswith("# Postmortem of INC-1: Answers cite")
        assert "- Silence: unknown _(from clocks)_" in text
        assert "- [ ] P2 Alert on index age (Mara Okafor, Open)" in text


def test_the_postmortem_of_a_private_incident_is_hidden_with_it(
    postmortem: Postmortem, mara: User, jo: User, as_person: Callable[[User], Client]
) -> None:
    postmortem.incident.restrict([], by=mara)
    path = f"/postmortems/{postmortem.incident.number}/"
    assert as_person(mara).get(path).status_code == 200
    assert as_person(jo).get(path).status_code == 404
    assert as_person(jo).get(f"{path}markdown/").status_code == 404
    assert postmortem.incident.title not in as_person(jo).get("/postmortems/?show=all").content.decode()
