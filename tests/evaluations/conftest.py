"""A case of the assistant, and a CI job that reports how it went."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from incidents.evaluations import checks
from incidents.evaluations.cases import Content, EvaluationCase
from incidents.people.models import User
from incidents.response.incident import Incident
from incidents.systems.models import System

RUNS = "/api/v1/systems/support-assistant/evaluation-runs"
CASES = "/api/v1/systems/support-assistant/evaluation-cases"


def content(text: str = "How long do refunds take?", rules: str = "contains: 30 days") -> Content:
    return Content(input=text, expected="Within 30 days.", checks=checks.parse(rules))


@pytest.fixture
def refunds(support_assistant: System, incident: Incident, mara: User) -> EvaluationCase:
    """A case that Mara made of the incident."""
    return EvaluationCase.objects.add(
        support_assistant,
        content(),
        title="Refunds take 30 days",
        by=mara,
        incident=incident,
        severity="sev2",
        failure_mode="retrieval.stale_index",
        tags=["refunds"],
    )


@pytest.fixture
def report(mara: User, key_of: Callable[..., dict[str, str]]) -> Callable[..., Any]:
    """Report a run with Mara’s key: how often each case passed, by its key."""
    headers, count = key_of(mara), iter(range(1, 10_000))

    def send(results: dict[str, tuple[int, int]], *, run_id: str = "", **facts: Any) -> Any:
        rows = [{"case": key, "passed": passed, "tries": tries} for key, (passed, tries) in results.items()]
        body = {"run_id": run_id or f"run-{next(count)}", "model": "assistant-3", "results": rows, **facts}
        return Client().post(RUNS, json.dumps(body), content_type="application/json", headers=headers)

    return send
