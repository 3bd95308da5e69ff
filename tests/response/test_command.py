"""Running an incident: containments, roles and hand-over, tasks, the story, impact, updates, links, files."""

import io
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from incidents.errors import Refused, WrongStatus
from incidents.people.models import Team, User
from incidents.response import impact as impacts
from incidents.response import story
from incidents.response.attachments import Attachment
from incidents.response.followers import Follower
from incidents.response.impact import Harm, Reversible, suggest_severity
from incidents.response.incident import Incident
from incidents.response.likeness import similar
from incidents.response.links import Link
from incidents.response.notices import Notice
from incidents.response.public_pages import PublicPage, PublicPost
from incidents.response.roles import Assignment, Handover, ResponseRole
from incidents.response.saved_views import SavedView
from incidents.response.tasks import Task
from incidents.response.updates import Cadence, Update, next_update_due, remind_of_updates
from incidents.response.vocabulary import IncidentKind, Severity
from incidents.systems.models import System

Page = Callable[[User], Client]


def last(incident: Incident) -> dict[str, Any]:
    event = incident.events.order_by("-pk")[0]
    return {"kind": event.kind, **event.detail}


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


class TestTakingBack:
    def test_an_acknowledgement(self, mara: User, support_assistant: System) -> None:
        incident = Incident.objects.declare(title="From an alert", by=None, system=support_assistant)
        incident.acknowledge(by=mara)
        incident.undo(by=mara)
        assert (incident.status, incident.lead, incident.acknowledged_at) == ("triage", None, None)

    def test_a_decline(self, mara: User) -> None:
        incident = Incident.objects.declare(title="From an alert", by=None)
        incident.decline(by=mara, reason="A test run")
        incident.undo(by=mara)
        assert incident.status == "triage"

    def test_nothing_that_came_later_is_swept_away(self, incident: Incident, mara: User) -> None:
        incident.resolve(by=mara)
        with pytest.raises(Refused, match="can be taken back"):
            incident.undo(by=mara)
        assert incident.status == "resolved"

    def test_the_page_offers_it_at_once(self, mara: User, as_person: Page, support_assistant: System) -> None:
        incident = Incident.objects.declare(title="From an alert", by=None, system=support_assistant)
        client = as_person(mara)
        shown = client.post(f"/incidents/{incident.number}/acknowledge/", follow=True).content.decode()
        assert f'formaction="/incidents/{incident.number}/undo/"' in shown
        client.post(f"/incidents/{incident.number}/undo/")
        incident.refresh_from_db()
        assert incident.status == "triage"


@pytest.fixture
def lead_role(db: None) -> ResponseRole:
    return ResponseRole.objects.get(code="lead")


