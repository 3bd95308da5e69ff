"""Every monitor's format: what is read of it, in both directions of an alert, and that nothing in it breaks a worker."""

import contextlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incidents.alerts.bodies import Unreadable
from incidents.alerts.claims import ChangeAnnounced, Claim, Handshake, RejectedItem
from incidents.alerts.sources import KINDS, alertmanager, example, mapped, opsgenie, pagerduty
from incidents.alerts.sources.readers import READERS
from tests.tools import not_tested

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "formats"

# Sources whose folder of samples has another name than the kind that reads them.
READ_AS = {
    "prometheus_direct": "alertmanager", "grafana_legacy": "grafana", "pagerduty_events_v2": "pagerduty",
    "slack_compatible": "slack", "aws_eventbridge": "aws", "azure_monitor": "azure", "gcp_monitoring": "gcp", "dbt_cloud": "dbt",
}  # fmt: skip


def told(slug: str, body: Any = None, **headers: str) -> list[Any]:
    raw = example(slug) if body is None else json.dumps(body).encode()
    return READERS[slug](raw, headers)


def only(slug: str, body: Any = None, **headers: str) -> Claim:
    (claim,) = told(slug, body, **headers)
    assert isinstance(claim, Claim)
    return claim


def changed(slug: str, *path: str | int, to: Any) -> Any:
    """The kind's example with one value changed."""
    body = json.loads(example(slug))
    place = body
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = to
    return body


# How each monitor says that its example is over.
ENDS: dict[str, tuple[Any, ...]] = {
    "generic": ("status", "resolved"),
    "nannyml": ("status", "resolved"),
    "whylogs": ("status", "resolved"),
    "cloudevents": ("data", "status", "resolved"),
    "alertmanager": ("alerts", 0, "status", "resolved"),
    "grafana": ("alerts", 0, "status", "resolved"),
    "datadog": ("alert_transition", "Recovered"),
    "sentry": ("action", "resolved"),
    "newrelic": ("state", "CLOSED"),
    "honeycomb": ("status", "OK"),
    "kibana": ("status", "recovered"),
    "dynatrace": ("State", "RESOLVED"),
    "kapacitor": ("level", "OK"),
    "axiom": ("action", "Closed"),
    "zabbix": ("status", "RESOLVED"),
    "arize": ("type", "online_task.run.succeeded"),
    "soda": ("checkResults", 0, "outcome", "pass"),
    "monte_carlo": ("payload", "status", "fixed"),
    "dbt": ("data", "runStatus", "Success"),
    "databricks": ("event_type", "jobs.on_success"),
    "aws": ("detail", "state", "value", "OK"),
    "azure": ("data", "essentials", "monitorCondition", "Resolved"),
    "gcp": ("incident", "state", "closed"),
    "pagerduty": ("event_action", "resolve"),
    "uptime_kuma": ("heartbeat", "status", 1),
    "healthchecks": ("status", "up"),
    "pingdom": ("current_state", "UP"),
}


class TestEveryMonitor:
    @pytest.mark.parametrize("slug", KINDS)
    def test_its_example_is_understood_with_nothing_left_to_guess(self, slug: str) -> None:
        (statement,) = told(slug)
        if isinstance(statement, ChangeAnnounced):
            assert statement.kind
            assert statement.title
            return
        assert statement.says == "firing"
        assert statement.identity[0].endswith("/1")
        assert "no_identity" not in statement.flags
        assert statement.names

    @pytest.mark.parametrize("slug", ENDS)
    def test_what_it_says_at_the_end_is_about_the_same_alert(self, slug: str) -> None:
        *path, word = ENDS[slug]
        over = only(slug, changed(slug, *path, to=word))
        assert over.says == "resolved"
        assert over.fingerprint(1) == only(slug).fingerprint(1)

    def test_every_kind_resolves_or_says_that_it_never_does(self) -> None:
        by_other_means = {"opsgenie", "slack", "wandb", "langfuse", "evidently", "great_expectations", "aws_sns"}
        assert {slug for slug, kind in KINDS.items() if kind.resolves} == set(ENDS) | by_other_means

    @pytest.mark.parametrize("slug", KINDS)
    def test_the_same_body_twice_is_the_same_alert(self, slug: str) -> None:
        assert told(slug) == told(slug)


