"""Schemathesis asks all of the API what its schema allows and what it does not, and holds the answers against the schema."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import load_all_checks, not_a_server_error
from schemathesis.specs.openapi import checks

from incidents.people.models import ApiKey, Team, User
from incidents.response.incident import Incident
from incidents.systems.models import System
from reliability.wsgi import application

load_all_checks()
API = schemathesis.openapi.from_wsgi("/api/v1/schema/?format=json", application).exclude(tag="doors")
# Not whether all that the schema allows is accepted: that a slug must name something, a date lie in the future or a matcher
# be one is said in words, and answered with 400 and the field.
HELD = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
]


@pytest.fixture(autouse=True)
def _keep_the_connection() -> Iterator[None]:
    """As Django's own test client does: a request's end must not close the connection that holds the test's transaction."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@API.parametrize()
@settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_one_that_the_schema_foresees(
    case: Any, ada: User, assistants: Team, support_assistant: System, incident: Incident
) -> None:
    _, secret = ApiKey.issue(ada, name="fuzz", scopes=["read", "write", "ingest"])
    answer = case.call(headers={"Authorization": f"Bearer {secret}"})
    case.validate_response(answer, checks=HELD)
