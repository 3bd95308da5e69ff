"""The one way out: what it refuses to ask, and how it asks the rest."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from incidents.outgoing import Blocked, Unreachable, is_public, send

PUBLIC = "93.184.215.14"


def resolves_to(*addresses: str) -> Callable[[str, int], list[str]]:
    return lambda _host, _port: list(addresses)


def never(host: str, port: int) -> list[str]:
    raise AssertionError(f"looked for {host}:{port}")


class TestWaysIn:
    @pytest.mark.parametrize(
        "url",
        [
            "https://127.0.0.1/",
            "https://127.1/",
            "https://0/",
            "https://0.0.0.0/",
            "https://2130706433/",
            "https://0x7f000001/",
            "https://0177.0.0.1/",
            "https://localhost/",
            "https://localhost./",
            "https://[::1]/",
            "https://[::]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::ffff:7f00:1]/",
            "https://[fe80::1]/",
            "https://[fd00:ec2::254]/latest/meta-data/",
            "https://[64:ff9b::7f00:1]/",
            "https://[64:ff9b::a9fe:a9fe]/",
            "https://[2002:7f00:1::]/",
            "https://[2001:0:7f00:1::]/",
            "https://10.0.0.1/",
            "https://172.16.0.1/",
            "https://192.168.1.1/",
            "https://100.64.0.1/",
            "https://100.100.100.200/latest/meta-data/",
            "https://169.254.169.254/latest/meta-data/",
            "https://168.63.129.16/metadata/instance",
            "https://192.0.2.1/",
            "https://198.18.0.1/",
            "https://224.0.0.1/",
            "https://240.0.0.1/",
            "https://255.255.255.255/",
        ],
    )
    def test_a_host_that_is_not_on_the_internet_is_not_asked(self, url: str) -> None:
        with pytest.raises((Blocked, Unreachable), match=r"not on the Internet|cannot be found"):
            send("GET", url)

    @pytest.mark.parametrize(
        "url",
        [
            "http://hooks.example/",
            "https://hooks.example:22/",
            "https://hooks.example:6379/",
            "ftp://hooks.example/",
            "file:///etc/passwd",
            "gopher://127.0.0.1:6379/_FLUSHALL",
            "//hooks.example/",
            "hooks.example",
            "",
            "https://",
            "https:///etc/passwd",
            "https://user:secret@hooks.example/",
            "https://hooks.example@127.0.0.1/",
            "https://hooks.example\\@127.0.0.1/",
            "https://hooks.example\r\nX-Evil: 1/",
            "https://hooks.example/\r\nX-Evil:1",
            "https://hooks.example/ HTTP/1.1",
            "https://ｈooks.example/",
            "https://127。0。0。1/",
            "https://hooks.example:port/",
            "https://hooks.example:99999/",
            "https://[::1/",
            "https://hooks.example/" + "a" * 2048,
        ],
    )
    def test_an_address_that_is_none_is_refused_before_anything_is_looked_up(self, url: str) -> None:
        with pytest.raises(Blocked):
            send("GET", url, resolve=never)

    def test_one_private_address_among_public_ones_blocks_the_host(self) -> None:
        with pytest.raises(Blocked):
            send("GET", "https://hooks.example/", resolve=resolves_to(PUBLIC, "10.0.0.1"))

    def test_what_a_name_resolves_to_later_changes_nothing(self) -> None:
        """Rebinding: the second time a name is looked up, it is somebody else's. It is looked up once."""
        asked = []

        def rebinding(host: str, port: int) -> list[str]:
            asked.append(host)
            return ["192.0.2.1"] if len(asked) == 1 else ["127.0.0.1"]

        with pytest.raises(Blocked):
            send("GET", "https://hooks.example/", resolve=rebinding)
        assert asked == ["hooks.example"]

    @pytest.mark.parametrize("address", [PUBLIC, "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "64:ff9b::5db8:d70e"])
    def test_a_public_address_is_public(self, address: str) -> None:
        assert is_public(ip_address(address))


ask = partial(send, seconds=60)  # a busy machine is not what these tests are about


class Desk:
    """A server of our own that remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str, bytes]] = []
        desk = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                desk.asked.append((self.command, self.path, self.headers["Host"], body))
                if self.path == "/elsewhere":
                    self.send_response(302)
                    self.send_header("Location", "http://169.254.169.254/")
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"x" * 100_000 if self.path == "/much" else b"ok")
                self.close_connection = True

            def do_GET(self) -> None:
                self.do_POST()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port

    def serve(self) -> None:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()
    desk.serve()
    yield desk
    desk.server.shutdown()
    desk.server.server_close()


@pytest.fixture
def allowed(settings: object) -> None:
    settings.OUTGOING_ALLOW = ["hooks.internal", "127.0.0.0/8"]  # type: ignore[attr-defined]


HERE = resolves_to("127.0.0.1")


@pytest.mark.usefixtures("allowed")
class TestAsking:
    def test_a_host_of_ones_own_is_asked_under_its_own_name(self, desk: Desk) -> None:
        answer = ask("POST", f"http://hooks.internal:{desk.port}/in?a=1", body=b"{}", resolve=HERE)
        assert (answer.status, answer.body) == (200, b"ok")
        assert desk.asked == [("POST", "/in?a=1", f"hooks.internal:{desk.port}", b"{}")]

    def test_so_is_one_in_a_network_of_ones_own(self, desk: Desk) -> None:
        assert ask("GET", f"http://127.0.0.1:{desk.port}").status == 200
        assert desk.asked[0][1] == "/"

    def test_another_name_for_what_is_not_allowed_is_still_blocked(self, desk: Desk) -> None:
        with pytest.raises(Blocked):
            ask("GET", f"http://other.internal:{desk.port}/", resolve=resolves_to("10.0.0.1"))
        with pytest.raises(Blocked):
            ask("GET", f"http://other.internal:{desk.port}/", resolve=resolves_to("127.0.0.1", PUBLIC))
        assert desk.asked == []

    def test_no_redirect_is_followed(self, desk: Desk) -> None:
        answer = ask("GET", f"http://127.0.0.1:{desk.port}/elsewhere")
        assert (answer.status, answer.headers["location"]) == (302, "http://169.254.169.254/")
        assert len(desk.asked) == 1

    def test_no_more_is_read_than_allowed(self, desk: Desk) -> None:
        assert len(ask("GET", f"http://127.0.0.1:{desk.port}/much", most=1000).body) == 1000

    @pytest.mark.parametrize("headers", [{"X-A": "1\r\nX-Evil: 1"}, {"X-A\r\nX-Evil": "1"}])
    def test_a_header_cannot_bring_another(self, desk: Desk, headers: dict[str, str]) -> None:
        with pytest.raises(ValueError, match="Invalid header"):
            ask("GET", f"http://127.0.0.1:{desk.port}/", headers=headers)
        assert desk.asked == []

    def test_a_proxy_of_the_environment_is_not_used(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HTTP_PROXY", "http://192.0.2.1:9")
        monkeypatch.setenv("http_proxy", "http://192.0.2.1:9")
        assert ask("GET", f"http://127.0.0.1:{desk.port}/").status == 200

    def test_the_next_address_is_tried_where_one_is_silent(self, desk: Desk) -> None:
        answer = ask("GET", f"http://hooks.internal:{desk.port}/", resolve=resolves_to("127.0.0.99", "127.0.0.1"))
        assert answer.status == 200


@pytest.mark.usefixtures("allowed")
class TestTrouble:
    def test_nobody_there(self) -> None:
        with socket.socket() as reserved:
            reserved.bind(("127.0.0.1", 0))
            with pytest.raises(Unreachable, match="connection refused"):
                ask("GET", f"http://127.0.0.1:{reserved.getsockname()[1]}/")

    def test_no_such_name(self) -> None:
        def unknown(_host: str, _port: int) -> list[str]:
            raise socket.gaierror

        with pytest.raises(Unreachable, match="cannot be found"):
            ask("GET", "https://hooks.example/", resolve=unknown)
        with pytest.raises(Unreachable, match="cannot be found"):
            ask("GET", "https://hooks.example/", resolve=resolves_to())

    @pytest.mark.parametrize(
        ("sent", "reason"),
        [
            (b"", "hung up"),
            (b"hello\r\n\r\n", "not HTTP"),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab", "hung up"),
        ],
    )
    def test_what_is_not_http(self, sent: bytes, reason: str) -> None:
        with answering(sent) as port, pytest.raises(Unreachable, match=reason):
            ask("GET", f"http://127.0.0.1:{port}/")

    @pytest.mark.parametrize("drip", [b"", b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\n\r\n"])
    def test_a_host_that_sends_a_byte_now_and_then_does_not_hold_us(self, drip: bytes) -> None:
        with answering(drip, for_ever=True) as port, pytest.raises(Unreachable, match="took too long"):
            send("GET", f"http://127.0.0.1:{port}/", seconds=0.3)


class answering:  # noqa: N801 - reads as a sentence
    """A port that sends these bytes to whoever connects, and then nothing, or a byte now and then for ever."""

    def __init__(self, sent: bytes, *, for_ever: bool = False) -> None:
        self.sent, self.for_ever = sent, for_ever
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.over = threading.Event()

    def __enter__(self) -> int:
        threading.Thread(target=self._serve, daemon=True).start()
        return int(self.listener.getsockname()[1])

    def _serve(self) -> None:
        line, _ = self.listener.accept()
        with line:
            line.recv(4096)
            line.sendall(self.sent)
            while self.for_ever and not self.over.wait(0.02):
                try:
                    line.sendall(b"x")
                except OSError:
                    return

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.listener.close()


@pytest.fixture
def certified(tmp_path: Path, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """The desk behind TLS, with a certificate for hooks.internal that is trusted here."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hooks.internal")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("hooks.internal")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path / "certificate.pem"
    pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private = tmp_path / "key.pem"
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, private)
    desk.server.socket = context.wrap_socket(desk.server.socket, server_side=True)
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    return desk


@pytest.mark.usefixtures("allowed")
class TestTls:
    def test_the_host_proves_its_name(self, certified: Desk) -> None:
        assert ask("GET", f"https://hooks.internal:{certified.port}/", resolve=HERE).body == b"ok"

    def test_one_that_cannot_gets_nothing(self, certified: Desk, settings: object) -> None:
        settings.OUTGOING_ALLOW = ["other.internal"]  # type: ignore[attr-defined]
        with pytest.raises(Unreachable, match="certificate"):
            ask("POST", f"https://other.internal:{certified.port}/", body=b"secret", resolve=HERE)
        assert certified.asked == []

    def test_one_that_nobody_trusts_gets_nothing(self, certified: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("SSL_CERT_FILE")
        with pytest.raises(Unreachable, match="certificate"):
            ask("GET", f"https://hooks.internal:{certified.port}/", resolve=HERE)

    def test_the_time_is_limited_during_the_handshake_too(self) -> None:
        began = time.monotonic()
        with answering(b"", for_ever=True) as port, pytest.raises(Unreachable):
            send("GET", f"https://hooks.internal:{port}/", resolve=HERE, seconds=0.3)
        assert time.monotonic() - began < 60
