"""The versions that were in force, as changes tell it; what nobody recorded is unknown."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from incidents.evidence.context import AiContext, PartInForce, context_of
from incidents.people.models import User
from incidents.response.incident import Incident
from incidents.systems.models import Change, System


@pytest.fixture
def onset() -> datetime:
    return timezone.now() - timedelta(days=2)


@pytest.fixture
def begun(incident: Incident, mara: User, onset: datetime) -> Incident:
    incident.set_clock("impact_started_at", onset, by=mara)
    return incident


def change(system: System | None, kind: str, version: str, at: datetime, title: str = "A change") -> Change:
    assert system
    return Change.objects.create(system=system, kind=kind, version=version, title=title, happened_at=at)


def found(incident: Incident) -> AiContext:
    context = context_of(incident)
    assert context
    return context


def part(incident: Incident, kind: str, system: str = "support-assistant") -> PartInForce:
    return next(part for part in found(incident).parts if (part.kind, part.system) == (kind, system))


def versions(one: PartInForce) -> tuple[str | None, str | None]:
    return (
        one.at_onset.version if one.at_onset else None,
        one.at_detection.version if one.at_detection else None,
    )


def test_the_last_change_before_each_moment_is_in_force(begun: Incident, onset: datetime) -> None:
    change(begun.system, "model", "1", onset - timedelta(days=30))
    change(begun.system, "model", "2", onset - timedelta(days=1))
    change(begun.system, "model", "3", onset + timedelta(hours=1))
    change(begun.system, "model", "4", timezone.now() + timedelta(hours=1))
    assert versions(part(begun, "model")) == ("2", "3")
    assert [one.kind for one in found(begun).differing] == ["model"]


def test_what_no_change_tells_is_unknown_and_of_that_nothing_differs(begun: Incident) -> None:
    context = found(begun)
    assert [one.label for one in context.parts] == ["Model", "Prompt", "Index", "Data set", "Tools", "Guardrails"]
    assert all(versions(one) == (None, None) for one in context.parts)
    assert not context.is_known
    assert not context.differing


def test_a_change_at_the_very_moment_is_in_force_and_one_without_a_version_is_its_title(
    begun: Incident, onset: datetime
) -> None:
    change(begun.system, "prompt", "", onset, title="Shorter prompt")
    assert versions(part(begun, "prompt")) == ("Shorter prompt", "Shorter prompt")


def test_what_it_depends_on_is_told_where_a_change_is_on_record(
    begun: Incident, policy_index: System, fraud_scorer: System, onset: datetime
) -> None:
    change(policy_index, "index", "2026-07", onset + timedelta(hours=1))
    change(fraud_scorer, "model", "9", onset)
    assert versions(part(begun, "index", "policy-index")) == (None, "2026-07")
    assert {one.system for one in found(begun).parts} == {"support-assistant", "policy-index"}
    assert [one.system for one in found(begun).differing] == ["policy-index"]


def test_while_the_onset_is_unknown_nothing_is_said_to_differ(
    incident: Incident, mara: User, as_person: Callable[[User], Client]
) -> None:
    change(incident.system, "model", "7", timezone.now() - timedelta(days=9))
    assert versions(part(incident, "model")) == (None, "7")
    assert not found(incident).differing
    page = as_person(mara).get(f"/incidents/{incident.number}/").content.decode()
    assert "When the impact started is unknown" in page


def test_an_incident_without_a_system_has_none(mara: User) -> None:
    assert context_of(Incident.objects.declare(title="Something", by=mara)) is None


def test_programs_read_it_too(begun: Incident, onset: datetime, mara: User, client: Client, key_of: Any) -> None:
    change(begun.system, "guardrail", "v2", onset)
    answer = client.get(f"/api/v1/incidents/{begun.number}/ai-context/", headers=key_of(mara)).json()
    guardrail = next(one for one in answer["parts"] if one["kind"] == "guardrail")
    assert (guardrail["at_onset"]["version"], guardrail["differs"]) == ("v2", False)
    assert next(one for one in answer["parts"] if one["kind"] == "model")["at_onset"] is None
