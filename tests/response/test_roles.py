"""Who does what: roles, their hand-over, and tasks."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core import mail
from django.db import connection
from django.test import Client

from incidents.errors import Refused, WrongStatus
from incidents.notifications.upkeep import notify
from incidents.people.models import User
from incidents.response.incident import Incident
from incidents.response.roles import Assignment, Handover, ResponseRole
from incidents.response.tasks import Task

Page = Callable[[User], Client]


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
        event = incident.events.order_by("-pk")[0]
        assert (event.kind, event.detail) == (
            "role",
            {
                "role": "Investigator",
                "was": ["Jo Lindqvist"],
                "became": ["Jo Lindqvist", "Rui Costa"],
                "given": [rui.pk],
            },
        )

    def test_a_task_is_done_once_however_often_it_is_pressed(self, incident: Incident, mara: User, jo: User) -> None:
        task = Task.objects.add(incident, title=" Sample   fifty ", by=mara)
        assert task.title == "Sample fifty"
        task.finish(by=jo)
        task.finish(by=mara)
        assert (task.done_by, incident.events.filter(kind="task").count()) == (jo, 2)

    def test_the_taker_is_mailed_and_accepts_on_the_page(
        self, known: Incident, mara: User, rui: User, as_person: Page
    ) -> None:
        incident = known
        address = f"/incidents/{incident.number}/hand-over/"
        empty = as_person(mara).post(address, {"role": "lead", "to": rui.pk, "summary": ""})
        assert empty.status_code == 422
        as_person(mara).post(address, {"role": "lead", "to": rui.pk, "summary": "Sampling goes on."})
        notify()
        assert [(note.to, note.subject) for note in mail.outbox] == [
            (["rui@example.com"], f"Mara Okafor hands INC-{incident.number} over to you (lead)")
        ]
        offered = Handover.objects.get()
        assert "Sampling goes on." in as_person(rui).get(f"/incidents/{incident.number}/").content.decode()
        as_person(rui).post(f"{address}{offered.pk}/", {"answer": "accept"})
        incident.refresh_from_db()
        assert incident.lead == rui, "also where Rui is of another team"
        assert as_person(rui).post(f"/incidents/{incident.number}/notes/", {"text": "Mine now."}).status_code == 302


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