class TestAlertmanager:
    def test_the_webhook_and_the_api_name_an_alert_alike(self) -> None:
        alert = json.loads(example("alertmanager"))["alerts"][0]
        (direct,) = alertmanager.read(json.dumps([alert]).encode(), {})
        assert isinstance(direct, Claim)
        assert direct.fingerprint(1) == only("alertmanager").fingerprint(1)

    @pytest.mark.parametrize(
        ("ends_at", "says", "expires"),
        [
            ("2026-11-20T12:04:00Z", "firing", NOON + timedelta(minutes=4)),
            ("2026-11-20T11:59:00Z", "resolved", None),
            (None, "firing", NOON + timedelta(minutes=5)),
            ("0001-01-01T00:00:00Z", "firing", NOON + timedelta(minutes=5)),
        ],
    )
    def test_the_end_in_the_future_is_a_lease(self, ends_at: str | None, says: str, expires: datetime | None) -> None:
        body = json.dumps([{"labels": {"alertname": "Drift"}, "startsAt": "2026-11-20T11:00:00Z", "endsAt": ends_at}])
        (claim,) = alertmanager.read(body.encode(), {})
        assert isinstance(claim, Claim)
        settled = claim.at(NOON)
        assert (settled.says, settled.expires_at) == (says, expires)

    def test_an_alert_without_labels_is_left_out_and_the_others_are_taken(self) -> None:
        first, second = alertmanager.read(b'[{"labels": {}}, {"labels": {"alertname": "Drift"}}]', {})
        assert isinstance(first, RejectedItem)
        assert isinstance(second, Claim)

    @pytest.mark.parametrize("body", [b"[]", b"null"])
    def test_an_empty_list_says_nothing(self, body: bytes) -> None:
        assert alertmanager.read(body, {}) == []

    def test_a_pair_of_servers_tells_of_one_alert(self) -> None:
        other = changed("alertmanager", "alerts", 0, "labels", "replica", to="b")
        assert only("alertmanager", other).fingerprint(1) == only("alertmanager").fingerprint(1)

    def test_the_group_and_what_it_hides_are_noted(self) -> None:
        claim = only("alertmanager", changed("alertmanager", "truncatedAlerts", to=5))
        assert "truncated_group" in claim.flags
        assert claim.group.startswith("faultline {}:")


