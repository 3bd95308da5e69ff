"""The endpoints as monitors know them: what is answered, in which form, and what is stored."""

import gzip
import json
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from incidents.alerts.drain import drain
from incidents.alerts.models import Alert, Delivery, Source
from incidents.alerts.sources import KINDS, example
from tests.alerts.tools import JSON, results


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
            b"null",
            b"7",
            b'"x"',
            b"[]",
            b"{}",
            b"[[]]",
            b'[{"a": NaN}]',
            b"\xff\xfe\x00",
            b"{" * 5000,
            b"<xml/>",
            b"a=b&c=d",
            b'{"title": "\\ud800", "key": "\\u0000"}',
            b'{"title": 1, "title": 2}',
            b'{"title": "' + b"9" * 6000 + b'"}',
            b"9" * 5000,
        ]
        for slug in KINDS:
            token = connected(slug)
            for body in junk:
                assert post(token, body).status_code < 500, (slug, body)
        drain()
        assert not Delivery.objects.filter(status="received").exists()
        assert not Delivery.objects.filter(error__contains="while processing it").exists()
        kept = {bytes(body) for body in Delivery.objects.exclude(source__kind="aws_sns").values_list("body", flat=True)}
        assert {body for body in junk if body != b"{" * 5000} <= kept


class TestPackedBodies:
    BODY = json.dumps({"title": "Groundedness is low"}).encode()

    @pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
    def test_are_unpacked_and_stored_as_they_read(
        self, connected: Callable[..., str], client: Client, encoding: str, pack: Callable[[bytes], bytes]
    ) -> None:
        path = f"/ingest/{connected('generic')}"
        answer = client.post(path, pack(self.BODY), content_type=JSON, headers={"Content-Encoding": encoding})
        assert answer.status_code == 200
        assert bytes(Delivery.objects.get().body) == self.BODY

    @pytest.mark.parametrize(
        ("body", "encoding", "status"),
        [
            (gzip.compress(bytes(64 * 1024 * 1024)), "gzip", 413),
            (gzip.compress(BODY)[:-9], "gzip", 400),
            (BODY, "gzip", 400),
            (BODY, "br", 415),
        ],
        ids=["bomb", "cut", "unpacked", "unknown"],  # what is packed holds a clock, which no name of a test may
    )
    def test_bombs_and_broken_ones_are_refused_with_the_reason(
        self, connected: Callable[..., str], client: Client, body: bytes, encoding: str, status: int
    ) -> None:
        path = f"/ingest/{connected('generic')}"
        answer = client.post(path, body, content_type=JSON, headers={"Content-Encoding": encoding})
        assert answer.status_code == status
        assert answer.json()["detail"]
        assert not Delivery.objects.exists()


class TestTheAddressOfASource:
    def test_it_takes_the_token_in_the_address_as_bearer_and_as_basic_password(
        self, client: Client, evaluations: tuple[Source, str]
    ) -> None:
        import base64

        token = evaluations[1]
        basic = base64.b64encode(f"any:{token}".encode()).decode()
        for where, headers in (
            (f"/ingest/{token}", {}),
            ("/ingest", {"Authorization": f"Bearer {token}"}),
            ("/ingest", {"Authorization": f"Basic {basic}"}),
        ):
            assert client.post(where, b"{}", content_type="text/plain", headers=headers).status_code == 200

    @pytest.mark.parametrize(
        "header", ["", "Bearer", "Bearer x", "Basic !!", "Basic \xff", "GenieKey a", "Bearer " + "a" * 10_000]
    )
    def test_a_wrong_credential_is_401_as_problem_json(self, client: Client, header: str, db: None) -> None:
        answer = client.post("/ingest", b"{}", content_type="application/json", headers={"Authorization": header})
        assert answer.status_code == 401
        assert answer["Content-Type"] == "application/problem+json"
        assert answer.json()["code"] == "bad_credential"

    def test_an_unknown_address_is_404_and_a_retired_source_410(
        self, client: Client, evaluations: tuple[Source, str], post: Callable[..., Any]
    ) -> None:
        assert post("0" * 32, {"title": "x"}).status_code == 404
        assert post("not-a-token", {"title": "x"}).status_code == 404
        evaluations[0].retire()
        assert post(evaluations[1], {"title": "x"}).status_code == 410

    def test_an_empty_body_is_400_and_a_huge_one_413(
        self, evaluations: tuple[Source, str], post: Callable[..., Any], settings: Any
    ) -> None:
        settings.INGEST_MAX_BYTES = 100
        assert post(evaluations[1], b"  ").status_code == 400
        assert post(evaluations[1], b"x" * 101).status_code == 413
        assert not Delivery.objects.exists()

    def test_a_body_larger_than_a_form_may_be_is_taken(
        self, evaluations: tuple[Source, str], post: Callable[..., Any]
    ) -> None:
        assert post(evaluations[1], {"title": "big", "message": "x" * 3_000_000}).status_code == 200

    def test_get_is_405(self, client: Client, evaluations: tuple[Source, str]) -> None:
        assert client.get(f"/ingest/{evaluations[1]}").status_code == 405

    def test_a_rotated_token_works_until_its_overlap_ends(
        self, evaluations: tuple[Source, str], post: Callable[..., Any]
    ) -> None:
        source, old = evaluations
        new = source.rotate()
        assert post(old, {"title": "x"}).status_code == post(new, {"title": "x"}).status_code == 200
        with time_machine.travel(datetime.now(UTC) + timedelta(hours=25)):
            assert post(old, {"title": "x"}).status_code == 404
            assert post(new, {"title": "x"}).status_code == 200

    def test_the_token_is_stored_hashed(self, evaluations: tuple[Source, str]) -> None:
        source, token = evaluations
        assert token not in json.dumps(list(Source.objects.values()), default=str)
        assert source.hint == token[-4:]


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


class TestOtherMonitors:
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

    def test_credentials_are_not_kept(self, connected: Callable[..., str], client: Client) -> None:
        token = connected("generic")
        headers = {"Authorization": f"Bearer {token}", "Cookie": "a=secret", "X-Faultline-Signature": "t=1,v1=secret"}
        client.post("/ingest", b'{"title": "x"}', content_type=JSON, headers=headers)
        kept = json.dumps(Delivery.objects.get().headers)
        assert token not in kept
        assert "secret" not in kept
