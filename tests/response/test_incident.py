"""The verbs of an incident: one state, one Event, one winner."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone

from incidents.errors import Refused, WrongStatus
from incidents.people.models import Membership, Role, Team, User
from incidents.response.events import Event
from incidents.response.incident import Incident
from incidents.response.vocabulary import Severity
from incidents.systems.models import System

Page = Callable[[User], Client]


def kinds(incident: Incident) -> list[str]:
    return list(incident.events.values_list("kind", flat=True))


class TestDeclaring:
    def test_whoever_declares_leads_and_investigates(self, mara: User, support_assistant: System) -> None:
        incident = Incident.objects.declare(title="  Answers   are\nstale ", by=mara, system=support_assistant)
        assert (incident.title, incident.status, incident.lead) == ("Answers are stale", "investigating", mara)
        assert incident.team == support_assistant.team
        assert incident.impact_started_at is None, "nobody has said when it began"
        assert incident.silence is None
        assert kinds(incident) == ["opened"]

    def test_a_title_of_spaces_is_refused(self, mara: User) -> None:
        with pytest.raises(Refused, match="title"):
            Incident.objects.declare(title="  ", by=mara)

    def test_numbers_have_no_gap_even_where_opening_fails(self, mara: User) -> None:
        Incident.objects.declare(title="One", by=mara)
        with pytest.raises(IntegrityError), transaction.atomic():
            _fail_after_the_number_was_taken(mara)
        assert Incident.objects.declare(title="Two", by=mara).number == 2


def _fail_after_the_number_was_taken(mara: User) -> None:
    Incident.objects.declare(title="Lost", by=mara)
    raise IntegrityError("after the number was taken")


class TestMoving:
    def test_the_way_from_triage_to_closed(self, mara: User, support_assistant: System) -> None:
        incident = Incident.objects.declare(title="From an alert", by=None, system=support_assistant)
        assert incident.status == "triage"
        incident.acknowledge(by=mara)
        assert (incident.status, incident.lead) == ("investigating", mara)
        incident.contain(by=mara, action="rollback_index", note="to v12")
        incident.resolve(by=mara, note="v12 is served")
        incident.close(by=mara)
        assert kinds(incident) == ["opened", "acknowledged", "containment", "status", "status"]
        assert incident.containments.get().action == "rollback_index"
        assert all([incident.acknowledged_at, incident.contained_at, incident.resolved_at])

    @pytest.mark.parametrize("verb", ["acknowledge", "close"])
    def test_a_verb_out_of_turn_is_refused_and_changes_nothing(self, incident: Incident, mara: User, verb: str) -> None:
        with pytest.raises(WrongStatus, match="INC-1 is investigating"):
            getattr(incident, verb)(by=mara)
        assert kinds(incident) == ["opened"]

    def test_containing_twice_keeps_the_first_time_and_records_both(self, incident: Incident, mara: User) -> None:
        incident.contain(by=mara, action="human_review")
        first = incident.contained_at
        incident.contain(by=mara, action="rollback_index")
        assert (incident.contained_at, incident.containments.count()) == (first, 2)

    def test_reopening_asks_why_and_takes_the_resolution_back(self, incident: Incident, mara: User) -> None:
        incident.resolve(by=mara)
        with pytest.raises(Refused):
            incident.reopen(by=mara, reason=" ")
        incident.reopen(by=mara, reason="It is back")
        assert (incident.status, incident.resolved_at) == ("investigating", None)

    def test_a_reopened_one_leaves_gathering_to_the_newer(self, mara: User, support_assistant: System) -> None:
        old, new = (
            Incident.objects.declare(title=title, by=mara, system=support_assistant, correlation_key=key)
            for title, key in (("Old", None), ("New", "system:1|drift"))
        )
        old.resolve(by=mara)
        Incident.objects.filter(pk=old.pk).update(correlation_key="system:1|drift")
        old.reopen(by=mara, reason="It is back")
        new.refresh_from_db()
        assert (old.correlation_key, new.correlation_key) == (None, "system:1|drift")

    def test_merging_says_so_on_both_sides(self, incident: Incident, mara: User) -> None:
        other = Incident.objects.declare(title="The same", by=mara)
        other.merge_into(incident, by=mara)
        assert (other.status, other.merged_into) == ("merged", incident)
        assert kinds(incident)[-1] == "merged"
        with pytest.raises(Refused, match="itself"):
            incident.merge_into(incident, by=mara)
        with pytest.raises(Refused, match="merged"):
            incident.merge_into(other, by=mara)


class TestFacts:
    def test_setting_what_is_already_so_records_nothing(self, incident: Incident, mara: User) -> None:
        incident.set_severity(Severity.SEV2, by=mara)
        assert kinds(incident) == ["opened"]
        incident.set_severity(Severity.SEV1, by=mara)
        event = incident.events.last()
        assert event is not None
        assert event.detail == {"was": {"severity": "sev2"}, "became": {"severity": "sev1"}}

    def test_a_failure_mode_brings_its_category(self, incident: Incident, mara: User) -> None:
        incident.classify("", "retrieval.stale_index", by=mara)
        assert (incident.category, incident.failure_mode) == ("retrieval", "retrieval.stale_index")
        incident.classify("", by=mara)
        assert incident.category_name == "Unclassified"

    def test_silence_is_known_once_somebody_says_when_it_began(self, incident: Incident, mara: User) -> None:
        assert incident.detected_at
        incident.set_clock("impact_started_at", incident.detected_at - timedelta(hours=5), by=mara, reason="Query log")
        assert incident.silence == timedelta(hours=5)

    @pytest.mark.parametrize(
        ("clock", "at"),
        [("birthday", None), ("declared_at", None), ("detected_at", datetime(2999, 1, 1, tzinfo=UTC))],
    )
    def test_an_impossible_clock_is_refused(
        self, incident: Incident, mara: User, clock: str, at: datetime | None
    ) -> None:
        with pytest.raises(Refused):
            incident.set_clock(clock, at, by=mara)

    def test_somebody_who_may_not_see_it_cannot_lead_it(self, incident: Incident, mara: User, rui: User) -> None:
        incident.restrict([], by=mara)
        with pytest.raises(Refused, match="may not see"):
            incident.assign_lead(rui, by=mara)

    def test_a_note_is_rewritten_by_its_author_only(self, incident: Incident, mara: User, jo: User) -> None:
        note = incident.add_note("The indx is old", by=mara)
        note.rewrite("The index is old", by=mara)
        assert note.edited_at
        with pytest.raises(ValidationError, match="Only the author"):
            note.rewrite("Mine now", by=jo)


class TestHistory:
    @pytest.mark.parametrize("act", ["update", "delete"])
    def test_the_database_refuses_to_change_an_event(self, incident: Incident, act: str) -> None:
        rows = Event.objects.filter(incident=incident)
        with pytest.raises(DatabaseError, match="Cannot"), transaction.atomic():
            rows.update(kind="note") if act == "update" else rows.delete()
        assert rows.get().kind == "opened"


class TestVisibility:
    def test_a_private_incident_is_seen_by_the_people_it_names(
        self, incident: Incident, mara: User, jo: User, sam: User, ada: User
    ) -> None:
        everybody = [mara, jo, sam, ada]
        assert all(Incident.objects.visible_to(user).exists() for user in everybody)
        incident.restrict([sam], by=mara)
        assert [Incident.objects.visible_to(user).exists() for user in everybody] == [True, False, True, False]
        incident.open_up(by=mara)
        assert all(Incident.objects.visible_to(user).exists() for user in everybody)

    def test_somebody_who_left_sees_nothing(self, incident: Incident, mara: User) -> None:
        mara.is_active = False
        assert not Incident.objects.visible_to(mara).exists()


@pytest.mark.django_db(transaction=True)
def test_two_people_acknowledging_at_once_move_it_once() -> None:
    team = Team.objects.create(slug="a", name="A")
    people = [User.objects.create_user(f"p{n}@example.com", name=f"P{n}") for n in range(8)]
    Membership.objects.bulk_create(Membership(team=team, user=person, role=Role.RESPONDER) for person in people)
    incident = Incident.objects.declare(title="Race", by=None, team=team)

    def press(person: User) -> bool:
        try:
            Incident.objects.get(pk=incident.pk).acknowledge(by=person)
        except WrongStatus:
            return False
        else:
            return True
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        moved = list(pool.map(press, people))
    assert sum(moved) == 1
    assert incident.events.filter(kind=Event.Kind.ACKNOWLEDGED).count() == 1
    incident.refresh_from_db()
    assert incident.lead == people[moved.index(True)]


@pytest.mark.django_db(transaction=True)
def test_merging_two_into_each_other_at_once_makes_no_ring() -> None:
    mara = User.objects.create_user("mara@example.com", name="Mara")
    one, two = (Incident.objects.declare(title=title, by=mara) for title in ("One", "Two"))

    def merge(pair: tuple[int, int]) -> None:
        try:
            Incident.objects.get(pk=pair[0]).merge_into(Incident.objects.get(pk=pair[1]), by=mara)
        except (WrongStatus, Refused):
            return
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(merge, [(one.pk, two.pk), (two.pk, one.pk)]))
    assert Incident.objects.filter(status="merged").count() == 1


@pytest.mark.django_db(transaction=True)
def test_many_declaring_at_once_get_numbers_without_gap() -> None:
    mara = User.objects.create_user("mara@example.com", name="Mara")

    def declare(n: int) -> None:
        try:
            Incident.objects.declare(title=f"Number {n}", by=mara)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(declare, range(24)))
    assert sorted(Incident.objects.values_list("number", flat=True)) == list(range(1, 25))
    assert Incident.objects.filter(declared_at__lte=timezone.now()).count() == 24


def test_the_page_tells_every_move_with_the_reason_that_was_given(
    incident: Incident, mara: User, as_person: Callable[[User], Client]
) -> None:
    incident.contain(by=mara, action="rollback_index")
    incident.resolve(by=mara)
    incident.reopen(by=mara, reason="The new index is stale as well")
    incident.resolve(by=mara, note="v12 is served")
    page = as_person(mara).get(incident.get_absolute_url())
    assert page.status_code == 200
    assert "The new index is stale as well" in page.text
    assert "v12 is served" in page.text


class TestWhatATitleTells:
    TITLE = "Agent issued 400 refunds without approval"

    def test_while_one_types_it_says_what_that_reads_like_and_offers_it(self, jo: User, as_person: Page) -> None:
        page = as_person(jo).get("/incidents/alike/", {"title": self.TITLE}).content.decode()
        assert "Reads like agent action" in page
        assert 'value="agent_action.unauthorised"' in page
        assert "Use this" in page
        assert "checked" not in page

    @pytest.mark.parametrize("title", ["", "Something is odd", "Disk full on node a"])
    def test_nothing_is_offered_where_the_words_tell_no_failure_of_an_ai_system(
        self, title: str, jo: User, as_person: Page
    ) -> None:
        assert "Use this" not in as_person(jo).get("/incidents/alike/", {"title": title}).content.decode()

    def test_what_was_taken_stays_taken_while_the_title_grows(self, jo: User, as_person: Page) -> None:
        typed = {"title": f"{self.TITLE} again", "failure": "agent_action.unauthorised"}
        assert "checked" in as_person(jo).get("/incidents/alike/", typed).content.decode()
        refused = as_person(jo).post("/incidents/new/", typed | {"severity": "nonsense"})
        assert refused.status_code == 422
        assert "checked" in refused.content.decode()

    def test_one_tap_classifies_what_is_opened_and_the_reason_is_kept(self, jo: User, as_person: Page) -> None:
        typed = {"title": self.TITLE, "severity": "sev2", "failure": "agent_action.unauthorised"}
        assert as_person(jo).post("/incidents/new/", typed).status_code == 302
        incident = Incident.objects.get()
        assert (incident.category, incident.failure_mode) == ("agent_action", "agent_action.unauthorised")
        assert "without approval" in incident.classified_because
        assert incident.classified_because.endswith("Whoever opened it agreed.")

    def test_without_the_tap_it_stays_unclassified(self, jo: User, as_person: Page) -> None:
        as_person(jo).post("/incidents/new/", {"title": self.TITLE, "severity": "sev2"})
        assert Incident.objects.get().category == ""

    def test_a_failure_that_nobody_knows_is_refused(self, jo: User, as_person: Page) -> None:
        typed = {"title": self.TITLE, "severity": "sev2", "failure": "weather.rain"}
        assert as_person(jo).post("/incidents/new/", typed).status_code == 422
        assert not Incident.objects.exists()