class TestOthers:
    def test_grafanas_missing_data_is_silence_and_names_the_rule(self) -> None:
        body = changed("grafana", "alerts", 0, "labels", to={"alertname": "DatasourceNoData", "rulename": "Hit rate"})
        claim = only("grafana", body)
        assert (claim.says, claim.title, claim.names[0]) == ("no_data", "No data: Hit rate", "Hit rate")

    def test_grafanas_rule_of_old_is_known_by_nothing_else_at_its_end(self) -> None:
        firing = {
            "ruleId": 7,
            "ruleName": "CTR",
            "state": "alerting",
            "title": "CTR is low",
            "evalMatches": [{"metric": "ctr", "value": 0.02, "tags": {}}],
        }
        over = {"ruleId": 7, "ruleName": "CTR", "state": "ok", "title": "[OK]", "evalMatches": []}
        assert only("grafana", over).fingerprint(1) == only("grafana", firing).fingerprint(1)

    def test_a_variable_that_datadog_did_not_fill_in_names_nothing(self) -> None:
        claim = only(
            "datadog", {"alert_id": "$ALERT_ID", "title": "Low click-through", "alert_transition": "Triggered"}
        )
        assert {"unexpanded_template", "no_identity"} <= set(claim.flags)

    def test_sns_hides_an_alarm_in_its_message_and_asks_to_be_confirmed(self) -> None:
        assert only("aws_sns").measured.metric == "feature_baseline_drift_income"
        assert only("aws_sns").fingerprint(1) == only("aws").fingerprint(1), "the same alarm by both roads"
        asked = changed("aws_sns", "Type", to="SubscriptionConfirmation") | {
            "SubscribeURL": "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=1"
        }
        (handshake,) = told("aws_sns", asked)
        assert isinstance(handshake, Handshake)
        assert handshake.confirm_url == asked["SubscribeURL"]

    def test_sagemakers_violations_are_one_alert_a_feature_and_check(self) -> None:
        report = {"endpoint": "fraud-scorer", "violations": [
            {"feature_name": "income", "constraint_check_type": "baseline_drift_check", "description": "0.41 > 0.1"},
            {"feature_name": "age", "constraint_check_type": "completeness_check", "description": "0.96 < 1"},
        ]}  # fmt: skip
        claims = told("aws", report)
        assert [claim.names[0] for claim in claims] == ["baseline_drift_check", "completeness_check"]
        assert len({claim.fingerprint(1) for claim in claims}) == 2

    def test_an_event_of_a_job_that_only_began_is_no_alert(self) -> None:
        event = {
            "detail-type": "SageMaker Training Job State Change",
            "source": "aws.sagemaker",
            "detail": {"TrainingJobStatus": "InProgress"},
        }
        assert isinstance(told("aws", event)[0], Handshake)

    def test_azure_counts_from_zero(self) -> None:
        severities = [
            only("azure", changed("azure", "data", "essentials", "severity", to=f"Sev{n}")).severity for n in range(5)
        ]
        assert severities == ["critical", "high", "medium", "low", "info"]

    def test_pub_sub_wraps_google_clouds_incident(self) -> None:
        import base64

        wrapped = {
            "message": {"data": base64.b64encode(example("gcp")).decode(), "messageId": "1"},
            "subscription": "s",
        }
        assert only("gcp", wrapped) == only("gcp")

    def test_mlflow_tells_of_changes_too(self) -> None:
        said = {
            "entity": "prompt_version",
            "action": "created",
            "timestamp": "2026-11-20T12:00:00Z",
            "data": {"name": "support-assistant", "version": "14"},
        }
        (change,) = told("mlflow", said)
        assert change == ChangeAnnounced(
            title="prompt version support-assistant 14 created",
            kind="prompt",
            system_name="support-assistant",
            version="14",
            happened_at=NOON,
        )

    def test_a_report_that_passes_ends_what_one_that_failed_began(self) -> None:
        passed = changed("evidently", "report", "tests", to=[{"name": "Share", "status": "SUCCESS"}])
        assert only("evidently", passed).says == "resolved"
        assert only("evidently", passed).fingerprint(1) == only("evidently").fingerprint(1)
        clean = json.loads(example("great_expectations"))
        for result in clean["report"]["validation_results"][0]["expectations"]:
            result["success"], result["kwargs"]["batch_id"] = True, "features-2026-11-21"
        assert only("great_expectations", clean).says == "resolved"
        assert only("great_expectations", clean).fingerprint(1) == only("great_expectations").fingerprint(1)

    def test_pagerdutys_change_event_and_its_address(self) -> None:
        event = {
            "payload": {
                "summary": "Prompt 14 is live",
                "source": "support-assistant",
                "timestamp": "2026-11-20T12:00:00Z",
                "custom_details": {"kind": "prompt", "version": "14"},
            }
        }
        (change,) = pagerduty.read(json.dumps(event).encode(), {":path": "/v2/change/enqueue"})
        assert change == ChangeAnnounced(
            title="Prompt 14 is live", kind="prompt", system_name="support-assistant", version="14", happened_at=NOON
        )

    @pytest.mark.parametrize(("act", "says"), [("close", "resolved"), ("acknowledge", "acknowledged")])
    def test_opsgenies_alias_is_in_the_address(self, act: str, says: str) -> None:
        (claim,) = opsgenie.read(b"", {":path": f"/v2/alerts/groundedness/{act}"})
        assert isinstance(claim, Claim)
        assert claim.says == says
        assert claim.fingerprint(1) == only("opsgenie").fingerprint(1)

    def test_cloudevents_in_three_modes(self) -> None:
        structured = only("cloudevents")
        event = json.loads(example("cloudevents"))
        data = json.dumps(event.pop("data")).encode()
        headers = {f"ce-{name}": str(value) for name, value in event.items()}
        (binary,) = READERS["cloudevents"](data, headers)
        (batched,) = told("cloudevents", [json.loads(example("cloudevents"))])
        assert binary == structured == batched
        assert told("cloudevents", []) == []

    @pytest.mark.parametrize(
        ("text", "says", "title"),
        [
            ("[RESOLVED] Groundedness is low", "resolved", "Groundedness is low"),
            (":white_check_mark: Groundedness is back", "resolved", "Groundedness is back"),
            ("Groundedness is low", "firing", "Groundedness is low"),
            ("The answer was resolved wrongly", "firing", "The answer was resolved wrongly"),
        ],
    )
    def test_a_slack_message_says_over_only_at_its_beginning(self, text: str, says: str, title: str) -> None:
        claim = only("slack", {"text": text})
        assert (claim.says, claim.title) == (says, title)

    def test_uptime_kuma_by_form_by_parts_and_by_query(self) -> None:
        parts = (
            b'--x\r\nContent-Disposition: form-data; name="data"\r\n\r\n' + example("uptime_kuma") + b"\r\n--x--\r\n"
        )
        (claim,) = READERS["uptime_kuma"](parts, {"content-type": "multipart/form-data; boundary=x"})
        assert claim == only("uptime_kuma")
        (by_query,) = READERS["uptime_kuma"](
            b"monitor_name=Endpoint&status=0&msg=down", {"content-type": "application/x-www-form-urlencoded"}
        )
        assert isinstance(by_query, Claim)
        assert by_query.title == "Endpoint is down"

    @pytest.mark.parametrize(
        ("slug", "body"),
        [
            ("grafana", {"alerts": [{"labels": {"alertname": "TestAlert", "instance": "Grafana"}}]}),
            ("generic", {"title": "Hello", "test": True}),
            ("uptime_kuma", {"heartbeat": None, "monitor": None, "msg": "Testing"}),
            ("gcp", {"version": "test", "incident": {"policy_name": "p", "state": "open"}}),
        ],
    )
    def test_a_test_is_recognised(self, slug: str, body: Any) -> None:
        assert only(slug, body).is_test

    def test_text_that_is_wide_or_broken_is_read(self) -> None:
        (wide,) = READERS["generic"]('{"title": "dérive €"}'.encode("utf-16"), {})
        (broken,) = READERS["generic"](b'{"title": "d\xe9rive"}', {})
        assert isinstance(wide, Claim)
        assert isinstance(broken, Claim)
        assert (wide.title, broken.title) == ("dérive €", "d\ufffdrive")


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


