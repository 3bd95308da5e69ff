"""Schemathesis knocks at every door with what its description allows, and with what it does not."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error

from incidents.alerts.drain import drain
from incidents.alerts.models import Delivery, Source
from incidents.people.models import Team
from reliability.wsgi import application

DOORS = schemathesis.openapi.from_wsgi("/api/v1/schema/?format=json", application).include(tag="doors")


@pytest.fixture(autouse=True)
def _keep_the_connection() -> Iterator[None]:
    """As Django's own test client does: a request's end must not close the connection that holds the test's transaction."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@DOORS.parametrize()
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_door_answers_with_an_error_of_ours(case: Any, assistants: Team) -> None:
    token = _token(assistants)
    if "token" in case.path_parameters:
        case.path_parameters["token"] = token
    if isinstance(case.body, dict) and "routing_key" in case.body:
        case.body["routing_key"] = token
    answer = case.call(headers={"Authorization": f"GenieKey {token}"})
    case.validate_response(answer, checks=[not_a_server_error])
    drain()
    assert not Delivery.objects.filter(error__contains="while processing it").exists()


_made: dict[int, str] = {}


def _token(team: Team) -> str:
    if team.pk not in _made:
        _made[team.pk] = Source.objects.connect(kind="generic", name="Fuzzed", team=team)[1]
    return _made[team.pk]
