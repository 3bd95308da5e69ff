"""The product under measurement: all its processes, what they use, and what is in its database."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from reliability.local.postgres import Postgres
from tests.running import HERE, Running, environment, free_port, running, until

_TICK = os.sysconf("SC_CLK_TCK")
SERVER = ("--worker-class", "gthread", "--threads", "8", "--keep-alive", "5", "--no-control-socket")


@dataclass
class Product:
    group: Running
    database: "psycopg.Connection[tuple[Any, ...]]"

    def count(self, question: str, *values: Any) -> int:
        row = self.database.execute(question, values).fetchone()
        return int(row[0]) if row and row[0] is not None else 0

    def waiting(self) -> int:
        return self.count("SELECT count(*) FROM incidents_delivery WHERE status = 'received'")

    def wait_until_drained(self, *, seconds: float = 600) -> float:
        """Wait until nothing is due; returns how long that took, in seconds."""
        began = time.perf_counter()
        until(lambda: self.waiting() == 0, seconds=seconds, what="everything is processed")
        return time.perf_counter() - began

    def cpu(self) -> float:
        """CPU seconds that all processes of the product have used so far, PostgreSQL and Redis among them.

        What has ended is counted with its parent, so nothing is counted twice.
        """
        return sum(_used(pid) for pid, _ in self.group.group())

    def memory(self) -> int:
        """Proportional set size of all processes but PostgreSQL's, in bytes."""
        return sum(_pss(pid) for pid, command in self.group.group() if "postgres" not in command)

    @contextmanager
    def draining_paused(self) -> Iterator[None]:
        """Let the worker and the sweeper stand still."""
        paused = [pid for pid, command in self.group.group() if " worker " in command or "sweeper" in command]
        for pid in paused:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in paused:
                os.kill(pid, signal.SIGCONT)

    def source(self, name: str, kind: str = "alertmanager", **options: str) -> str:
        """Make a source and return the path of its address."""
        more = [part for option, value in options.items() for part in (f"--{option}", value)]
        return f"/ingest/{self.group.manage('create_source', kind, name, *more)['token']}"


def _used(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / _TICK  # utime, stime, and both of the children that were waited for


def _pss(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


@contextmanager
def product(*, web_workers: int = 1, **more: str) -> Iterator[Product]:
    """Start all of it on an empty folder, with the demonstration's systems and people."""
    with tempfile.TemporaryDirectory(prefix="faultline-bench-") as folder:
        data = Path(folder) / "data"
        with (
            running(data, WEB_WORKERS=str(web_workers), **more) as group,
            psycopg.connect(Postgres(data).url, autocommit=True) as database,
        ):
            yield Product(group, database)


@contextmanager
def bare_view(data: Path, *, workers: int) -> Iterator[int]:
    """Serve the bare view by the same web server, on the product's PostgreSQL; gives its port."""
    port = free_port()
    variables = environment(data, port) | {"DATABASE_URL": Postgres(data).url}
    command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--workers", str(workers), *SERVER]
    served = subprocess.Popen(
        [*command, "--log-level", "error", "bench.bare:application"], cwd=HERE, env=variables, start_new_session=True
    )
    try:
        until(lambda: _answers(port), what="the bare view answers")
        yield port
    finally:
        served.terminate()
        served.wait(20)


def _answers(port: int) -> bool:
    with socket.socket() as trial:
        return trial.connect_ex(("127.0.0.1", port)) == 0