# Nothing in a body breaks a worker


def samples() -> list[dict[str, Any]]:
    if not SAMPLES.exists():
        return []
    found: list[dict[str, Any]] = json.loads((SAMPLES / "manifest.json").read_text())
    return [sample for sample in found if (SAMPLES / sample["file"]).exists()]


def headers_of(sample: dict[str, Any]) -> dict[str, str]:
    headers = {name.lower(): value for name, value in sample["request"]["headers"].items()}
    media = sample["request"]["content_type"]
    return headers | ({"content-type": media} if media else {})


def test_the_samples_of_others_give_the_alerts_that_were_agreed() -> None:
    if not (listed := samples()):
        not_tested.append("Other people’s samples of alert formats are not beside this project, so they were not read.")
        pytest.skip("no samples beside the project")
    for sample in listed:
        body, kind = (SAMPLES / sample["file"]).read_bytes(), READ_AS.get(sample["source"], sample["source"])
        statements = READERS[kind](body, headers_of(sample))
        # Prometheus' leases are told in times of their capture.
        captured = datetime(2026, 11, 23, 2, 2, tzinfo=UTC) if sample["kind"] == "firing" else datetime.now(UTC)
        claims = [statement.at(captured) for statement in statements if isinstance(statement, Claim)]
        expected = sample["expect"]
        assert expected["alerts"] in (None, len(claims)), sample["id"]
        assert expected["statuses"] in (None, [claim.says for claim in claims]), sample["id"]


def bodies() -> Iterator[tuple[str, Any, dict[str, str]]]:
    for slug in KINDS:
        yield slug, json.loads(example(slug)), {}
    for sample in samples():
        if sample["strict_json"]:
            yield (
                READ_AS.get(sample["source"], sample["source"]),
                json.loads((SAMPLES / sample["file"]).read_bytes()),
                headers_of(sample),
            )


RETYPED: tuple[Any, ...] = (None, 7, -1.5, True, "", "x", "\x00", "9" * 400, [], [None], {}, {"a": {"b": []}})


def mutations(value: Any) -> Iterator[Any]:
    """The value with each of its keys and items once removed and once retyped, at any depth."""
    places: list[Any] = (
        list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
    )
    for place in places:
        less = value.copy()
        del less[place]
        yield less
        for other in RETYPED:
            retyped = value.copy()
            retyped[place] = other
            yield retyped
        for deeper in mutations(value[place]):
            again = value.copy()
            again[place] = deeper
            yield again


@pytest.mark.parametrize(
    ("slug", "body", "headers"), [pytest.param(*found, id=f"{found[0]}-{n}") for n, found in enumerate(bodies())]
)
def test_whatever_key_is_missing_or_of_another_type_it_is_read_or_refused(
    slug: str, body: Any, headers: dict[str, str]
) -> None:
    for mutated in mutations(body):
        try:
            statements = READERS[slug](json.dumps(mutated).encode(), headers)
        except Unreadable:
            continue
        for statement in statements:
            check_storable(statement)


def check_storable(statement: Any) -> None:
    if not isinstance(statement, Claim):
        return
    assert 0 < len(statement.title) <= 300
    assert len(statement.severity_raw) <= 64
    assert len(statement.system_name) <= 200
    assert len(statement.service) <= 200
    assert len(statement.environment) <= 100
    assert len(statement.group) <= 512
    assert len(statement.upstream_id) <= 512
    assert len(statement.measured.text) <= 100
    assert "\x00" not in repr(statement)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    body=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_any_json_at_all_is_read_or_refused_by_every_kind(body: Any) -> None:
    for kind in KINDS.values():
        try:
            for statement in READERS[kind.slug](json.dumps(body).encode(), {}):
                check_storable(statement)
        except Unreadable:
            pass


@settings(max_examples=60, deadline=None)
@given(
    body=st.binary(),
    media=st.sampled_from(
        [
            "",
            "application/json",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "multipart/form-data",
        ]
    ),
)
def test_any_bytes_at_all_are_read_or_refused_by_every_kind(body: bytes, media: str) -> None:
    for kind in KINDS.values():
        with contextlib.suppress(Unreadable):
            READERS[kind.slug](body, {"content-type": media})