class TestCrew:
    def test_a_hand_over_counts_once_it_is_accepted(
        self, incident: Incident, mara: User, jo: User, lead_role: ResponseRole
    ) -> None:
        offered = Handover.objects.offer(incident, lead_role, to=jo, summary="Index rolled back; sampling.", by=mara)
        assert incident.lead == mara
        offered.accept(by=jo)
        assert (incident.lead, offered.state) == (jo, "accepted")
        with pytest.raises(WrongStatus, match="accepted already"):
            offered.withdraw(by=mara)

    def test_only_whom_it_was_offered_to_may_accept(
        self, incident: Incident, mara: User, jo: User, rui: User, lead_role: ResponseRole
    ) -> None:
        offered = Handover.objects.offer(incident, lead_role, to=jo, summary="Read the notes.", by=mara)
        with pytest.raises(Refused, match="offered to Jo"):
            offered.accept(by=rui)
        assert Incident.objects.get(pk=incident.pk).lead == mara

    def test_a_second_offer_withdraws_the_first(
        self, incident: Incident, mara: User, jo: User, rui: User, lead_role: ResponseRole
    ) -> None:
        first = Handover.objects.offer(incident, lead_role, to=jo, summary="One", by=mara)
        Handover.objects.offer(incident, lead_role, to=rui, summary="Two", by=mara)
        first.refresh_from_db()
        assert first.state == "withdrawn"
        assert Handover.objects.offered().count() == 1

    def test_a_private_incident_is_not_handed_to_whom_it_hides_from(
        self, incident: Incident, mara: User, rui: User, lead_role: ResponseRole
    ) -> None:
        incident.restrict([], by=mara)
        for give in (
            lambda: Handover.objects.offer(incident, lead_role, to=rui, summary="x", by=mara),
            lambda: Task.objects.add(incident, title="Look", owner=rui, by=mara),
            lambda: Assignment.objects.give(incident, ResponseRole.objects.get(code="scribe"), rui, by=mara),
        ):
            with pytest.raises(Refused, match="may not see"):
                give()

    def test_one_person_has_a_role_unless_several_may(
        self, incident: Incident, mara: User, jo: User, rui: User
    ) -> None:
        scribe, investigator = ResponseRole.objects.get(code="scribe"), ResponseRole.objects.get(code="investigator")
        for person in (jo, rui):
            Assignment.objects.give(incident, scribe, person, by=mara)
            Assignment.objects.give(incident, investigator, person, by=mara)
        assert [row.person for row in incident.assignments.filter(role=scribe)] == [rui]
        assert incident.assignments.filter(role=investigator).count() == 2
        assert last(incident) == {
            "kind": "role", "role": "Investigator", "was": ["Jo Lindqvist"], "became": ["Jo Lindqvist", "Rui Costa"],
        }  # fmt: skip

    def test_a_task_is_done_once_however_often_it_is_pressed(self, incident: Incident, mara: User, jo: User) -> None:
        task = Task.objects.add(incident, title=" Sample   fifty ", by=mara)
        assert task.title == "Sample fifty"
        task.finish(by=jo)
        task.finish(by=mara)
        assert (task.done_by, incident.events.filter(kind="task").count()) == (jo, 2)

    def test_the_taker_is_mailed_and_accepts_on_the_page(
        self, incident: Incident, mara: User, rui: User, as_person: Page
    ) -> None:
        address = f"/incidents/{incident.number}/hand-over/"
        empty = as_person(mara).post(address, {"role": "lead", "to": rui.pk, "summary": ""})
        assert empty.status_code == 422
        as_person(mara).post(address, {"role": "lead", "to": rui.pk, "summary": "Sampling goes on."})
        Notice.objects.send()
        assert [(note.to, note.subject) for note in mail.outbox] == [
            (["rui@example.com"], f"Mara Okafor hands INC-{incident.number} over to you (Lead)")
        ]
        offered = Handover.objects.get()
        assert "Sampling goes on." in as_person(rui).get(f"/incidents/{incident.number}/").content.decode()
        as_person(rui).post(f"{address}{offered.pk}/", {"answer": "accept"})
        incident.refresh_from_db()
        assert incident.lead == rui, "also where Rui is of another team"
        assert as_person(rui).post(f"/incidents/{incident.number}/notes/", {"text": "Mine now."}).status_code == 302


