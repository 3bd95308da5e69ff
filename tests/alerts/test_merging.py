"""An incident is merged into another, and its alerts follow: from the page, the API and back again."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from incidents.alerts import merging
from incidents.alerts.models import Alert
from incidents.errors import WrongStatus
from incidents.people.models import User
from incidents.response.incident import Incident

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
    assert alert.routed_because == f"Moved back to {opened} when its merge into {incident} was undone."


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
