"""Silence as an alert: what nothing is heard from."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from incidents.alerts import watching
from incidents.alerts.drain import drain
from incidents.alerts.models import Alert, Source
from incidents.alerts.policies import Watch
from incidents.response.incident import Incident
from incidents.systems.models import System

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def clock() -> Any:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def test_a_source_that_falls_silent_opens_an_incident_and_its_next_word_ends_the_alert(
    clock: Any, evaluations: tuple[Source, str], support_assistant: System, post: Callable[..., Any]
) -> None:
    source, token = evaluations
    Source.objects.update(system=support_assistant)
    Watch.objects.create(source=source, every_minutes=60)
    post(token, {"title": "All well", "severity": "info"})
    clock.shift(timedelta(minutes=59))
    assert watching.look() == 0
    clock.shift(timedelta(minutes=2))
    assert watching.look() == 1
    assert watching.look() == 0, "once is enough"
    drain()
    alert = Alert.objects.get(source__slug="faultline")
    assert (alert.title, alert.status, alert.starts_at) == (
        "Nothing heard from Nightly evaluations for 60 minutes",
        "firing",
        NOON + timedelta(hours=1),
    )
    incident = Incident.objects.get()
    assert (incident.system, incident.category) == (support_assistant, "data_quality")
    post(token, {"title": "All well", "severity": "info"})
    assert watching.look() == 1
    drain()
    alert.refresh_from_db()
    assert alert.status == "resolved"


def test_a_system_is_heard_of_through_any_source_but_our_own(
    clock: Any, evaluations: tuple[Source, str], policy_index: System, post: Callable[..., Any]
) -> None:
    Watch.objects.create(system=policy_index, every_minutes=10)
    clock.shift(timedelta(minutes=11))
    assert watching.look() == 1
    drain()
    assert watching.look() == 0, "what we say ourselves is no sign of life"
    post(evaluations[1], {"title": "Fresh", "severity": "info", "system": "policy-index"})
    drain()
    assert watching.look() == 1


def test_tests_and_refusals_are_no_sign_of_life(
    clock: Any, evaluations: tuple[Source, str], post: Callable[..., Any]
) -> None:
    Watch.objects.create(source=evaluations[0], every_minutes=10)
    clock.shift(timedelta(minutes=11))
    post(evaluations[1], b"{")
    assert watching.look() == 1
