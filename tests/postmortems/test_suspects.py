"""What changed before an incident began: one answer, on its page, in its postmortem and where the trigger is chosen."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from incidents.people.models import User
from incidents.postmortems.document import Postmortem
from incidents.postmortems.facts import facts_of
from incidents.response.incident import Incident
from incidents.systems.models import Change, System

Page = Callable[[User], Client]


def _changed(system: System, incident: Incident, title: str, **before: float) -> Change:
    return system.changes.create(kind="model", title=title, happened_at=incident.began_by - timedelta(**before))


def test_a_change_within_the_range_of_the_start_is_seen_on_the_incident_and_in_its_postmortem(
    incident: Incident, support_assistant: System, mara: User, as_person: Page
) -> None:
    """The output went wrong between five hours and one hour ago; the model was changed three hours ago."""
    now = timezone.now()
    incident.set_clock(
        "impact_started_at", now - timedelta(hours=5), until=now - timedelta(hours=1), method="person", by=mara
    )
    support_assistant.changes.create(kind="model", title="New reranker", happened_at=now - timedelta(hours=3))
    incident.resolve(by=mara)
    postmortem = Postmortem.objects.begin(incident, by=mara)
    client = as_person(mara)
    assert [change.title for change in incident.changes_before()] == ["New reranker"]
    assert "New reranker" in client.get(incident.get_absolute_url()).content.decode()
    assert any("New reranker" in fact.text for facts in facts_of(postmortem).values() for fact in facts)
    assert "New reranker" in client.get(postmortem.get_absolute_url()).content.decode()


@pytest.mark.parametrize(
    ("before", "is_suspect"),
    [({"days": 13}, True), ({"days": 15}, False), ({"minutes": 1}, True), ({"minutes": -1}, False)],
)
def test_changes_of_two_weeks_are_suspects(
    incident: Incident, support_assistant: System, before: dict[str, float], is_suspect: bool
) -> None:
    change = _changed(support_assistant, incident, "Prompt v9", **before)
    assert (change in incident.changes_before()) is is_suspect


def test_what_the_system_depends_on_is_looked_at_too_and_the_nearest_comes_first(
    incident: Incident, support_assistant: System, policy_index: System, fraud_scorer: System
) -> None:
    far = _changed(support_assistant, incident, "Prompt v9", days=2)
    near = _changed(policy_index, incident, "Index rebuilt", hours=1)
    _changed(fraud_scorer, incident, "Of another system", hours=1)
    assert incident.changes_before() == [near, far]
