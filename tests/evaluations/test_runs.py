"""Runs: taken once, in four formats; what got worse becomes an incident that names the first one, and ends by itself."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from incidents.alerts.drain import drain
from incidents.alerts.models import Alert
from incidents.evaluations.alarms import EvaluationSource
from incidents.evaluations.cases import EvaluationCase
from incidents.evaluations.formats import junit, results
from incidents.evaluations.formats.reports import UnreadableReport
from incidents.evaluations.runs import CaseResult, EvaluationRun
from incidents.people.models import User
from incidents.response.incident import Incident
from incidents.systems.models import System
from tests.evaluations.conftest import RUNS, content

Report = Callable[..., Any]


def _fall(report: Report) -> Any:
    """It passed 20 of 20, and fails five times of five."""
    for _ in range(4):
        assert report({"case-1": (5, 5)}).status_code == 201
    return report({"case-1": (0, 5)}, model="assistant-4")


def test_a_regression_opens_an_incident_that_names_the_first_one(
    refunds: EvaluationCase, incident: Incident, report: Report, mara: User, as_person: Callable[[User], Client]
) -> None:
    incident.resolve(by=mara)
    answer = _fall(report).json()
    assert answer["results"][0]["verdict"] == "regressed"
    assert "0 of 5 now and 20 of 20 before" in answer["results"][0]["because"]
    drain()
    alert = Alert.objects.get()
    assert (alert.failure_mode, alert.confidence, alert.severity) == ("retrieval.stale_index", "high", "high")
    assert f"The case came from {incident}." in alert.description
    assert "assistant-4" in alert.description
    assert alert.incident is not None
    assert alert.incident != incident
    page = as_person(mara).get(alert.incident.get_absolute_url()).content.decode()
    assert f'href="{incident.get_absolute_url()}"' in page
    assert incident.title in page


def test_the_alert_ends_once_it_passes_again(refunds: EvaluationCase, report: Report) -> None:
    _fall(report)
    assert report({"case-1": (1, 5)}).json()["results"][0]["verdict"] == ""
    drain()
    alert = Alert.objects.get()
    assert (alert.status, alert.occurrences) == ("firing", 2)
    assert report({"case-1": (5, 5)}).json()["results"][0]["verdict"] == "recovered"
    drain()
    alert.refresh_from_db()
    refunds.refresh_from_db()
    assert (alert.status, refunds.regressed_at) == ("resolved", None)


def test_one_flaky_run_opens_nothing(refunds: EvaluationCase, report: Report) -> None:
    for passed in (1, 1, 1, 1, 1, 1, 0):
        report({"case-1": (passed, 1)})
    drain()
    assert not Alert.objects.exists()


@pytest.mark.parametrize("act", ["edit", "retire"])
def test_the_alert_ends_where_the_case_is_changed_or_retired(
    refunds: EvaluationCase, report: Report, mara: User, act: str
) -> None:
    _fall(report)
    drain()
    refunds.refresh_from_db()
    if act == "edit":
        refunds.edit(content(rules="contains: 14 days"), by=mara, base=1, title="x")
    else:
        refunds.retire(because="The policy is gone.", by=mara)
    drain()
    assert Alert.objects.get().status == "resolved"


def test_the_same_run_again_changes_nothing_and_another_body_is_refused(
    refunds: EvaluationCase, report: Report
) -> None:
    ran_at = "2026-11-01T10:00:00Z"
    first = report({"case-1": (5, 5)}, run_id="7", ran_at=ran_at)
    again = report({"case-1": (5, 5)}, run_id="7", ran_at=ran_at)
    other = report({"case-1": (4, 5)}, run_id="7", ran_at=ran_at)
    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 409)
    assert again.json()["results"] == first.json()["results"]
    assert CaseResult.objects.count() == 1


def test_an_older_run_that_comes_late_is_kept_and_judges_nothing(refunds: EvaluationCase, report: Report) -> None:
    for _ in range(4):
        report({"case-1": (5, 5)})
    late = report({"case-1": (0, 5)}, ran_at=(timezone.now() - timedelta(days=3)).isoformat())
    assert late.json()["results"][0]["verdict"] == ""


def test_where_the_source_is_retired_no_alert_comes_and_the_answer_says_so(
    refunds: EvaluationCase, report: Report
) -> None:
    _fall(report)
    EvaluationSource.objects.get().source.retire()
    assert report({"case-1": (0, 5)}).json()["alerts"] is False


def test_a_private_incidents_case_says_nothing_in_its_alert(
    refunds: EvaluationCase, incident: Incident, report: Report, mara: User
) -> None:
    incident.restrict([], by=mara)
    _fall(report)
    drain()
    alert = Alert.objects.get()
    facts = json.dumps([alert.title, alert.description, alert.labels, alert.links, alert.category])
    for secret in ("case-1", "Refunds", str(incident), "retrieval"):
        assert secret not in facts


def test_who_may_not_see_a_case_reports_it_as_unknown(
    refunds: EvaluationCase, incident: Incident, mara: User, jo: User, key_of: Callable[..., dict[str, str]]
) -> None:
    incident.restrict([], by=mara)
    body = {"run_id": "1", "results": [{"case": key, "passed": 1} for key in ("case-1", "case-99")]}
    answer = Client().post(RUNS, json.dumps(body), content_type="application/json", headers=key_of(jo))
    assert answer.json()["unknown"] == ["case-1", "case-99"]
    assert not CaseResult.objects.exists()


JUNIT = b"""<?xml version="1.0"?><testsuites><testsuite name="pytest" tests="4">
<testcase classname="test_cases" name="test_case[0-case-1@1]" time="0.1"/>
<testcase classname="test_cases" name="test_case[1-case-1@1]"><failure message="assert not [x]">long</failure></testcase>
<testcase classname="test_cases" name="test_case[0-case-2@1]"><skipped/></testcase>
<testcase classname="other" name="test_other"/></testsuite></testsuites>"""
PROMPTFOO = {
    "evalId": "eval-abc",
    "results": {
        "version": 3,
        "timestamp": "2026-11-20T10:00:00.000Z",
        "results": [
            {"success": passed, "testCase": {"metadata": {"id": "case-1", "version": 1}}, "provider": {"id": "offline"}}
            for passed in (True, False)
        ],
    },
}
INSPECT = {
    "eval": {"eval_id": "W4r8", "model": "openai/x", "created": "2026-11-20T10:00:00+00:00"},
    "samples": [
        {"id": "case-1@1", "epoch": epoch, "scores": {"includes": {"value": value}}}
        for epoch, value in ((1, "C"), (2, "I"))
    ],
}


@pytest.mark.parametrize(
    ("form", "body", "model"),
    [
        ("junit", JUNIT, ""),
        ("promptfoo", json.dumps(PROMPTFOO), "offline"),
        ("inspect", json.dumps(INSPECT), "openai/x"),
    ],
)
def test_reports_of_tools_are_k_of_n(
    refunds: EvaluationCase, mara: User, key_of: Callable[..., dict[str, str]], form: str, body: Any, model: str
) -> None:
    answer = Client().post(
        f"{RUNS}?format={form}&run_id=9&prompt_version=p7", body, content_type="text/plain", headers=key_of(mara)
    )
    assert answer.status_code == 201, answer.json()
    (result,) = answer.json()["results"]
    assert (result["case"], result["version"], result["passed"], result["tries"]) == ("case-1", 1, 1, 2)
    run = EvaluationRun.objects.get()
    assert (run.model, run.prompt_version, run.run_id) == (model, "p7", "9")


BOMB = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><testsuite>&b;</testsuite>'
OUTSIDE = b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><testsuite/>'


@pytest.mark.parametrize(
    ("form", "body"),
    [
        *(
            ("junit", body)
            for body in (BOMB, OUTSIDE, b"", b"<a/>", b"\x00", b"<testsuite>" * 99, b"<?xml encoding='x'?>")
        ),
        *(
            (form, body)
            for form in ("faultline", "promptfoo", "inspect")
            for body in (b"", b"[]", b"{}", b"[" * 99_999)
        ),
        ("faultline", b'{"run_id": "1", "results": [{"case": "case-1", "passed": 2, "tries": 1}]}'),
        ("faultline", b'{"run_id": "1", "results": [{"case": "other", "passed": 1}]}'),
        ("faultline", b'{"run_id": "a\\u0000", "results": [{"case": "case-1", "passed": 1}]}'),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(
    refunds: EvaluationCase, mara: User, key_of: Callable[..., dict[str, str]], form: str, body: bytes
) -> None:
    answer = Client().post(f"{RUNS}?format={form}&run_id=1", body, content_type="text/plain", headers=key_of(mara))
    assert answer.status_code == 400, answer.content
    assert not EvaluationRun.objects.exists()


_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=9), st.just("case-1")),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["results", "samples", "eval", "success", "testCase", "metadata", "id"]), inner
        ),
    ),
)


@given(st.dictionaries(st.sampled_from(["results", "samples", "eval", "evalId"]), _JSON), st.binary(max_size=200))
def test_nothing_that_is_sent_breaks_a_reader(body: dict[str, Any], raw: bytes) -> None:
    for read in (results.of_promptfoo, results.of_inspect):
        try:
            read(body)
        except UnreadableReport:
            continue
    try:
        junit.read(b"<testsuite><testcase name='case-1'>" + raw)
    except UnreadableReport:
        return


def test_only_responders_report(
    refunds: EvaluationCase, rui: User, support_assistant: System, key_of: Callable[..., dict[str, str]]
) -> None:
    body = json.dumps({"run_id": "1", "results": [{"case": "case-1", "passed": 1}]})
    for headers in (key_of(rui), key_of(rui, "read")):
        assert Client().post(RUNS, body, content_type="application/json", headers=headers).status_code == 403
