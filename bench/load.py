"""A sender that costs little: ready-made requests over kept connections, with the time of each answer."""

import socket
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

CONNECTIONS = 16


@dataclass
class Sent:
    """What became of a number of requests. Times are in seconds."""

    seconds: float = 0.0
    times: list[float] = field(default_factory=list)
    refused: int = 0

    def quantile(self, share: float) -> float:
        ordered = sorted(self.times)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    def milliseconds(self) -> dict[str, float]:
        return {f"p{int(share * 100)}_ms": round(self.quantile(share) * 1000, 1) for share in (0.5, 0.95, 0.99)}


def request(port: int, path: str, body: bytes) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


class Connection:
    """One kept connection, made again where the server closed it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._socket: socket.socket | None = None

    def send(self, raw: bytes) -> tuple[int, bytes]:
        """Send one request and return the status and the body of its answer."""
        try:
            return self._ask(raw)
        except OSError:
            self.close()
            return self._ask(raw)

    def send_taken(self, raw: bytes) -> bytes:
        """Send one request that has to be taken, and return the body of its answer."""
        status, answer = self.send(raw)
        if status != 200:
            raise RuntimeError(f"{status}: {answer!r}")
        return answer

    def _ask(self, raw: bytes) -> tuple[int, bytes]:
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self.port), timeout=60)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(raw)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self._more()
        head, _, rest = answer.partition(b"\r\n\r\n")
        lowered = head.lower()
        length = int(lowered.partition(b"content-length:")[2].partition(b"\r")[0] or 0)
        while len(rest) < length:
            rest += self._more()
        if b"connection: close" in lowered:
            self.close()
        return int(head[9:12]), rest

    def _more(self) -> bytes:
        part = self._socket.recv(65536) if self._socket else b""
        if not part:
            raise ConnectionResetError("closed")
        return part

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def send_all(port: int, requests: Iterable[bytes], *, connections: int = CONNECTIONS) -> Sent:
    """Send every request once, over this many connections at once."""
    waiting: Iterator[bytes] = iter(requests)
    lock, sent = threading.Lock(), Sent()

    def work() -> None:
        connection, mine, refused = Connection(port), [], 0
        while True:
            with lock:
                batch = list(islice(waiting, 8))
            if not batch:
                break
            for raw in batch:
                began = time.perf_counter()
                status, _ = connection.send(raw)
                mine.append(time.perf_counter() - began)
                refused += status != 200
        connection.close()
        with lock:
            sent.times += mine
            sent.refused += refused

    threads = [threading.Thread(target=work) for _ in range(connections)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sent.seconds = time.perf_counter() - began
    return sent
