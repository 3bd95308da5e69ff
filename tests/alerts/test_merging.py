"""An incident is merged into another, and its alerts follow: from the page, the API and back again."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from incidents.alerts import merging
from incidents.alerts.models import Alert
from incidents.errors import Refused, WrongStatus
from incidents.people.models import User
from incidents.response.incident import Incident
from incidents.response.updates import Update

Page = Callable[[User], Client]
Tell = Callable[..., Any]


@pytest.fixture
def alert(tell: Tell) -> Alert:
    """An alert that opened an incident of its own."""
    alert: Alert = tell("Recall fell", system="support-assistant", metric="recall@10", severity="critical")
    return alert


@pytest.fixture
def opened(alert: Alert) -> Incident:
    assert alert.incident
    return alert.incident


def test_alerts_move_with_the_merge_and_come_back_when_it_is_undone(
    incident: Incident, opened: Incident, alert: Alert, mara: User
) -> None:
    merging.merge(opened, incident, by=mara)
    alert.refresh_from_db()
    assert (alert.incident, alert.routed_because) == (
        incident,
        f"Moved to {incident} when {opened} was merged into it.",
    )
    merging.undo(opened, by=mara)
    alert.refresh_from_db()
    assert (alert.incident, opened.status, opened.merged_into) == (opened, "triage", None)
    assert alert.routed_because == f"Moved back to {opened} when a merge was undone."


def test_what_belonged_to_the_other_stays_there_when_a_merge_is_undone(
    incident: Incident, opened: Incident, alert: Alert, mara: User
) -> None:
    merging.merge(incident, opened, by=mara)
    merging.undo(incident, by=mara)
    alert.refresh_from_db()
    assert alert.incident == opened


def test_a_merge_that_is_refused_moves_nothing(incident: Incident, opened: Incident, alert: Alert, mara: User) -> None:
    opened.decline(by=mara, reason="A test run")
    with pytest.raises(WrongStatus):
        merging.merge(opened, incident, by=mara)
    alert.refresh_from_db()
    assert alert.incident == opened


def test_the_page_merges_and_offers_to_undo_it(
    incident: Incident, opened: Incident, alert: Alert, mara: User, as_person: Page
) -> None:
    client = as_person(mara)
    page = client.post(f"/incidents/{opened.number}/merge/", {"into": incident.number}, follow=True)
    assert f'formaction="/incidents/{opened.number}/undo/"' in page.content.decode()
    alert.refresh_from_db()
    assert alert.incident == incident
    client.post(f"/incidents/{opened.number}/undo/")
    alert.refresh_from_db()
    assert alert.incident == opened


def test_the_api_moves_them_too(
    incident: Incident,
    opened: Incident,
    alert: Alert,
    mara: User,
    client: Client,
    key_of: Callable[..., dict[str, str]],
) -> None:
    answer = client.post(
        f"/api/v1/incidents/{opened.number}/merge/",
        {"into": incident.number},
        content_type="application/json",
        headers=key_of(mara),
    )
    assert (answer.status_code, answer.json()["status"]) == (200, "merged"), answer.content
    alert.refresh_from_db()
    assert alert.incident == incident


class TestWhatAMergeKeeps:
    def test_who_took_it_who_leads_it_and_what_was_promised_come_along(
        self, incident: Incident, opened: Incident, mara: User
    ) -> None:
        promised = timezone.now() + timedelta(minutes=30)
        Update.objects.post(incident, text="We are looking.", by=mara, next_at=promised)
        incident.assign_lead(mara, by=mara)
        incident.refresh_from_db()
        merging.merge(incident, opened, by=mara)
        opened.refresh_from_db()
        assert (opened.status, opened.lead, opened.next_update_at) == ("investigating", mara, promised)
        assert opened.acknowledged_at == incident.acknowledged_at

    def test_undoing_it_gives_back_what_nobody_changed_since(
        self, incident: Incident, opened: Incident, mara: User, jo: User
    ) -> None:
        incident.assign_lead(mara, by=mara)
        incident.refresh_from_db()
        merging.merge(incident, opened, by=mara)
        opened.assign_lead(jo, by=mara)
        merging.undo(incident, by=mara)
        opened.refresh_from_db()
        assert (opened.status, opened.acknowledged_at, opened.lead) == ("triage", None, jo)

    def test_what_the_other_has_already_stays(self, incident: Incident, opened: Incident, mara: User, jo: User) -> None:
        opened.acknowledge(by=jo)
        before = opened.acknowledged_at
        merging.merge(incident, opened, by=mara)
        opened.refresh_from_db()
        assert (opened.lead, opened.acknowledged_at) == (jo, before)


class TestPrivateIncidents:
    def test_a_private_one_is_not_merged_into_one_that_everybody_sees(
        self, incident: Incident, opened: Incident, alert: Alert, mara: User, as_person: Page
    ) -> None:
        opened.restrict([], by=mara)
        answer = as_person(mara).post(f"/incidents/{opened.number}/merge/", {"into": incident.number}, follow=True)
        assert f"{opened} is private and {incident} is not" in answer.text
        alert.refresh_from_db()
        assert alert.incident == opened

    def test_nor_into_a_private_one_that_others_may_see(
        self, incident: Incident, opened: Incident, mara: User, jo: User
    ) -> None:
        opened.restrict([], by=mara)
        incident.restrict([jo], by=mara)
        with pytest.raises(Refused, match=f"{jo} may see {incident} but not {opened}"):
            merging.merge(opened, incident, by=mara)

    def test_among_the_same_people_it_is_merged(self, incident: Incident, opened: Incident, mara: User) -> None:
        opened.restrict([], by=mara)
        incident.restrict([], by=mara)
        merging.merge(opened, incident, by=mara)
        assert opened.status == "merged"


@pytest.mark.parametrize(("path", "status"), [("merge/", 200), ("link/", 422)])
def test_a_number_that_does_not_exist_is_said_on_the_page(
    incident: Incident, mara: User, as_person: Page, path: str, status: int
) -> None:
    client, here = as_person(mara), incident.get_absolute_url()
    sent = {"into": "INC-999", "other": "INC-999", "kind": "related"}
    answer = client.post(here + path, sent, follow=True, headers={"Referer": f"http://testserver{here}"})
    assert answer.status_code == status
    assert "There is no INC-999." in answer.text
    assert re.search(r'name="(into|other)"[^>]*value="INC-999"[^>]*aria-invalid="true"', answer.text), "at its field"


@pytest.mark.parametrize("typed", ["INC-999", "twelve", ""])
def test_an_alert_is_not_linked_to_what_is_none_and_it_is_said_where_it_was_typed(
    alert: Alert, mara: User, as_person: Page, typed: str
) -> None:
    before = alert.incident
    answer = as_person(mara).post(f"{alert.get_absolute_url()}link/", {"into": typed})
    assert answer.status_code == 422
    assert re.search(r'name="into"[^>]*aria-invalid="true"', answer.text)
    assert f'value="{typed}"' in answer.text
    alert.refresh_from_db()
    assert alert.incident == before