class TestStory:
    def test_an_entry_is_told_anew_and_the_log_stays(self, incident: Incident, mara: User) -> None:
        note = incident.add_note("Index is old", by=mara)
        earlier = incident.declared_at - timedelta(hours=2)
        story.curate(
            note.event, by=mara, text="The index was a month old.", at=earlier, marker="diagnosis", pinned=True
        )
        told, _ = story.entries(incident, show="pinned")
        assert [(event.curation.text, event.curation.at) for event in told] == [("The index was a month old.", earlier)]
        note.event.refresh_from_db()
        assert note.event.at > incident.declared_at, "the log says when it was recorded"
        whole, _ = story.entries(incident, show="log")
        assert "curated" in [event.kind for event in whole]
        assert "curated" not in [event.kind for event in story.entries(incident)[0]]

    def test_it_is_ordered_by_when_things_are_told_to_have_happened(self, incident: Incident, mara: User) -> None:
        first, second = incident.add_note("One", by=mara), incident.add_note("Two", by=mara)
        story.curate(second.event, by=mara, at=incident.declared_at - timedelta(hours=1))
        newest_first = [event.pk for event in story.entries(incident)[0] if event.kind == "note"]
        assert newest_first == [first.event.pk, second.event.pk]
        incident.resolve(by=mara)
        assert story.entries(incident)[0][0].pk == second.event.pk, "as a story, once it is over"

    def test_what_is_left_out_is_still_in_the_log(self, incident: Incident, mara: User) -> None:
        note = incident.add_note("Wrong window, sorry", by=mara)
        story.curate(note.event, by=mara, hidden=True)
        assert note.event not in story.entries(incident)[0]
        assert note.event in story.entries(incident, show="log")[0]

    def test_nothing_is_told_to_happen_in_the_future(self, incident: Incident, mara: User) -> None:
        note = incident.add_note("Soon", by=mara)
        with pytest.raises(Refused, match="future"):
            story.curate(note.event, by=mara, at=timezone.now() + timedelta(hours=1))

    def test_five_thousand_entries_come_a_screen_at_a_time(
        self, incident: Incident, mara: User, as_person: Page
    ) -> None:
        incident.events.model.objects.bulk_create(
            incident.events.model(incident=incident, kind="note", by=mara, detail={}) for _ in range(300)
        )
        shown = as_person(mara).get(f"/incidents/{incident.number}/").content.decode()
        assert shown.count("data-entry") == story.A_SCREEN
        assert "(301 in all)" in shown
        more = as_person(mara).get(f"/incidents/{incident.number}/?most=120").content.decode()
        assert more.count("data-entry") == 120

    def test_a_viewer_reads_an_entry_and_may_not_edit_it(
        self, incident: Incident, mara: User, lee: User, as_person: Page
    ) -> None:
        event = incident.add_note("Index is old", by=mara).event
        address = f"/incidents/{incident.number}/events/{event.pk}/"
        assert "In the story" not in as_person(lee).get(address).content.decode()
        assert as_person(lee).post(address, {"text": "Rewritten"}).status_code == 403
        answer = as_person(mara).post(address, {"text": "Told anew", "marker": "key", "evidence_url": "javascript:x"})
        assert answer.status_code == 422
        assert "Told anew" in answer.content.decode(), "nothing typed is lost"
        as_person(mara).post(address, {"text": "Told anew", "marker": "key", "pinned": "on"})
        assert "Told anew" in as_person(lee).get(f"/incidents/{incident.number}/?show=pinned").content.decode()


