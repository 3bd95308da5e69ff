"""The APIs of others that are spoken here: Alertmanager’s, PagerDuty’s and Opsgenie’s."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from incidents.alerts.drain import drain
from incidents.alerts.models import Alert, Delivery
from incidents.alerts.sources import example
from incidents.alerts.upkeep import expire
from incidents.response.events import Event
from incidents.response.incident import Incident
from incidents.systems.models import Change, System
from tests.alerts.tools import JSON, NOON, results


class TestAlertmanagersApi:
    def send(self, client: Client, token: str, *alerts: dict[str, Any], **extra: Any) -> Any:
        return client.post(f"/ingest/{token}/api/v2/alerts", json.dumps(alerts), content_type=JSON, **extra)

    def alert(self, minutes: float, **labels: str) -> dict[str, Any]:
        return {
            "labels": {"alertname": "EmbeddingIndexStale", "severity": "critical", "system": "policy-index", **labels},
            "startsAt": NOON.isoformat(),
            "endsAt": (NOON + timedelta(minutes=minutes)).isoformat(),
        }

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
            "payload": {
                "summary": "Prompt 14 is live",
                "source": "support-assistant",
                "timestamp": "2026-11-20T12:00:00Z",
                "custom_details": {"kind": "prompt"},
            },
            "links": [{"href": "https://git.example.com/c/1", "text": "The commit"}],
        }
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
