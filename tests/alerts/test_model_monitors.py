"""What monitors of models and data say beyond firing and resolved, in the forms that their tools really send."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from incidents.alerts.claims import ChangeAnnounced, Claim, Handshake
from incidents.alerts.cleaning import ai_facts
from incidents.alerts.drain import drain
from incidents.alerts.models import Alert, Source
from incidents.alerts.sources.readers import READERS
from tests.alerts.tools import statements_of


def only(slug: str, body: Any, **headers: str) -> Claim:
    (claim,) = statements_of(slug, body, **headers)
    assert isinstance(claim, Claim)
    return claim


def change(slug: str, body: Any) -> ChangeAnnounced:
    (announced,) = statements_of(slug, body)
    assert isinstance(announced, ChangeAnnounced)
    return announced


class TestLiteLLM:
    @staticmethod
    def message(kind: str, level: str, message: str) -> dict[str, str]:
        return {"text": f"Alert type: `{kind}`\nLevel: `{level}`\nTimestamp: `12:10:00`\n\nMessage: {message}"}

    def outage(self, size: str, *, of: str = "Model Name", name: str = "answerer", provider: str = "azure") -> Any:
        level = {"Minor": "Medium", "Major": "High"}[size]
        facts = f"*{of}:* `{name}`\n*Provider:* `{provider}`\n"
        return self.message(
            "outage_alerts", level, f"\n\n\n*⚠️ {size} Service Outage*\n\n\n{facts}\n\n*Errors:*\n\nAPI Errors: 5\n"
        )

    def test_what_a_customer_spent_is_news_that_ends_by_itself(self) -> None:
        spent = {"event": "spend_tracked", "event_group": "end_user", "customer_id": "c1", "spend": 0.01}
        news = only("litellm", spent)
        assert (news.condition, news.title) == ("notice", "Spend tracked: c1")
        assert news.lease

    def test_an_outage_is_of_a_model_at_a_provider_and_grows(self) -> None:
        minor, major = only("litellm", self.outage("Minor")), only("litellm", self.outage("Major"))
        assert (minor.title, minor.severity, minor.service) == ("Minor Service Outage: answerer", "medium", "answerer")
        assert ai_facts(minor.labels) == {"model": "answerer", "provider": "azure"}
        assert (major.severity, major.identity) == ("high", minor.identity)
        assert only("litellm", self.outage("Minor", name="embedder")).identity != minor.identity
        assert only("litellm", self.outage("Minor", provider="bedrock")).identity != minor.identity

    def test_an_outage_of_a_region_is_no_models(self) -> None:
        region = only("litellm", self.outage("Major", of="Region Name", name="eastus"))
        assert (region.title, region.service) == ("Major Service Outage: eastus", "eastus")

    def test_an_error_is_named_by_its_class_and_model_not_by_its_words(self) -> None:
        failed = "LLM API call failed: `litellm.RateLimitError: {}\nModel: m-1\nmodel_group: `answerer`\n`"
        first, second = (
            only("litellm", self.message("llm_exceptions", "High", failed.format(words)))
            for words in ("quota of tier 1", "quota of tier 2")
        )
        assert first.title == "LLM API call failed: RateLimitError: answerer"
        assert (first.identity, first.service) == (second.identity, "answerer")

    def test_a_slow_answer_says_how_slow(self) -> None:
        slow = "`Responses are slow - 312.41s response time > Alerting threshold: 300s`\nRequest Model: `answerer`"
        claim = only("litellm", self.message("llm_too_slow", "Low", slow))
        assert (claim.title, claim.measured.number) == ("Responses are slow: answerer", 312.41)

    def test_many_at_once_and_digests_are_the_same_alert(self) -> None:
        once = self.outage("Major")["text"]
        for text in (f"[Num Alerts: 3]\n\n{once}", once.replace("`outage_alerts`", "`outage_alerts` (Digest)")):
            assert only("litellm", {"text": text}).identity == only("litellm", {"text": once}).identity

    @pytest.mark.parametrize("kind", ["spend_reports", "fallback_reports", "new_virtual_key_created", "team_deleted"])
    def test_reports_and_new_keys_are_notices(self, kind: str) -> None:
        assert only("litellm", self.message(kind, "High", "`Something Happened`\n")).condition == "notice"

    def test_a_daily_report_names_no_message(self) -> None:
        text = "Alert type: `daily_reports`\n\nTime: `1795600000.1`s\nHere are today's key metrics 📈: \n\n\tNone\n"
        assert only("litellm", {"text": text}).condition == "notice"

    def test_a_new_model_is_a_change(self) -> None:
        text = "Alert type: `new_model_added`\n*🚅 New Model Added*\nModel Name: `answerer-2`\n"
        assert change("litellm", {"text": text}).kind == "model"

    @pytest.mark.parametrize(
        ("message", "condition"),
        [
            ("Key Budget: 15% or less of budget remaining", "notice"),
            ("Key Budget: Projected Limit Exceeded", "notice"),
            ("Soft Budget Crossed: Total Soft Budget:`50.0`", "bad_value"),
            ("Key Budget: Budget Crossed\n Total Budget:`100.0`", "bad_value"),
        ],
    )
    def test_budgets_told_by_slack_are_told_apart_too(self, message: str, condition: str) -> None:
        facts = "\n\n*spend:* `95.0`\n*max_budget:* `100.0`\n*key_alias:* `support`\n*event_group:* `key`\n"
        claim = only("litellm", self.message("budget_alerts", "High", message + facts))
        assert (claim.condition, claim.service) == (condition, "support")

    def test_the_alert_of_an_older_recipe_is_known(self) -> None:
        told = {"event": "budget_crossed", "event_group": "key", "token": "ab12", "key_alias": "support"}
        assert ("litellm/1", "key", "ab12", "budget") in only("litellm", told).former_identities

    def test_a_budget_that_is_used_up_opens_what_its_threshold_did_not(
        self, connected: Callable[..., str], post: Callable[..., Any]
    ) -> None:
        token = connected("litellm")
        budget = {"event_group": "key", "token": "ab12", "key_alias": "support", "spend": 96, "max_budget": 100}
        post(token, budget | {"event": "threshold_crossed", "event_message": "5% or less of budget remaining"})
        drain()
        alert = Alert.objects.get()
        assert (alert.condition, alert.incident) == ("notice", None)
        post(token, budget | {"event": "budget_crossed", "event_message": "Budget Crossed", "spend": 101})
        drain()
        alert.refresh_from_db()
        assert (alert.condition, alert.severity, alert.expires_at) == ("bad_value", "high", None)
        assert alert.incident
        text = "Key Budget: Budget Crossed\n\n*spend:* `101`\n*key_alias:* `support`\n*event_group:* `key`\n"
        post(token, self.message("budget_alerts", "High", text))
        drain()
        assert Alert.objects.get().occurrences == 3, "told by Slack too, it is the same alert"

    def test_an_alert_goes_on_under_its_new_name(self, connected: Callable[..., str], post: Callable[..., Any]) -> None:
        token = connected("litellm")
        told = {"event": "budget_crossed", "event_group": "key", "token": "ab12", "key_alias": "support"}
        post(token, told)
        drain()
        source = Source.objects.get()
        former = only("litellm", told).former_fingerprints(source.pk)[0]
        Alert.objects.update(fingerprint=former)
        post(token, told)
        drain()
        assert Alert.objects.get().occurrences == 2

    def test_each_test_button_is_recognised(self) -> None:
        webhook = {
            "event": "budget_crossed",
            "event_message": "User Budget: Budget Crossed\n Total Budget:`0.0`",
            "event_group": "key",
            "spend": 1.0,
            "max_budget": 0.0,
        }
        assert only("litellm", webhook).is_test
        assert only("litellm", self.message("llm_too_slow", "Low", "LLM Too Slow test alert")).is_test


class TestLangSmith:
    COMMIT: dict[str, Any] = {
        "prompt_id": "p-1",
        "prompt_name": "support-assistant",
        "commit_hash": "abc1234def5678",
        "created_at": "2026-11-20T12:00:00Z",
        "manifest": {"lc": 1},
    }

    @pytest.mark.parametrize(
        ("event", "tag", "title"),
        [
            ({}, {}, "Prompt support-assistant committed: abc1234def56"),
            ({"event": "commit"}, {"tag_name": None}, "Prompt support-assistant committed: abc1234def56"),
            (
                {"event": "tag:update"},
                {"tag_name": "production"},
                "Prompt support-assistant tagged production: abc1234def56",
            ),
        ],
    )
    def test_a_prompt_is_a_change(self, event: dict[str, str], tag: dict[str, Any], title: str) -> None:
        told = change("langsmith", self.COMMIT | event | tag)
        assert (told.kind, told.title, told.system_name) == ("prompt", title, "support-assistant")

    def test_a_rule_tells_of_runs_that_failed(self) -> None:
        runs = [{"id": "1", "name": "rag", "error": "Timeout"}, {"id": "2", "name": "rag", "status": "success"}]
        claim = only("langsmith", {"rule_id": "r-1", "runs": runs})
        assert (claim.condition, claim.title, claim.measured.text) == ("bad_value", "Runs failed: rag", "1 of 2")


class TestReports:
    def test_a_test_that_raised_does_not_end_what_fires_nor_begin_it(self) -> None:
        tests = [{"name": "Share", "status": "SUCCESS"}, {"name": "Mean", "status": "ERROR"}]
        claim = only("evidently", {"name": "daily", "report": {"tests": tests}})
        assert (claim.says, claim.condition) == ("firing", "check_failed")
        assert claim.title == "daily: 1 of 2 tests could not run: Mean"

    @pytest.mark.parametrize(
        ("result", "says"),
        [
            ({"dataset_drift": True, "number_of_drifted_columns": 6, "number_of_columns": 10}, "firing"),
            ({"dataset_drift": False}, "resolved"),
            ({"column_name": "income", "drift_detected": True, "drift_score": 0.4}, "firing"),
        ],
    )
    def test_a_drift_metric_of_old_decides_by_itself(self, result: dict[str, Any], says: str) -> None:
        metrics = [{"metric": "SomeMetric", "result": result}, {"metric": "Other", "result": {"rows": 3}}]
        assert only("evidently", {"name": "weekly", "report": {"metrics": metrics}}).says == says

    def test_the_table_and_the_metric_say_the_same_drift_once(self) -> None:
        metrics = [{"metric": name, "result": {"dataset_drift": True}} for name in ("DataDriftTable", "DatasetDrift")]
        assert only("evidently", {"report": {"metrics": metrics}}).title.startswith("1 of 1 drift checks failed")

    def test_a_checkpoint_of_old_is_named_by_suite_and_asset_not_by_its_run(self) -> None:
        def checkpoint(run: str, *, success: bool) -> dict[str, Any]:
            expectation = {"expectation_type": "expect_column_values_to_not_be_null", "kwargs": {"column": "income"}}
            result = {
                "meta": {
                    "expectation_suite_name": "features",
                    "active_batch_definition": {"data_asset_name": "features"},
                    "run_id": {"run_time": f"2026-11-2{run}T12:00:00+00:00"},
                },
                "results": [{"success": success, "expectation_config": expectation, "result": {}}],
            }
            return {
                "run_results": {f"ValidationResultIdentifier::features/{run}": {"validation_result": result}},
                "checkpoint_config": {"name": "nightly"},
            }

        failed = only("great_expectations", checkpoint("0", success=False))
        passed = only("great_expectations", checkpoint("1", success=True))
        assert (failed.says, passed.says, failed.identity) == ("firing", "resolved", passed.identity)
        assert failed.starts_at
        assert failed.starts_at.day == 20

    @pytest.mark.parametrize(
        "info",
        [
            {"raised_exception": True, "exception_message": "no such column"},
            {"('column.max', 'x')": {"raised_exception": True, "exception_message": "no such column"}},
        ],
    )
    def test_an_exception_is_no_failed_expectation(self, info: dict[str, Any]) -> None:
        expectation = {"expectation_type": "expect_x", "success": False, "kwargs": {}, "exception_info": info}
        claim = only("great_expectations", {"validation_results": [{"expectations": [expectation]}]})
        assert claim.condition == "check_failed"
        assert "no such column" in claim.description


class TestOwnJson:
    @pytest.mark.parametrize(
        ("body", "title"),
        [
            ({"subject": "Drift policy violated", "description": "PSI is 0.41"}, "Drift policy violated"),
            ({"alertName": "Recall is low", "metric": "recall"}, "Recall is low"),
            ({"title": "Recall is low", "subject": "Alert", "eventType": "metric"}, "Recall is low"),
            ({"eventType": "drift.detected", "message": "PSI of income is 0.41"}, "PSI of income is 0.41"),
            ({"event_type": "drift.detected"}, "drift.detected"),
            ({"body": "PSI of income is 0.41"}, "PSI of income is 0.41"),
        ],
    )
    def test_a_real_title_wins(self, body: dict[str, str], title: str) -> None:
        assert only("generic", body).title == title

    def test_an_alert_that_had_another_title_before_is_known_by_it(self) -> None:
        body = {"subject": "Drift policy violated", "description": "PSI is 0.41", "system": "fraud-scorer"}
        before = only("generic", {"title": "PSI is 0.41", "system": "fraud-scorer"})
        assert only("generic", body).former_identities == (before.identity,)
        assert not only("generic", body | {"key": "psi"}).former_identities

    def test_a_condition_in_other_words_is_somebody_elses_field(self) -> None:
        assert only("generic", {"title": "PSI", "condition": "psi > 0.2"}).condition == "bad_value"
        assert only("generic", {"title": "PSI", "condition": "No data"}).condition == "no_data"

    def test_a_type_that_resolves_ends_what_another_began(self) -> None:
        event = {"specversion": "1.0", "id": "1", "source": "/drift", "subject": "income"}
        began, over = (
            only("cloudevents", event | {"type": f"com.x.drift.{word}"}) for word in ("detected", "resolved")
        )
        assert (began.says, over.says, over.identity) == ("firing", "resolved", began.identity)
        assert ("cloudevents/1", "/drift", "income", "com.x.drift.detected") in began.former_identities
        gone = only("cloudevents", event | {"type": "com.x.drift.resolved", "data": {"condition": "no_data"}})
        assert (gone.says, gone.condition) == ("resolved", "no_data")


class TestOtherMonitors:
    @pytest.mark.parametrize("event", ["LINK_MODEL", "ADD_COLLECTION_TAG", "CREATE_ARTIFACT"])
    def test_whatever_alters_a_collection_is_a_change(self, event: str) -> None:
        assert change("wandb", {"event_type": event, "artifact_collection_name": "ranker"}).system_name == "ranker"

    def test_a_run_that_finishes_ends_the_failure_of_another(self) -> None:
        told = {"event_type": "RUN_STATE", "entity_name": "acme", "project_name": "forecast"}
        failed = only("wandb", told | {"run_name": "1", "run_state": "FAILED"})
        finished = only("wandb", told | {"run_name": "2", "run_state": "FINISHED"})
        assert (failed.says, finished.says, finished.identity) == ("firing", "resolved", failed.identity)

    @pytest.mark.parametrize(
        ("state", "says", "condition"),
        [
            ("TRIGGERED", "firing", "bad_value"),
            ("OK", "resolved", "bad_value"),
            ("UNKNOWN", "firing", "no_data"),
            ("ERROR", "firing", "check_failed"),
        ],
    )
    def test_a_sql_alert_in_its_own_body_and_in_ours(self, state: str, says: str, condition: str) -> None:
        title = f"Alert WAPE changed status to {state}"
        own = only(
            "databricks",
            {"event": "alert_state_change", "alert": {"title": title, "alert": {"id": "98", "name": "WAPE"}}},
        )
        ours = only("databricks", {"alert_id": "98", "alert_name": "WAPE", "status": state})
        assert (own.says, own.condition, own.identity) == (says, condition, ours.identity)
        assert (ours.says, ours.condition) == (says, condition)

    def test_a_run_that_could_not_start_says_so(self) -> None:
        run = {"jobId": "1", "jobName": "Features", "runStatus": "Errored", "runErroredAt": "2026-11-20T12:00:00Z"}
        assert only("dbt", {"accountId": 1, "data": run}).title == "Features: errored before it started"

    def test_uptime_kuma_by_query_holds_json_in_its_parts(self) -> None:
        beat = json.dumps({"monitorID": 10, "status": 0, "time": "2026-11-20 12:00:00", "msg": "timeout"})
        query = urlencode({"msg": "[Endpoint] down", "heartbeat": beat, "monitor": '{"id": 10, "name": "Endpoint"}'})
        form = {"content-type": "application/x-www-form-urlencoded"}
        (claim,) = READERS["uptime_kuma"](query.encode(), form)
        assert isinstance(claim, Claim)
        assert (claim.condition, claim.title, claim.identity[1]) == ("bad_value", "Endpoint is down", "10")

    @pytest.mark.parametrize(
        ("status", "says", "condition"),
        [("🔴 Down", "firing", "bad_value"), ("✅ Up", "resolved", "bad_value"), ("⚠️ Test", "firing", "test")],
    )
    def test_uptime_kumas_template_tells_the_status_in_words(self, status: str, says: str, condition: str) -> None:
        claim = only("uptime_kuma", {"name": "Endpoint", "status": status, "msg": "x"})
        assert (claim.says, claim.condition) == (says, condition)

    def test_a_certificate_that_expires_is_no_test(self) -> None:
        message = "[Endpoint][https://x.example.com] server certificate x.example.com will expire in {} days"
        far, near = (
            only("uptime_kuma", {"heartbeat": None, "monitor": None, "msg": message.format(days)}) for days in (21, 7)
        )
        assert (far.condition, near.condition, near.identity) == ("notice", "bad_value", far.identity)
        assert near.lease

    def test_a_check_is_known_by_its_uuid_too_and_waits_without_an_alert(self) -> None:
        whole = {"name": "Nightly", "uuid": "5398", "status": "down", "tags": "system=policy-index"}
        claim = only("healthchecks", whole)
        assert (claim.identity[1], claim.system_name) == ("5398", "policy-index")
        (waiting,) = statements_of("healthchecks", whole | {"status": "grace"})
        assert isinstance(waiting, Handshake)

    def test_mlflow_tries_its_webhook_with_its_own_example(self) -> None:
        said = {"entity": "model_version", "action": "created", "data": {"name": "example_model", "version": "1"}}
        assert isinstance(statements_of("mlflow", said)[0], Handshake)