class TestClocks:
    def test_the_start_may_be_a_range_and_so_is_the_silence(self, incident: Incident, mara: User) -> None:
        detected = incident.detected_at
        assert detected
        start, until = detected - timedelta(hours=5), detected - timedelta(hours=3)
        incident.set_clock("impact_started_at", start, until=until, by=mara, method="change")
        assert (incident.shortest_silence, incident.silence) == (timedelta(hours=3), timedelta(hours=5))
        assert incident.get_impact_method_display() == "A change"
        incident.set_clock("impact_started_at", None, by=mara)
        assert (incident.silence, incident.impact_started_until, incident.impact_method) == (None, None, "")

    def test_a_range_that_runs_backwards_is_refused(self, incident: Incident, mara: User) -> None:
        now = timezone.now()
        with pytest.raises(Refused, match="range"):
            incident.set_clock("impact_started_at", now, until=now - timedelta(hours=1), by=mara)

    def test_the_page_offers_the_first_alert_and_the_changes_before_it(
        self, incident: Incident, mara: User, support_assistant: System, as_person: Page
    ) -> None:
        at = incident.declared_at - timedelta(hours=3)
        support_assistant.changes.create(kind="prompt", title="Prompt v9", happened_at=at)
        client = as_person(mara)
        assert "Change: Prompt v9" in client.get(f"/incidents/{incident.number}/clocks/").content.decode()
        filled = client.get(f"/incidents/{incident.number}/clocks/?start=0").content.decode()
        assert f'value="{at:%Y-%m-%dT%H:%M}"' in filled
        client.post(
            f"/incidents/{incident.number}/clocks/",
            {"impact_started_at": f"{at:%Y-%m-%dT%H:%M}", "impact_method": "change", "reason": "Prompt v9",
             "declared_at": f"{incident.declared_at:%Y-%m-%dT%H:%M}", "detected_at": f"{incident.detected_at:%Y-%m-%dT%H:%M}",
             "acknowledged_at": f"{incident.acknowledged_at:%Y-%m-%dT%H:%M}"},
        )  # fmt: skip
        incident.refresh_from_db()
        assert (incident.impact_method, incident.events.filter(kind="clock").count()) == ("change", 1)


class TestImpact:
    def test_unknown_stays_unknown(self, incident: Incident, mara: User) -> None:
        with pytest.raises(Refused, match="say how you know"):
            impacts.expose(incident, "outputs", by=mara, estimate=10)
        with pytest.raises(Refused, match="outside its interval"):
            impacts.expose(incident, "outputs", by=mara, estimate=10, low=20, how="Log")
        with pytest.raises(Refused, match="needs an estimate"):
            impacts.expose(incident, "outputs", by=mara, estimate=None, high=20)
        assert not incident.exposures.exists()

    def test_what_is_said_again_records_nothing(self, incident: Incident, mara: User) -> None:
        for _ in range(2):
            impacts.expose(incident, "users", by=mara, estimate=0, how="Nobody was served")
            impacts.assess(incident, by=mara, harm=Harm.NEAR_MISS)
        assert incident.events.filter(kind="impact").count() == 2
        assert incident.exposures.get().estimate == 0, "zero is a number, unlike unknown"
        impacts.expose(incident, "users", by=mara, estimate=None)
        assert not incident.exposures.exists()

    @given(
        most=st.integers(0, 10**9), tier=st.sampled_from([1, 2, 3]), harm=st.sampled_from(Harm.values),
        reversible=st.sampled_from(Reversible.values),
    )  # fmt: skip
    def test_more_harm_never_suggests_less(self, most: int, tier: int, harm: str, reversible: str) -> None:
        def rank(count: int, tier: int, reversible: str) -> int:
            found = suggest_severity({"outputs": count}, tier=tier, harm=harm, reversible=reversible)
            assert found
            return found.severity.rank

        here = rank(most, tier, reversible)
        assert rank(most * 10 + 1, tier, reversible) >= here
        assert rank(most, max(tier - 1, 1), reversible) >= here
        assert rank(most + 1, tier, Reversible.IRREVERSIBLE) >= rank(most + 1, tier, reversible)
        if harm in (Harm.NEAR_MISS, Harm.ISSUE):
            assert here <= Severity.SEV3.rank

    def test_the_page_suggests_and_a_person_decides(self, incident: Incident, mara: User, as_person: Page) -> None:
        client = as_person(mara)
        address = f"/incidents/{incident.number}/impact/"
        kept = client.post(address, {"outputs-estimate": "12400", "note": "So far"})
        assert kept.status_code == 422
        assert "Say how you know" in kept.content.decode()
        assert 'value="12400"' in kept.content.decode()
        client.post(address, {"outputs-estimate": "12400", "outputs-how": "Query log", "harm": "event"})
        shown = client.get(f"/incidents/{incident.number}/").content.decode()
        assert "12,400" in shown
        assert "Set SEV1" in shown
        assert "12,400 outputs, tier 1" in shown
        incident.refresh_from_db()
        assert incident.severity == "sev2"


