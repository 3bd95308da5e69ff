"""The doors as their clients know them: what is answered, in which form, and what is kept."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from incidents.alerts.claims import Claim
from incidents.alerts.drain import drain
from incidents.alerts.models import Alert, Delivery, Outcome, Source, Subscription
from incidents.alerts.sources import KINDS, example
from incidents.alerts.sources.readers import READERS
from incidents.alerts.upkeep import expire
from incidents.people.models import Team
from incidents.response.events import Event
from incidents.response.incident import Incident
from incidents.systems.models import Change, System

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
JSON = "application/json"


@pytest.fixture
def connected(assistants: Team) -> Callable[..., str]:
    """Connect a monitor of some kind and give its token."""

    def connect(kind: str, **fields: Any) -> str:
        return Source.objects.connect(kind=kind, name=KINDS[kind].name, team=assistants, **fields)[1]

    return connect


def results() -> list[str]:
    return list(Outcome.objects.order_by("pk").values_list("result", flat=True))


class TestEveryKind:
    @pytest.mark.parametrize("slug", [slug for slug in KINDS if slug not in {"aws_sns", "langfuse"}])
    def test_its_example_becomes_an_alert(
        self, slug: str, connected: Callable[..., str], post: Callable[..., Any]
    ) -> None:
        answer = post(connected(slug), example(slug))
        assert answer.status_code == 200
        drain()
        assert Delivery.objects.get().status == "processed"
        assert Alert.objects.get().status == "firing"

    def test_a_hundred_kinds_of_junk_get_no_5xx_and_are_kept(
        self, connected: Callable[..., str], post: Callable[..., Any]
    ) -> None:
        junk: list[bytes] = [
            b"null", b"7", b'"x"', b"[]", b"{}", b"[[]]", b'[{"a": NaN}]', b"\xff\xfe\x00", b"{" * 5000, b"<xml/>", b"a=b&c=d",
            b'{"title": "\\ud800", "key": "\\u0000"}', b'{"title": 1, "title": 2}', b'{"title": "' + b"9" * 6000 + b'"}', b"9" * 5000,
        ]  # fmt: skip
        for slug in KINDS:
            token = connected(slug)
            for body in junk:
                assert post(token, body).status_code < 500, (slug, body)
        drain()
        assert not Delivery.objects.filter(status="received").exists()
        assert not Delivery.objects.filter(error__contains="while processing it").exists()
        kept = {bytes(body) for body in Delivery.objects.exclude(source__kind="aws_sns").values_list("body", flat=True)}
        assert {body for body in junk if body != b"{" * 5000} <= kept


class TestAlertmanagersApi:
    def send(self, client: Client, token: str, *alerts: dict[str, Any], **extra: Any) -> Any:
        return client.post(f"/ingest/{token}/api/v2/alerts", json.dumps(alerts), content_type=JSON, **extra)

    def alert(self, minutes: float, **labels: str) -> dict[str, Any]:
        return {
            "labels": {"alertname": "EmbeddingIndexStale", "severity": "critical", "system": "policy-index", **labels},
            "startsAt": NOON.isoformat(), "endsAt": (NOON + timedelta(minutes=minutes)).isoformat(),
        }  # fmt: skip

    def test_a_list_is_answered_with_nothing_and_200(self, client: Client, connected: Callable[..., str]) -> None:
        token = connected("alertmanager")
        for alerts in ([], [self.alert(4)], [{"labels": {}}, self.alert(4)]):
            answer = self.send(client, token, *alerts)
            assert (answer.status_code, answer.content) == (200, b"")
            assert "Content-Type" not in answer

    def test_a_lease_that_is_not_renewed_ends_its_alert_and_the_next_telling_opens_it_anew(
        self, client: Client, connected: Callable[..., str], policy_index: System
    ) -> None:
        token = connected("alertmanager")
        with time_machine.travel(NOON, tick=False) as clock:
            self.send(client, token, self.alert(4))
            drain()
            clock.shift(timedelta(minutes=2))
            self.send(client, token, self.alert(6))
            drain()
            clock.shift(timedelta(minutes=4, seconds=59))
            assert expire() == 0, "a minute of grace"
            clock.shift(timedelta(seconds=2))
            assert expire() == 1
            alert = Alert.objects.get()
            assert (alert.status, alert.ends_at, alert.flags) == ("resolved", NOON + timedelta(minutes=6), ["expired"])
            assert Incident.objects.get().events.filter(kind=Event.Kind.ALERTS_CLEARED).count() == 1
            clock.shift(timedelta(minutes=10))
            self.send(client, token, self.alert(21))
            drain()
        assert Alert.objects.filter(status="firing").count() == 1
        assert Incident.objects.count() == 1, "it joins the incident that is still open"

    def test_an_end_that_has_passed_resolves(self, client: Client, connected: Callable[..., str]) -> None:
        token = connected("alertmanager")
        with time_machine.travel(NOON, tick=False) as clock:
            self.send(client, token, self.alert(4))
            clock.shift(timedelta(minutes=1))
            self.send(client, token, self.alert(0.5))
            drain()
        assert Alert.objects.get().ends_at == NOON + timedelta(seconds=30)

    def test_the_webhook_and_the_api_tell_of_one_alert(
        self, client: Client, connected: Callable[..., str], post: Callable[..., Any]
    ) -> None:
        token = connected("alertmanager")
        with time_machine.travel(NOON, tick=False):
            self.send(client, token, self.alert(4))
            post(
                token,
                {"version": "4", "alerts": [self.alert(4) | {"status": "firing", "endsAt": "0001-01-01T00:00:00Z"}]},
            )
            drain()
        assert Alert.objects.get().occurrences == 2

    def test_what_is_no_list_of_json_is_400_or_415_in_alertmanagers_form(
        self, client: Client, connected: Callable[..., str]
    ) -> None:
        path = f"/ingest/{connected('alertmanager')}/api/v2/alerts"
        answer = client.post(path, "{", content_type=JSON)
        assert (answer.status_code, answer.json()["code"]) == (400, 400)
        assert client.post(path, "[]", content_type="text/plain").status_code == 415
        assert client.get(path).status_code == 405
        assert client.post(path + "/", "[]", content_type="application/json; charset=utf-8").status_code == 200

    def test_probes_are_answered(self, client: Client, connected: Callable[..., str]) -> None:
        token = connected("alertmanager")
        assert client.get(f"/ingest/{token}/api/v2/status").json()["cluster"]["status"] == "ready"
        assert (
            client.get(f"/ingest/{token}/-/healthy").content == client.get(f"/ingest/{token}/-/ready").content == b"OK"
        )
        assert client.post(f"/ingest/{token}/api/v1/alerts", "[]", content_type=JSON).status_code == 410
        assert client.get("/ingest/api/v2/status", headers={"Authorization": f"Bearer {token}"}).status_code == 200
        assert client.get(f"/ingest/{'0' * 32}/api/v2/status").status_code == 404


class TestPagerDuty:
    def send(self, client: Client, event: Any, path: str = "/v2/enqueue", **extra: Any) -> Any:
        body = event if isinstance(event, str) else json.dumps(event)
        return client.post(path, body, content_type=JSON, **extra)

    def event(self, token: str, **changes: Any) -> dict[str, Any]:
        known: dict[str, Any] = json.loads(example("pagerduty"))
        return known | {"routing_key": token} | changes

    def test_trigger_acknowledge_and_resolve(
        self, client: Client, connected: Callable[..., str], support_assistant: System
    ) -> None:
        token = connected("pagerduty")
        first = self.send(client, self.event(token))
        assert first.status_code == 202
        assert first.json() == {"status": "success", "message": "Event processed", "dedup_key": "groundedness"}
        for action in ("acknowledge", "resolve"):
            told = {"routing_key": token, "dedup_key": "groundedness", "event_action": action}
            assert self.send(client, told).status_code == 202
        drain()
        assert results() == ["opened", "acknowledged", "resolved"]
        assert Incident.objects.get().system == support_assistant

    def test_a_trigger_without_a_key_is_given_one_that_resolves_it(
        self, client: Client, connected: Callable[..., str]
    ) -> None:
        token = connected("pagerduty")
        key = self.send(client, self.event(token, dedup_key=None)).json()["dedup_key"]
        assert len(key) == 32
        self.send(client, {"routing_key": token, "dedup_key": key, "event_action": "resolve"})
        drain()
        assert results() == ["opened", "resolved"]

    def test_a_key_that_nobody_knows_is_accepted_and_changes_nothing(
        self, client: Client, connected: Callable[..., str]
    ) -> None:
        token = connected("pagerduty")
        answer = self.send(client, {"routing_key": token, "dedup_key": "unknown", "event_action": "resolve"})
        assert answer.status_code == 202
        drain()
        assert results() == ["unseen"]
        assert not Incident.objects.exists()

    @pytest.mark.parametrize(
        ("changes", "error"),
        [
            ({"routing_key": "short"}, "Length of 'routing_key' is incorrect (should be 32 characters)"),
            ({"routing_key": None}, "Length of 'routing_key' is incorrect (should be 32 characters)"),
            ({"routing_key": "0" * 32}, "'routing_key' is unknown"),
            ({"event_action": "explode"}, "'event_action' is invalid (should be one of trigger, acknowledge, resolve)"),
            ({"payload": 7}, "'payload' is missing or blank"),
            ({"payload": {"source": "x", "severity": "info"}}, "'payload.summary' is missing or blank"),
            ({"payload": {"summary": "x", "severity": "info"}}, "'payload.source' is missing or blank"),
            ({"dedup_key": "x" * 256}, "Length of 'dedup_key' is incorrect (should be 255 characters at most)"),
        ],
    )
    def test_what_is_wrong_is_said_in_pagerdutys_form(
        self, client: Client, connected: Callable[..., str], changes: dict[str, Any], error: str
    ) -> None:
        answer = self.send(client, self.event(connected("pagerduty"), **changes))
        assert answer.status_code == 400
        assert (answer.json()["status"], answer.json()["message"]) == ("invalid event", "Event object is invalid")
        assert error in answer.json()["errors"]

    @pytest.mark.parametrize("body", ["", "{", "[]", "null", "7", '"x"', "{" * 9999])
    def test_junk_is_400(self, client: Client, body: str, db: None) -> None:
        assert self.send(client, body).status_code == 400

    def test_too_many_a_minute_are_429_with_a_time_to_come_again(
        self, client: Client, connected: Callable[..., str], settings: Any
    ) -> None:
        settings.INGEST_EVENTS_A_MINUTE = 2
        token = connected("pagerduty")
        assert [self.send(client, self.event(token)).status_code for _ in range(3)] == [202, 202, 429]
        assert self.send(client, self.event(token))["Retry-After"] == "10"

    def test_a_change_event_is_kept_once_as_a_change(
        self, client: Client, connected: Callable[..., str], support_assistant: System
    ) -> None:
        told = {
            "routing_key": connected("pagerduty"),
            "payload": {"summary": "Prompt 14 is live", "source": "support-assistant", "timestamp": "2026-11-20T12:00:00Z", "custom_details": {"kind": "prompt"}},
            "links": [{"href": "https://git.example.com/c/1", "text": "The commit"}],
        }  # fmt: skip
        for _ in range(2):
            answer = self.send(client, told, "/v2/change/enqueue")
            assert (answer.status_code, answer.json()["status"]) == (202, "success")
        drain()
        change = Change.objects.get()
        assert (change.system, change.kind, change.happened_at, change.url) == (
            support_assistant,
            "prompt",
            NOON,
            "https://git.example.com/c/1",
        )
        assert results() == ["change", "change"]

    def test_the_key_is_not_shown_with_what_is_kept(self, client: Client, connected: Callable[..., str]) -> None:
        token = connected("pagerduty")
        self.send(client, self.event(token))
        assert token.encode() not in bytes(Delivery.objects.get().body)

    def test_any_source_takes_it_whatever_its_kind(self, client: Client, connected: Callable[..., str]) -> None:
        assert self.send(client, self.event(connected("alertmanager"))).status_code == 202
        drain()
        assert results() == ["opened"]


class TestOpsgenie:
    def test_create_acknowledge_and_close(self, client: Client, connected: Callable[..., str]) -> None:
        key = {"Authorization": f"GenieKey {connected('opsgenie')}"}
        created = client.post("/v2/alerts", example("opsgenie"), content_type=JSON, headers=key)
        assert (created.status_code, created.json()["result"]) == (202, "Request will be processed")
        assert len(created.json()["requestId"]) == 36
        for path, body in (("acknowledge", "{}"), ("close?identifierType=alias", "")):
            assert (
                client.post(f"/v2/alerts/groundedness/{path}", body, content_type=JSON, headers=key).status_code == 202
            )
        drain()
        assert results() == ["opened", "acknowledged", "resolved"]

    def test_an_alias_may_hold_anything(self, client: Client, connected: Callable[..., str]) -> None:
        key = {"Authorization": f"GenieKey {connected('opsgenie')}"}
        client.post("/v2/alerts", json.dumps({"alias": "a/b c%é", "message": "x"}), content_type=JSON, headers=key)
        client.post("/v2/alerts/a%2Fb%20c%25%C3%A9/close", "{}", content_type=JSON, headers=key)
        drain()
        assert results() == ["opened", "resolved"]

    def test_what_is_wrong_is_said_in_its_form(self, client: Client, connected: Callable[..., str]) -> None:
        key = {"Authorization": f"GenieKey {connected('opsgenie')}"}
        for body in ("{}", "{", "[]", '{"message": "  "}'):
            answer = client.post("/v2/alerts", body, content_type=JSON, headers=key)
            assert answer.status_code == 422
            assert answer.json()["message"].startswith("Request body is not processable")
        assert client.post("/v2/alerts", "{}", content_type=JSON).status_code == 401
        assert client.get("/v2/alerts", headers=key).status_code == 405


class TestCloudEvents:
    def test_the_handshake_is_answered(self, client: Client, connected: Callable[..., str]) -> None:
        answer = client.options(
            f"/ingest/{connected('cloudevents')}", headers={"WebHook-Request-Origin": "bus.example.com"}
        )
        assert answer.status_code == 200
        assert (answer["WebHook-Allowed-Origin"], answer["Allow"]) == ("bus.example.com", "POST, OPTIONS")
        assert int(answer["WebHook-Allowed-Rate"]) > 0
        assert client.options("/ingest/" + "0" * 32).status_code == 404

    def test_binary_mode_needs_no_content_type_and_no_body(self, client: Client, connected: Callable[..., str]) -> None:
        attributes = {
            "ce-specversion": "1.0",
            "ce-id": "1",
            "ce-source": "/drift/credit-risk",
            "ce-type": "com.example.drift.detected",
        }
        path = f"/ingest/{connected('cloudevents')}"
        assert (
            client.generic("POST", path, b'{"metric": "psi"}', content_type="", headers=attributes).status_code == 200
        )
        assert client.generic("POST", path, b"", content_type="", headers=attributes).status_code == 200
        drain()
        assert results() == ["opened", "repeated"]

    def test_another_media_type_is_415(self, client: Client, connected: Callable[..., str]) -> None:
        path = f"/ingest/{connected('cloudevents')}"
        assert client.post(path, "<x/>", content_type="application/xml").status_code == 415
        assert client.post(path, "[]", content_type="application/cloudevents-batch+json").status_code == 200

    def test_the_token_may_come_as_access_token(self, client: Client, connected: Callable[..., str]) -> None:
        token = connected("cloudevents")
        assert (
            client.post(f"/ingest?access_token={token}", example("cloudevents"), content_type=JSON).status_code == 200
        )


class TestOthers:
    def test_slack_is_answered_ok(self, connected: Callable[..., str], post: Callable[..., Any]) -> None:
        answer = post(connected("slack"), {"text": "Groundedness is low"})
        assert (answer.status_code, answer.content, answer["Content-Type"]) == (200, b"ok", "text/plain")

    def test_slacks_form_is_read(self, client: Client, connected: Callable[..., str]) -> None:
        assert (
            client.post(f"/ingest/{connected('slack')}", {"payload": '{"text": "Groundedness is low"}'}).status_code
            == 200
        )
        drain()
        assert Alert.objects.get().title == "Groundedness is low"

    def test_uptime_kuma_may_get_and_others_may_not(self, client: Client, connected: Callable[..., str]) -> None:
        query = "?monitor_name=Endpoint&status=0&msg=down"
        assert client.get(f"/ingest/{connected('uptime_kuma')}{query}").status_code == 200
        refused = client.get(f"/ingest/{connected('generic')}{query}")
        assert (refused.status_code, refused["Allow"]) == (405, "POST")
        drain()
        assert Alert.objects.get().title == "Endpoint is down"

    def test_a_source_has_limits_of_its_own(self, connected: Callable[..., str], post: Callable[..., Any]) -> None:
        small = connected("generic", max_bytes=1024, max_alerts=2)
        assert post(small, [{"title": "x"}] * 2).status_code == 200
        assert post(small, [{"title": "x"}] * 3).status_code == 413
        assert post(small, {"alerts": [{"title": "x"}] * 3}).status_code == 413
        assert post(small, {"title": "x" * 1024}).status_code == 413

    def test_ten_thousand_alerts_are_taken_at_once(
        self, connected: Callable[..., str], post: Callable[..., Any]
    ) -> None:
        token = connected("generic")
        many = [{"title": "Drift", "key": str(n), "severity": "info"} for n in range(10_000)]
        assert post(token, many).status_code == 200
        assert post(token, [*many, {"title": "x"}]).status_code == 413
        drain()
        assert Alert.objects.count() == 10_000

    def test_what_never_resolves_ends_after_its_sources_timer(
        self, connected: Callable[..., str], post: Callable[..., Any]
    ) -> None:
        token = connected("langsmith", auto_resolve_minutes=30)
        with time_machine.travel(NOON, tick=False) as clock:
            post(token, example("langsmith"))
            drain()
            clock.shift(timedelta(minutes=32))
            assert expire() == 1
        assert Alert.objects.get().status == "resolved"

    def test_missing_data_keeps_a_firing_alert_firing_and_opens_a_medium_one_otherwise(
        self, connected: Callable[..., str], post: Callable[..., Any]
    ) -> None:
        body = json.loads(example("datadog"))
        token = connected("datadog")
        post(token, body)
        post(token, body | {"alert_transition": "No Data"})
        post(token, body | {"alert_transition": "No Data", "alert_id": "2", "alert_priority": "P1"})
        drain()
        assert results() == ["opened", "repeated", "opened"]
        known, silent = Alert.objects.order_by("pk")
        assert (known.severity, silent.severity, silent.flags) == ("high", "medium", ["no_data"])

    def test_handshakes_and_changes_open_nothing(
        self, connected: Callable[..., str], post: Callable[..., Any], support_assistant: System
    ) -> None:
        post(connected("soda"), {"event": "validate", "sentAt": "2026-11-20T12:00:00Z"})
        post(connected("langfuse"), example("langfuse"))
        drain()
        assert sorted(results()) == ["change", "handshake"]
        assert Change.objects.get().title == "Prompt support-assistant version 14 created (production)"
        assert not Alert.objects.exists()

    def test_a_change_of_an_unknown_system_is_said(
        self, connected: Callable[..., str], post: Callable[..., Any]
    ) -> None:
        post(connected("langfuse"), example("langfuse"))
        drain()
        assert "no system is known as “support-assistant”" in Outcome.objects.get().reason

    def test_sns_asks_to_be_confirmed_and_waits(self, connected: Callable[..., str], post: Callable[..., Any]) -> None:
        asked = json.loads(example("aws_sns")) | {
            "Type": "SubscriptionConfirmation",
            "SubscribeURL": "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=1",
        }
        token = connected("aws")
        for _ in range(2):
            post(token, asked)
        drain()
        subscription = Subscription.objects.get()
        assert (subscription.topic, subscription.confirmed_at) == ("arn:aws:sns:eu-west-1:123456789012:ai-alarms", None)

    def test_an_alert_that_an_older_recipe_named_goes_on(
        self, connected: Callable[..., str], post: Callable[..., Any], monkeypatch: Any
    ) -> None:
        token = connected("honeycomb")
        post(token, example("honeycomb"))
        drain()
        today = READERS["honeycomb"]

        def renamed(body: bytes, headers: Any) -> list[Any]:
            return [
                replace(claim, identity=("honeycomb/2", "new", *claim.identity), former_identities=(claim.identity,))
                for claim in today(body, headers)
                if isinstance(claim, Claim)
            ]

        monkeypatch.setitem(READERS, "honeycomb", renamed)
        for _ in range(2):
            post(token, example("honeycomb"))
        drain()
        assert results() == ["opened", "repeated", "repeated"]
        assert Alert.objects.get().occurrences == 3

    def test_an_alert_whose_service_is_a_known_system_belongs_to_it(
        self, connected: Callable[..., str], post: Callable[..., Any], support_assistant: System
    ) -> None:
        post(connected("honeycomb"), example("honeycomb"))
        drain()
        assert Alert.objects.get().system == support_assistant

    def test_credentials_are_not_kept(self, connected: Callable[..., str], client: Client) -> None:
        token = connected("generic")
        headers = {"Authorization": f"Bearer {token}", "Cookie": "a=secret", "X-Faultline-Signature": "t=1,v1=secret"}
        client.post("/ingest", b'{"title": "x"}', content_type=JSON, headers=headers)
        kept = json.dumps(Delivery.objects.get().headers)
        assert token not in kept
        assert "secret" not in kept
