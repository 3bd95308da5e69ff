"""Every monitor’s format: what is read of it, in both directions of an alert."""

import json
import re
from datetime import datetime, timedelta
from typing import Any

import pytest

from incidents.alerts.claims import ChangeAnnounced, Claim, Handshake, RejectedItem
from incidents.alerts.sources import KINDS, alertmanager, example, opsgenie, pagerduty
from incidents.alerts.sources.readers import READERS
from tests.alerts.tools import NOON, statements_of


def only(slug: str, body: Any = None, **headers: str) -> Claim:
    (claim,) = statements_of(slug, body, **headers)
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
    def test_all_that_connects_can_be_read(self) -> None:
        assert READERS.keys() == KINDS.keys()

    @pytest.mark.parametrize("slug", KINDS)
    def test_its_example_is_understood_with_nothing_left_to_guess(self, slug: str) -> None:
        (statement,) = statements_of(slug)
        if isinstance(statement, ChangeAnnounced):
            assert statement.kind
            assert statement.title
            return
        assert statement.says == "firing"
        assert re.fullmatch(r"[a-z_-]+/\d+", statement.identity[0])
        assert "no_identity" not in statement.flags
        assert statement.names

    @pytest.mark.parametrize("slug", ENDS)
    def test_what_it_says_at_the_end_is_about_the_same_alert(self, slug: str) -> None:
        *path, word = ENDS[slug]
        over = only(slug, changed(slug, *path, to=word))
        assert over.says == "resolved"
        assert over.fingerprint(1) == only(slug).fingerprint(1)

    def test_every_kind_resolves_or_says_that_it_never_does(self) -> None:
        by_other_means = {
            "arize",
            "opsgenie",
            "slack",
            "wandb",
            "langfuse",
            "evidently",
            "great_expectations",
            "aws_sns",
        }
        assert {slug for slug, kind in KINDS.items() if kind.resolves} == set(ENDS) | by_other_means

    @pytest.mark.parametrize("slug", KINDS)
    def test_the_same_body_twice_is_the_same_alert(self, slug: str) -> None:
        assert statements_of(slug) == statements_of(slug)


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

    @pytest.mark.parametrize(
        ("labels", "service", "environment"),
        [
            ({"service.name": "rag", "deployment.environment.name": "prod"}, "rag", "prod"),
            ({"k8s.deployment.name": "rag", "deployment_environment": "prod"}, "rag", "prod"),
            ({"service.namespace": "shop"}, "shop", ""),
            (
                {"service": "ours", "service.name": "theirs", "env": "test", "deployment.environment": "prod"},
                "ours",
                "test",
            ),
        ],
    )
    def test_opentelemetry_says_which_service_and_where(
        self, labels: dict[str, str], service: str, environment: str
    ) -> None:
        claim = only("alertmanager", changed("alertmanager", "alerts", 0, "labels", to=labels))
        assert (claim.service, claim.environment) == (service, environment)

    def test_a_title_that_names_an_alert_is_known_without_opentelemetrys_labels_too(self) -> None:
        plain = only("generic", {"title": "Low recall"})
        told = only("generic", {"title": "Low recall", "labels": {"service.name": "rag"}})
        assert told.identity != plain.identity
        assert told.former_identities == (plain.identity,)


class TestOthers:
    def test_grafanas_missing_data_is_silence_and_names_the_rule(self) -> None:
        body = changed("grafana", "alerts", 0, "labels", to={"alertname": "DatasourceNoData", "rulename": "Hit rate"})
        claim = only("grafana", body)
        assert (claim.says, claim.condition, claim.title, claim.names[0]) == (
            "firing",
            "no_data",
            "No data: Hit rate",
            "Hit rate",
        )

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
        (handshake,) = statements_of("aws_sns", asked)
        assert isinstance(handshake, Handshake)
        assert handshake.confirm_url == asked["SubscribeURL"]

    def test_sagemakers_violations_are_one_alert_a_feature_and_check(self) -> None:
        report = {
            "endpoint": "fraud-scorer",
            "violations": [
                {
                    "feature_name": "income",
                    "constraint_check_type": "baseline_drift_check",
                    "description": "0.41 > 0.1",
                },
                {"feature_name": "age", "constraint_check_type": "completeness_check", "description": "0.96 < 1"},
            ],
        }
        claims = statements_of("aws", report)
        assert [claim.names[0] for claim in claims] == ["baseline_drift_check", "completeness_check"]
        assert len({claim.fingerprint(1) for claim in claims}) == 2

    def test_an_event_of_a_job_that_only_began_is_no_alert(self) -> None:
        event = {
            "detail-type": "SageMaker Training Job State Change",
            "source": "aws.sagemaker",
            "detail": {"TrainingJobStatus": "InProgress"},
        }
        assert isinstance(statements_of("aws", event)[0], Handshake)

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
        (change,) = statements_of("mlflow", said)
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
        (batched,) = statements_of("cloudevents", [json.loads(example("cloudevents"))])
        assert binary == structured == batched
        assert statements_of("cloudevents", []) == []

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

    @pytest.mark.parametrize(
        ("fires", "ends"),
        [
            ({"text": ":fire: Groundedness is low"}, {"text": ":white_check_mark: Groundedness is low"}),
            ({"text": "🚨 *Triggered: Groundedness is low*"}, {"text": "✅ *Resolved: Groundedness is low*"}),
            ({"text": "Critical: tool calls fail"}, {"text": "Resolved: tool calls fail"}),
            ({"text": "Problem: tool calls fail"}, {"text": "Resolved in 5m: tool calls fail"}),
            (
                {"attachments": [{"title": "[FIRING:1] IndexStale (rag)", "text": "3 h", "color": "danger"}]},
                {"attachments": [{"title": "[RESOLVED] IndexStale (rag)", "text": "0 h", "color": "good"}]},
            ),
            (
                {"attachments": [{"fallback": "[Triggered on {service:rag}] Recall is low"}]},
                {"attachments": [{"fallback": "[Recovered on {service:rag}] Recall is low"}]},
            ),
            (
                {"blocks": [{"type": "header", "text": {"type": "plain_text", "text": "🔴 Recall is low"}}]},
                {"blocks": [{"type": "header", "text": {"type": "plain_text", "text": "🟢 Recall is low"}}]},
            ),
            (
                {
                    "text": "<!channel>",
                    "attachments": [{"blocks": [{"text": {"text": "<https://x.example/1|*Loop*>"}}]}],
                },
                {"attachments": [{"blocks": [{"text": {"text": "*Resolved:* <https://x.example/2|*Loop*>"}}]}]},
            ),
        ],
    )
    def test_what_begins_and_what_ends_in_slack_are_one_alert(self, fires: Any, ends: Any) -> None:
        begun, over = only("slack", fires), only("slack", ends)
        assert (begun.says, over.says) == ("firing", "resolved")
        assert (begun.title, begun.fingerprint(1)) == (over.title, over.fingerprint(1))

    def test_what_a_slack_message_was_known_by_is_honoured(self) -> None:
        claim = only("slack", {"attachments": [{"title": "[FIRING:3] IndexStale (rag)"}]})
        assert ("title/1", "[firing:#] indexstale (rag)", "", "") in claim.former_identities

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