class TestUpdates:
    def test_the_cadence_follows_the_severity_until_one_is_promised(self, incident: Incident, mara: User) -> None:
        cadences = Cadence.by_severity()
        assert incident.acknowledged_at
        assert next_update_due(incident, cadences) == incident.acknowledged_at + timedelta(minutes=60)
        incident.set_severity("sev1", by=mara)
        assert next_update_due(incident, cadences) == incident.acknowledged_at + timedelta(minutes=30)
        promised = timezone.now() + timedelta(hours=4)
        Update.objects.post(incident, text="We look into it.", by=mara, next_at=promised)
        assert next_update_due(incident, cadences) == promised
        incident.resolve(by=mara)
        assert next_update_due(incident, cadences) is None

    def test_those_who_follow_the_incident_its_system_or_its_team_are_mailed_once(
        self, incident: Incident, mara: User, jo: User, rui: User, sam: User, assistants: Team
    ) -> None:
        Follower.toggle(jo, incident=incident)
        Follower.toggle(jo, system=incident.system)
        Follower.toggle(rui, team=assistants)
        Update.objects.post(incident, text="Answers are **stale**.", by=mara)
        assert Notice.objects.send() == 2
        assert Notice.objects.send() == 0
        assert sorted(note.to[0] for note in mail.outbox) == ["jo@example.com", "rui@example.com"]
        assert f"/incidents/{incident.number}/" in mail.outbox[0].body

    def test_of_a_private_incident_only_its_people_hear(
        self, incident: Incident, mara: User, jo: User, rui: User, assistants: Team
    ) -> None:
        for person in (jo, rui):
            Follower.toggle(person, team=assistants)
        incident.restrict([jo], by=mara)
        Update.objects.post(incident, text="Between us.", by=mara)
        assert [notice.person for notice in Notice.objects.all()] == [jo]

    def test_an_overdue_update_is_reminded_of_once(self, incident: Incident, mara: User) -> None:
        Incident.objects.filter(pk=incident.pk).update(acknowledged_at=timezone.now() - timedelta(hours=2))
        assert (remind_of_updates(), remind_of_updates()) == (1, 0)
        assert Notice.objects.get().person == mara
        incident.refresh_from_db()
        Update.objects.post(incident, text="News.", by=mara)
        Incident.objects.filter(pk=incident.pk).update(last_update_at=timezone.now() - timedelta(hours=2))
        assert remind_of_updates() == 1

    def test_mail_that_cannot_be_sent_is_tried_again_later(
        self, incident: Incident, jo: User, mara: User, settings: Any
    ) -> None:
        Follower.toggle(jo, incident=incident)
        Update.objects.post(incident, text="News.", by=mara)
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
        assert Notice.objects.send() == 0
        notice = Notice.objects.get()
        assert (notice.sent_at, notice.attempts) == (None, 1)
        assert notice.due_at > timezone.now()
        assert "refused" in notice.error

    def test_tests_owe_nobody_anything(self, mara: User) -> None:
        drill = Incident.objects.declare(title="Drill", by=mara, severity="sev1", kind=IncidentKind.TEST)
        assert next_update_due(drill, Cadence.by_severity()) is None
        assert drill not in Incident.objects.counted()
        assert drill in Incident.objects.counted(IncidentKind.TEST)

    def test_the_status_page_shows_what_is_open_to_whoever_may_see_it(
        self, incident: Incident, mara: User, rui: User, as_person: Page
    ) -> None:
        Update.objects.post(incident, text="Answers are stale.", by=mara)
        assert "Answers are stale." in as_person(rui).get("/status/").content.decode()
        incident.restrict([], by=mara)
        page = as_person(rui).get("/status/").content.decode()
        assert incident.title not in page
        assert "Answers are stale." not in page


