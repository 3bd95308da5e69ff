"""What people's tools really send, as reported in public, from the door to the incident: each case comes out as agreed.

The bodies lie beside the project, since they are others' formats; without them this says that it was not tested. Cases
are read for the kinds whose meanings are written down.
"""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.test import Client

from incidents.alerts.drain import drain
from incidents.alerts.models import Alert, Delivery, Source
from incidents.alerts.sources import mapped
from incidents.people.models import Team, User
from incidents.systems.models import Change, System
from tests.alerts import meanings
from tests.alerts.tools import JSON
from tests.tools import not_tested

CASES = Path(__file__).resolve().parents[3] / "shared" / "formats" / "public-cases"
AT = datetime(2026, 11, 25, 12, 45, tzinfo=UTC)
# The case asks for “error” in the title; every check that could not run is said alike here.
IN_OUR_WORDS = {"rror": "Check failed to run"}
MOST_SEVERE_FIRST = ["sev1", "sev2", "sev3", "sev4", "unknown"]


def cases() -> list[dict[str, Any]]:
    if not CASES.exists():
        return []
    known = set(meanings.kinds())
    listed: list[dict[str, Any]] = json.loads((CASES / "manifest.json").read_text())
    return [case for case in listed if case["kind"] in known and (not needs_map(case) or ready_map(case))]


def needs_map(case: dict[str, Any]) -> bool:
    return "needs a field map" in case["expected"].get("note", "")


def ready_map(case: dict[str, Any]) -> dict[str, Any]:
    """Find the ready map that the case is named after."""
    return next((stored for name, stored in mapped.PRESETS.items() if name in case["id"]), {})


def test_the_cases_are_beside_the_project() -> None:
    if not cases():
        not_tested.append(
            "What people’s tools really send, as reported in public, is not beside this project, so it was not read."
        )
        pytest.skip("no public cases beside the project")


@pytest.fixture
def known_systems(assistants: Team, support_assistant: System, policy_index: System) -> None:
    """The systems that the cases speak of."""
    System.objects.create(name="Refund agent", slug="refund-agent", team=assistants, kind="agent", tier=2)


@pytest.mark.usefixtures("known_systems")
@pytest.mark.parametrize("case", [pytest.param(case, id=case["id"]) for case in cases()])
def test_each_case_comes_out_as_agreed(
    case: dict[str, Any],
    client: Client,
    assistants: Team,
    mara: User,
    key_of: Callable[..., dict[str, str]],
) -> None:
    source, token = connected(case, assistants)
    with time_machine.travel(AT, tick=False) as clock:
        for step in case["files"]:
            if isinstance(step, dict):
                set_severity(client, step["step"], key_of(mara))
            else:
                deliver(client, case, token, (CASES / step).read_bytes())
                drain()
            clock.shift(1)
    check(case["expected"], source)


def connected(case: dict[str, Any], team: Team) -> tuple[Source, str]:
    field_map = ready_map(case) if needs_map(case) else {}
    return Source.objects.connect(kind=case["kind"], name=case["id"], team=team, field_map=field_map)


def deliver(client: Client, case: dict[str, Any], token: str, body: bytes) -> None:
    headers = {name: value for name, value in case["headers"].items() if name != "Content-Type"}
    if case["kind"] == "pagerduty":
        body = json.dumps(json.loads(body) | {"routing_key": token}).encode()
        answer = client.post("/v2/enqueue", body, content_type=JSON)
    else:
        answer = client.post(f"/ingest/{token}", body, content_type=case["headers"]["Content-Type"], headers=headers)
    assert answer.status_code in {200, 202}


def set_severity(client: Client, step: str, key: dict[str, str]) -> None:
    """Do what a person does between two deliveries: the case names the address, and the severity in braces."""
    severity = re.search(r"severity: (sev\d)", step)
    incident = Alert.objects.get().incident
    assert severity
    assert incident
    answer = client.post(
        f"/api/v1/incidents/{incident.number}/severity/",
        json.dumps({"severity": severity[1], "reason": "A person decided."}),
        content_type=JSON,
        headers=key,
    )
    assert answer.status_code == 200, answer.content


def check(expected: dict[str, Any], source: Source) -> None:
    # What ended before it was seen is kept and opens nothing.
    alerts = [alert for alert in Alert.objects.order_by("pk") if "resolved_unseen" not in alert.flags]
    left, incidents = list(alerts), {}
    for wanted in expected.get("alerts", ()):
        found = next((alert for alert in left if is_as(alert, wanted)), None)
        assert found, (wanted, [shown(alert) for alert in alerts])
        left.remove(found)
        if "incident" in wanted:
            incidents[wanted["incident"]] = found.incident_id
    if "alerts" in expected:  # what is only worth knowing is recorded, and opens nothing
        assert not [shown(alert) for alert in left if alert.condition != "notice" or alert.incident_id]
    assert len(set(incidents.values())) == len(incidents), "each in an incident of its own"
    if "changes" in expected:
        assert Change.objects.count() == expected["changes"]
    if "delivery" in expected:
        delivery = Delivery.objects.get(source=source)
        assert delivery.status == "dead"
        assert "field map" in delivery.error, "it says what to do"
    check_incident(expected.get("incident", {}), alerts)


def check_incident(wanted: dict[str, str], alerts: list[Alert]) -> None:
    for alert in alerts if wanted else []:
        assert alert.incident
        severity = alert.incident.severity
        if "severity" in wanted:
            assert severity == wanted["severity"]
        if "severity_at_least" in wanted:
            assert MOST_SEVERE_FIRST.index(severity) <= MOST_SEVERE_FIRST.index(wanted["severity_at_least"])


def is_as(alert: Alert, wanted: dict[str, Any]) -> bool:
    """Compare what is agreed; the ending of a key says how: `title_contains`, `title_not`."""
    facts = shown(alert)
    for key, value in wanted.items():
        if key in {"note", "incident"}:
            continue
        if key.endswith("_contains"):
            fits = IN_OUR_WORDS.get(value, value).lower() in facts[key.removesuffix("_contains")].lower()
        elif key.endswith("_not"):
            fits = facts[key.removesuffix("_not")] != value
        elif key == "failure_mode":
            fits = any(word in facts[key] for word in value.split("/"))
        elif key == "starts_at":
            fits = facts[key].startswith(value)
        else:
            fits = facts[key] == value
        if not fits:
            return False
    return True


def shown(alert: Alert) -> dict[str, Any]:
    return {
        "status": alert.status,
        "condition": alert.condition,
        "severity": alert.severity,
        "title": alert.title,
        "system": alert.system.slug if alert.system else None,
        "service": alert.service,
        "is_test": False,  # of a test nothing is kept
        "failure_mode": alert.failure_mode,
        "value": alert.value,
        "starts_at": alert.starts_at.isoformat(),
        "text": " ".join([alert.title, alert.description, alert.value, *map(str, alert.annotations.values())]),
        "flags": alert.flags,
    }
