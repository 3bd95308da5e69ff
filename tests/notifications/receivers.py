"""Receivers of our own: servers in threads that answer as they are told, and remember what they got."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Got:
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Desk:
    """Answers `status` with `headers` and `body`; while `hangs` is set it says nothing until `let_go`."""

    url: str = ""
    status: int = 200
    body: bytes = b"ok"
    headers: dict[str, str] = field(default_factory=dict)
    hangs: bool = False
    let_go: threading.Event = field(default_factory=threading.Event)
    got: list[Got] = field(default_factory=list)


@contextmanager
def desk(**answer: object) -> Iterator[Desk]:
    own = Desk(**answer)  # type: ignore[arg-type]  # whatever the test says

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            own.got.append(Got(self.path, {name.lower(): text for name, text in self.headers.items()}, body))
            if own.hangs:
                own.let_go.wait(60)
                return
            self.send_response(own.status)
            for name, text in own.headers.items():
                self.send_header(name, text)
            self.send_header("Content-Length", str(len(own.body)))
            self.end_headers()
            self.wfile.write(own.body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    own.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield own
    finally:
        own.let_go.set()
        server.shutdown()
        server.server_close()