class TestPublicPage:
    @pytest.fixture
    def public(self, support_assistant: System) -> PublicPage:
        return PublicPage.objects.create(system=support_assistant, name="Help assistant", is_on=True)

    def test_nothing_is_read_that_a_second_person_did_not_approve(
        self, public: PublicPage, incident: Incident, mara: User, jo: User, client: Client, as_person: Page
    ) -> None:
        desk = "/systems/support-assistant/public/"
        as_person(mara).post(
            f"{desk}posts/", {"text": "Answers may be old.", "state": "problem", "incident": incident.number}
        )
        post = PublicPost.objects.get()
        assert "Answers may be old." not in client.get("/public/support-assistant/").content.decode()
        as_person(mara).post(f"{desk}posts/{post.pk}/", {"decision": "approve"})
        assert not PublicPost.objects.published().exists(), "a responder does not approve"
        as_person(jo).post(f"{desk}posts/{post.pk}/", {"decision": "approve"})
        page = client.get("/public/support-assistant/").content.decode()
        assert "Answers may be old." in page
        assert "We see a problem" in page
        assert incident.title not in page
        assert str(incident) not in page

    def test_nobody_approves_their_own_words(self, public: PublicPage, jo: User) -> None:
        post = PublicPost.objects.write(public, text="All is well.", state="solved", by=jo)
        with pytest.raises(Refused, match="Somebody else"):
            post.approve(by=jo)
        with pytest.raises(DatabaseError), transaction.atomic():
            PublicPost.objects.update(approved_by=jo, approved_at=timezone.now())

    def test_a_page_that_is_off_is_not_there(self, public: PublicPage, client: Client) -> None:
        PublicPage.objects.update(is_on=False)
        assert client.get("/public/support-assistant/").status_code == 404


class TestLikeness:
    def test_earlier_ones_are_found_by_failure_system_and_words(
        self, mara: User, rui: User, support_assistant: System, fraud_scorer: System
    ) -> None:
        def declare(title: str, system: System, mode: str = "") -> Incident:
            made = Incident.objects.declare(title=title, by=mara, system=system)
            if mode:
                made.classify("", mode, by=mara)
            return made

        same = declare("Answers cite the retired policy", support_assistant, "retrieval.stale_index")
        words = declare("Stale answers on pricing", fraud_scorer)
        declare("Scores are all zero", fraud_scorer, "data_quality.completeness")
        found = similar(
            user=mara, title="Stale answers about pricing", system=support_assistant, category="retrieval",
            failure_mode="retrieval.stale_index",
        )  # fmt: skip
        assert [one.incident for one in found] == [same, words]
        assert found[0].because == ["stale or partly updated index", "the same system", "shared words"]
        same.restrict([], by=mara)
        assert same not in [one.incident for one in similar(user=rui, title=same.title)]

    @pytest.mark.parametrize(
        "title", ["", "a b", "'); DROP", "& | ! <-> :*", "or or or", "the of and", "日本語", "x" * 500]
    )
    def test_no_words_break_the_search(self, title: str, incident: Incident, mara: User) -> None:
        similar(user=mara, title=title)
        list(Incident.objects.matching(title))

    def test_a_link_is_read_from_both_sides_and_hides_what_is_hidden(
        self, incident: Incident, mara: User, rui: User
    ) -> None:
        other = Incident.objects.declare(title="The same, in March", by=mara)
        Link.objects.link(incident, other, "repeat_of", by=mara)
        Link.objects.link(incident, other, "repeat_of", by=mara)
        assert [(how, seen) for how, seen, _ in Link.objects.of(incident, user=rui)] == [("repeat of", other)]
        assert [(how, seen) for how, seen, _ in Link.objects.of(other, user=rui)] == [("came again as", incident)]
        other.restrict([], by=mara)
        assert Link.objects.of(incident, user=rui) == []

    def test_while_one_types_it_asks_whether_it_is_open_already(
        self, incident: Incident, jo: User, as_person: Page
    ) -> None:
        asked = as_person(jo).get("/incidents/alike/?title=scores").content.decode()
        assert "Is it one of these?" not in asked
        asked = as_person(jo).get("/incidents/alike/?title=retired policy&system=support-assistant").content.decode()
        assert str(incident) in asked


