"""A field map: JSON of any shape, read by expressions."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incidents.alerts.bodies import Unreadable
from incidents.alerts.claims import Claim
from incidents.alerts.sources import mapped


class TestAMapOfOnesOwn:
    MAP = {
        "items": "events",
        "title": "name",
        "key": "id",
        "status": "phase",
        "resolved": "done, finished",
        "severity": "level",
        "labels": "tags",
    }
    BODY = {
        "events": [{"id": 7, "name": "Index is stale", "phase": "DONE", "level": "P1", "tags": ["system:policy-index"]}]
    }

    def test_it_reads_what_nobody_foresaw(self) -> None:
        (claim,) = mapped.reader(self.MAP)(json.dumps(self.BODY).encode(), {})
        assert isinstance(claim, Claim)
        assert (claim.says, claim.title, claim.severity, claim.identity) == (
            "resolved",
            "Index is stale",
            "critical",
            ("key/1", "7"),
        )
        assert claim.system_name == "policy-index"

    @pytest.mark.parametrize(("expression", "said"), [("nothing", "no list"), ("events[0]", "no list")])
    def test_a_list_that_is_none_is_said(self, expression: str, said: str) -> None:
        with pytest.raises(Unreadable, match=said):
            mapped.reader(self.MAP | {"items": expression})(json.dumps(self.BODY).encode(), {})

    @pytest.mark.parametrize("expression", ["a[", "]", "nope(a)" * 90, "(" * 200])
    def test_an_expression_that_cannot_be_is_said_before_it_is_kept(self, expression: str) -> None:
        assert mapped.FieldMap.of({"title": expression}).errors()["title"]

    @settings(max_examples=300, deadline=None)
    @given(expression=st.text(max_size=60), body=st.recursive(st.none() | st.integers() | st.text(), st.lists))
    def test_no_expression_breaks_a_worker(self, expression: str, body: Any) -> None:
        with contextlib.suppress(Unreadable):
            mapped.reader({"title": expression, "labels": expression})(json.dumps(body).encode(), {})


def read_by(preset: str, body: dict[str, Any]) -> Claim:
    (claim,) = mapped.preset(preset)(json.dumps(body).encode(), {})
    assert isinstance(claim, Claim)
    return claim


class TestReadyMaps:
    BRAINTRUST: dict[str, Any] = {
        "organization": {"id": "o1", "name": "Acme"},
        "project": {"id": "p1", "name": "support-assistant"},
        "automation": {"id": "a1", "name": "Factuality is low", "event_type": "logs", "btql_filter": "scores.F < 0.5"},
        "details": {
            "is_test": False,
            "message": "7 logs in 5 minutes",
            "count": 7,
            "time_start": "2026-11-20T12:00:00Z",
        },
    }
    INCIDENT: dict[str, Any] = {
        "page": {"id": "pg", "status_indicator": "major"},
        "incident": {"id": "i1", "name": "Completions fail", "status": "investigating", "impact": "major"},
    }

    def test_braintrust_names_the_automation_and_the_project(self) -> None:
        claim = read_by("braintrust", self.BRAINTRUST)
        assert (claim.title, claim.system_name, claim.measured.number) == ("Factuality is low", "support-assistant", 7)
        assert claim.identity == ("key/1", "a1")

    def test_braintrusts_test_and_its_environments_open_nothing(self) -> None:
        tried = self.BRAINTRUST | {"details": {"is_test": True, "message": "A test"}}
        assert read_by("braintrust", tried).is_test
        environment = {"id": "a2", "name": "Production prompts", "event_type": "environment_update"}
        deployed = {
            "automation": environment,
            "project": {"name": "x"},
            "details": {"environment": {"slug": "production"}},
        }
        assert read_by("braintrust", deployed).condition == "notice"

    @pytest.mark.parametrize(
        ("status", "says"),
        [("identified", "firing"), ("monitoring", "firing"), ("resolved", "resolved"), ("postmortem", "resolved")],
    )
    def test_an_incident_of_a_provider_is_one_alert_until_it_is_resolved(self, status: str, says: str) -> None:
        later = self.INCIDENT | {"incident": self.INCIDENT["incident"] | {"status": status}}
        claim = read_by("statuspage", later)
        assert (claim.says, claim.severity, claim.identity) == (says, "high", ("key/1", "i1"))
        assert not claim.flags

    def test_maintenance_that_is_planned_is_a_notice(self) -> None:
        planned = {"id": "m1", "name": "Database upgrade", "status": "scheduled", "impact": "maintenance"}
        assert read_by("statuspage", {"incident": planned}).condition == "notice"

    @pytest.mark.parametrize(("status", "says"), [("major_outage", "firing"), ("operational", "resolved")])
    def test_a_component_of_a_provider_is_an_alert_too(self, status: str, says: str) -> None:
        update = {"new_status": status, "old_status": "operational", "created_at": "2026-11-20T12:00:00Z"}
        claim = read_by("statuspage", {"component": {"id": "c1", "name": "API"}, "component_update": update})
        assert (claim.says, claim.identity) == (says, ("key/1", "c1"))
        assert claim.title == f"API is {status}"

    def test_superwise_tells_two_models_apart(self) -> None:
        body = {
            "subject": "Drift of income",
            "severity": "Error",
            "attributes": {"model": "loan-ranker", "version": "4"},
        }
        claim = read_by("superwise", body)
        assert (claim.title, claim.severity, claim.system_name) == ("Drift of income", "high", "loan-ranker")
        assert read_by("superwise", body | {"attributes": {"model": "fraud-scorer"}}).identity != claim.identity

    @pytest.mark.parametrize("preset", mapped.PRESETS)
    def test_each_can_be_compiled(self, preset: str) -> None:
        assert mapped.FieldMap.of(mapped.PRESETS[preset]).errors() == {}


class TestTheCondition:
    @pytest.mark.parametrize(
        ("said", "condition"), [("no_data", "no_data"), ("Check failed", "check_failed"), ("x", "bad_value")]
    )
    def test_a_map_says_what_it_is_about(self, said: str, condition: str) -> None:
        (claim,) = mapped.reader({"title": "name", "condition": "kind"})(
            json.dumps({"name": "PSI", "kind": said}).encode(), {}
        )
        assert isinstance(claim, Claim)
        assert claim.condition == condition
