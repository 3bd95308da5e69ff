"""Schemathesis asks all of the API what its schema allows and what it does not, and holds the answers against the schema.

One request for each operation, and then one after another: what is made by one is read, changed and taken back by the next.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import load_all_checks, not_a_server_error
from schemathesis.specs.openapi import checks

from incidents.alerts.models import Alert, Source
from incidents.followups.models import FollowUp
from incidents.people.models import ApiKey, Team, User
from incidents.postmortems.document import Postmortem
from incidents.response.incident import Incident
from incidents.systems.models import System
from reliability.wsgi import application
from tests.tools import reported

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


Machine: Any = API.as_state_machine()


def test_whatever_is_asked_after_whatever_else(
    ada: User, support_assistant: System, incident: Incident, evaluations: tuple[Source, str]
) -> None:
    times = dict.fromkeys(("starts_at", "newest_start_at", "first_received_at", "last_received_at"), timezone.now())
    Alert.objects.create(source=evaluations[0], fingerprint="x", title="Recall fell", incident=incident, **times)
    over = Incident.objects.declare(title="Answers were stale", by=ada, system=support_assistant)
    over.resolve(by=ada)
    Postmortem.objects.begin(over, by=ada)
    FollowUp.objects.add(over, title="Alert on index age", by=ada)
    _, secret = ApiKey.issue(ada, name="fuzz", scopes=["read", "write", "ingest"])
    answered: Counter[str] = Counter()

    class Journey(Machine):  # type: ignore[misc]  # made of the schema as it is
        def setup(self) -> None:
            self.transaction = transaction.atomic()
            self.transaction.__enter__()

        def teardown(self) -> None:
            transaction.set_rollback(True)
            self.transaction.__exit__(None, None, None)
            super().teardown()

        def get_call_kwargs(self, case: Any) -> dict[str, Any]:
            return {"headers": {"Authorization": f"Bearer {secret}"}}

        def validate_response(self, response: Any, case: Any, **_: Any) -> None:
            case.validate_response(response, checks=HELD)
            answered[f"{case.operation.label} {response.status_code}"] += 1

    journeys = settings(
        max_examples=120,
        stateful_step_count=12,
        deadline=None,
        derandomize=True,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    Journey.run(settings=journeys)
    asked = {label.rpartition(" ")[0] for label in answered}
    taken = {label for label in answered if label.rpartition(" ")[2] in ("200", "201", "202", "204")}
    reported.append(f"contract: {answered.total()} requests to {len(asked)} operations, one after another")
    assert (len(asked) > 25, len(taken) > 12) == (True, True), sorted(answered)