def picture(kind: str = "PNG", size: tuple[int, int] = (8, 8)) -> bytes:
    drawn = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "taken at home"
    Image.new("RGB", size, "red").save(drawn, kind, **({"exif": exif} if kind == "JPEG" else {}))
    return drawn.getvalue()


class TestFiles:
    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("graph.png", picture()),
            ("photo.jpeg", picture("JPEG")),
            ("scores.csv", b"score,label\n0.4,1\n"),
            ("look.ipynb", json.dumps({"nbformat": 4, "cells": []}).encode()),
            ("report.pdf", b"%PDF-1.7 ..."),
        ],
    )
    def test_what_belongs_to_the_work_is_kept(
        self, name: str, content: bytes, incident: Incident, mara: User, as_person: Page
    ) -> None:
        client = as_person(mara)
        client.post(f"/incidents/{incident.number}/files/", {"file": SimpleUploadedFile(name, content)})
        kept = Attachment.objects.get()
        answer = client.get(f"/incidents/{incident.number}/files/{kept.pk}/")
        assert answer["Content-Disposition"].startswith("inline" if kept.is_picture else "attachment")
        assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert b"taken at home" not in answer.content, "where a photo was taken is nobody’s business"

    @pytest.mark.parametrize(
        ("name", "content", "because"),
        [
            ("page.html", b"<script>alert(1)</script>", "only"),
            ("evil.svg", b"<svg onload=alert(1)>", "only"),
            ("not.png", b"<script>alert(1)</script>", "no picture"),
            ("not.csv", b"\x00\x01\xff", "not what its name says"),
            ("not.ipynb", b"{}", "not what its name says"),
            ("empty.csv", b"", "empty"),
            ("huge.png", picture(size=(6000, 6000)), "million pixels"),
        ],
    )
    def test_what_is_not_what_it_says_is_refused_with_the_reason(
        self, name: str, content: bytes, because: str, incident: Incident, mara: User, as_person: Page
    ) -> None:
        page = as_person(mara).post(
            f"/incidents/{incident.number}/files/", {"file": SimpleUploadedFile(name, content)}, follow=True,
            headers={"referer": f"http://testserver/incidents/{incident.number}/"},
        )  # fmt: skip
        assert because in page.content.decode()
        assert not Attachment.objects.exists()

    def test_the_files_of_a_private_incident_are_hidden_with_it(
        self, incident: Incident, mara: User, rui: User, as_person: Page
    ) -> None:
        kept = Attachment.objects.attach(incident, SimpleUploadedFile("a.csv", b"a,b"), by=mara)
        incident.restrict([], by=mara)
        assert as_person(rui).get(f"/incidents/{incident.number}/files/{kept.pk}/").status_code == 404
        kept.remove(by=mara)
        assert last(incident)["removed"] is True

    @pytest.mark.parametrize(
        "name", ["../../etc/passwd.csv", "a\r\nSet-Cookie: x=1.csv", "  .csv", "名前.csv", "x" * 300 + ".csv"]
    )
    def test_no_name_does_harm(self, name: str, incident: Incident, mara: User, as_person: Page) -> None:
        kept = Attachment.objects.attach(incident, SimpleUploadedFile(name, b"a,b"), by=mara)
        assert "/" not in kept.name
        assert as_person(mara).get(f"/incidents/{incident.number}/files/{kept.pk}/").status_code == 200


