"""What stands in front of Faultline: whom it believes, and that no request is sent to itself."""

from ipaddress import ip_network
from typing import Any

import pytest
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from incidents.alerts.models import Source
from incidents.web.proxies import behind_proxies

SECURE = {
    "BASE_URL": "https://faultline.example",
    "SERVED_OVER_TLS": True,
    "ALLOWED_HOSTS": ["faultline.example", "10.0.0.9"],
}


@pytest.fixture
def over_tls(settings: object) -> None:
    """An installation whose address is HTTPS, behind a proxy at 10.0.0.5."""
    for name, value in SECURE.items():
        setattr(settings, name, value)
    settings.TRUSTED_PROXIES = [ip_network("10.0.0.0/24"), ip_network("fd00::/8")]  # type: ignore[attr-defined]


def seen(peer: str, **headers: str) -> tuple[str, str]:
    """Give the visitor's address and scheme as everything behind the middleware sees them."""
    request = RequestFactory().get("/")
    request.META |= {"REMOTE_ADDR": peer} | {f"HTTP_{name}": value for name, value in headers.items()}

    def view(request: HttpRequest) -> HttpResponse:
        assert not any(name.startswith("HTTP_X_FORWARDED") or name == "HTTP_FORWARDED" for name in request.META)
        return HttpResponse(f"{request.META['REMOTE_ADDR']} {request.scheme}")

    address, scheme = behind_proxies(view)(request).content.decode().split(" ")
    return address, scheme


@pytest.mark.usefixtures("over_tls")
class TestWhoIsBelieved:
    def test_a_trusted_proxy(self) -> None:
        assert seen("10.0.0.5", X_FORWARDED_FOR="203.0.113.9", X_FORWARDED_PROTO="https") == ("203.0.113.9", "https")

    def test_nobody_else(self) -> None:
        assert seen("203.0.113.66", X_FORWARDED_FOR="10.0.0.5", X_FORWARDED_PROTO="https") == ("203.0.113.66", "http")

    @pytest.mark.parametrize(
        ("peer", "address"), [("fe80::1%eth0", "fe80::1"), ("::ffff:203.0.113.66", "203.0.113.66"), ("", "")]
    )
    def test_a_visitor_without_a_proxy_is_named_in_one_way(self, peer: str, address: str) -> None:
        assert seen(peer)[0] == address

    def test_what_a_visitor_wrote_in_front_is_not_believed(self) -> None:
        assert seen("10.0.0.5", X_FORWARDED_FOR="127.0.0.1, 1.2.3.4, 203.0.113.9, 10.0.0.7")[0] == "203.0.113.9"

    @pytest.mark.parametrize(
        ("chain", "address"),
        [
            ("", "10.0.0.5"),
            ("nonsense", "10.0.0.5"),
            ("203.0.113.9, nonsense", "10.0.0.5"),
            ("203.0.113.9:4711", "203.0.113.9"),
            ("[2001:db8::1]:4711", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1"),
            ("::ffff:203.0.113.9", "203.0.113.9"),
            ("10.0.0.9", "10.0.0.9"),
            ("9" * 10_000, "10.0.0.5"),
        ],
    )
    def test_the_nearest_address_that_can_be_read_and_is_no_proxy(self, chain: str, address: str) -> None:
        assert seen("10.0.0.5", X_FORWARDED_FOR=chain)[0] == address

    def test_a_proxy_that_listens_on_ipv6_too(self) -> None:
        assert seen("::ffff:10.0.0.5", X_FORWARDED_FOR="203.0.113.9")[0] == "203.0.113.9"

    @pytest.mark.parametrize("scheme", ["", "ftp", "https, http", "javascript"])
    def test_a_scheme_that_is_none(self, scheme: str) -> None:
        assert seen("10.0.0.5", X_FORWARDED_PROTO=scheme)[1] == "http"

    def test_another_name_for_the_host_is_never_believed(self) -> None:
        answer = Client().get(
            "/accounts/login/",
            HTTP_HOST="faultline.example",
            HTTP_X_FORWARDED_HOST="evil.example",
            REMOTE_ADDR="10.0.0.5",
            HTTP_X_FORWARDED_PROTO="https",
        )
        assert b"evil.example" not in answer.content


@pytest.mark.usefixtures("over_tls")
class TestPlainHttp:
    def get(self, path: str, *, host: str = "faultline.example", scheme: str = "") -> Any:
        return Client(HTTP_HOST=host, REMOTE_ADDR="10.0.0.5", HTTP_X_FORWARDED_PROTO=scheme).get(path)

    def test_a_visitor_who_came_by_http_is_sent_to_https(self) -> None:
        answer = self.get("/incidents/?q=x", scheme="http")
        assert (answer.status_code, answer["Location"]) == (301, "https://faultline.example/incidents/?q=x")

    def test_and_one_who_used_another_name(self) -> None:
        answer = self.get("/incidents/", host="10.0.0.9")
        assert (answer.status_code, answer["Location"]) == (301, "https://faultline.example/incidents/")

    def test_no_request_is_sent_to_itself(self) -> None:
        """A proxy that does not say which scheme it was asked by: a browser would be sent round until it gives up."""
        answer = self.get("/incidents/")
        assert answer.status_code == 400
        assert b"X-Forwarded-Proto" in answer.content
        assert b"TRUSTED_PROXIES" in answer.content

    def test_who_came_by_https_gets_the_page_and_hsts_for_this_host_alone(self, db: None, settings: object) -> None:
        settings.SECURE_HSTS_SECONDS = 31_536_000  # type: ignore[attr-defined]
        answer = self.get("/accounts/login/", scheme="https")
        assert answer.status_code == 200
        assert answer["Strict-Transport-Security"] == "max-age=31536000"

    def test_probes_ask_as_they_like(self, db: None) -> None:
        assert self.get("/healthz").status_code == 200

    def test_a_monitor_is_heard_either_way(self, evaluations: tuple[Source, str]) -> None:
        """A sender that is sent elsewhere drops what it has, or asks with GET."""
        for scheme in ("", "http", "https"):
            answer = Client().post(
                f"/ingest/{evaluations[1]}",
                {"title": f"Recall fell {scheme}"},
                content_type="application/json",
                HTTP_HOST="faultline.example",
                REMOTE_ADDR="10.0.0.5",
                HTTP_X_FORWARDED_PROTO=scheme,
            )
            assert answer.status_code == 200, answer.content


class TestDoors:
    def test_an_unknown_host_is_refused_with_a_reason(self, evaluations: tuple[Source, str]) -> None:
        answer = Client().post(
            f"/ingest/{evaluations[1]}", {"title": "x"}, content_type="application/json", HTTP_HOST="evil.example"
        )
        assert (answer.status_code, answer.json()["code"]) == (400, "unknown_host")
        assert "ALLOWED_HOSTS" in answer.json()["detail"]
        assert not evaluations[0].deliveries.exists()

    def test_their_answers_can_neither_be_framed_nor_run(self, evaluations: tuple[Source, str]) -> None:
        answer = Client().get(f"/ingest/{evaluations[1]}")
        assert answer["X-Frame-Options"] == "DENY"
        assert "default-src 'none'" in answer["Content-Security-Policy"]
        assert answer["X-Content-Type-Options"] == "nosniff"


def test_by_default_only_this_machine_is_a_proxy() -> None:
    assert list(map(str, settings.TRUSTED_PROXIES)) == ["127.0.0.0/8", "::1/128"]