class TestList:
    def test_one_thing_is_done_to_several_and_each_refusal_is_said(
        self, mara: User, rui: User, support_assistant: System, fraud_scorer: System, as_person: Page
    ) -> None:
        mine = [Incident.objects.declare(title=f"From an alert {n}", by=None, system=support_assistant) for n in (1, 2)]
        theirs = Incident.objects.declare(title="Theirs", by=None, system=fraud_scorer)
        numbers = [row.number for row in (*mine, theirs)]
        page = as_person(mara).post(
            "/incidents/many/", {"act": "acknowledge", "number": numbers}, follow=True
        ).content.decode()  # fmt: skip
        assert "done for 2" in page or Incident.objects.filter(status="investigating").count() == 2
        theirs.refresh_from_db()
        assert theirs.status == "triage"
        as_person(mara).post("/incidents/many/", {"act": "severity:sev1", "number": numbers[:2]})
        assert Incident.objects.filter(severity="sev1").count() == 2

    @pytest.mark.parametrize(
        "data", [{}, {"act": "explode", "number": "1"}, {"act": "close", "number": ["x", "9" * 40]}]
    )
    def test_nonsense_changes_nothing(self, data: dict[str, Any], mara: User, as_person: Page) -> None:
        assert as_person(mara).post("/incidents/many/", data).status_code == 302

    def test_a_view_is_kept_shared_and_removed_by_its_owner(self, mara: User, jo: User, as_person: Page) -> None:
        as_person(mara).post("/incidents/views/", {"name": "Worst", "query": "severity=sev1&seen=1", "shared": "on"})
        view = SavedView.objects.get()
        assert view.get_absolute_url() == "/incidents/?severity=sev1"
        assert "Worst" in as_person(jo).get("/incidents/").content.decode()
        as_person(jo).post(f"/incidents/views/{view.pk}/drop/")
        assert SavedView.objects.exists()
        as_person(mara).post(f"/incidents/views/{view.pk}/drop/")
        assert not SavedView.objects.exists()

    def test_the_palette_finds_what_one_may_see(
        self, incident: Incident, mara: User, rui: User, as_person: Page
    ) -> None:
        for words in (f"#{incident.number}", "retired pric", "Support"):
            assert str(incident) in as_person(mara).get("/palette/", {"q": words}).content.decode()
        incident.restrict([], by=mara)
        assert incident.title not in as_person(rui).get("/palette/", {"q": "retired"}).content.decode()

    def test_one_that_happened_earlier_is_entered_with_its_time(self, mara: User, as_person: Page) -> None:
        client, at = as_person(mara), timezone.now() - timedelta(days=40)
        given = {"title": "In the spring", "severity": "sev2", "declared_at": f"{at:%Y-%m-%dT%H:%M}"}
        assert "choose “Backfilled”" in client.post("/incidents/new/", given).content.decode()
        client.post("/incidents/new/", given | {"kind": "backfilled"})
        made = Incident.objects.get()
        assert (made.kind, made.declared_at.date()) == ("backfilled", at.date())


@pytest.mark.django_db(transaction=True)
def test_two_who_accept_and_withdraw_a_hand_over_at_once_end_with_one_answer(
    incident: Incident, mara: User, jo: User
) -> None:
    role, _ = ResponseRole.objects.get_or_create(code="lead", defaults={"name": "Lead"})
    offered = Handover.objects.offer(incident, role, to=jo, summary="Yours", by=mara)

    def answer(accepts: bool) -> str:
        try:
            row = Handover.objects.select_related("incident", "role").get(pk=offered.pk)
            row.accept(by=jo) if accepts else row.withdraw(by=mara)
        except WrongStatus as refused:
            return str(refused)
        finally:
            connection.close()
        return ""

    with ThreadPoolExecutor(2) as pool:
        said = list(pool.map(answer, [True, False]))
    offered.refresh_from_db()
    incident.refresh_from_db()
    assert sorted(bool(refusal) for refusal in said) == [False, True]
    assert (incident.lead == jo) == (offered.state == "accepted")
