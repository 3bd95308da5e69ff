"""A throwaway PostgreSQL and Redis for the test run, started before Django reads its settings.

Used as `-p tests.servers`. DATABASE_URL and REDIS_URL, where given, are used instead. Workers of xdist inherit both.
"""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from reliability.embedded import Postgres, Valkey

_started: list["subprocess.Popen[bytes]"] = []
_folder: Path | None = None


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests() -> Iterator[None]:
    global _folder
    if "PYTEST_XDIST_WORKER" not in os.environ:
        _folder = Path(tempfile.mkdtemp(prefix="faultline-test-"))
        # An installation's own settings must not leak into the tests.
        for name in ("DATA", "PORT", "HOST", "BASE_URL", "DEMO", "SECRET_KEY", "EMAIL_URL", "ROLE", "DEBUG"):
            os.environ.pop(name, None)
        os.environ["DATA"] = str(_folder)
        if not os.environ.get("DATABASE_URL"):
            _start_postgres(_folder)
        if not os.environ.get("REDIS_URL"):
            _start_valkey(_folder)
    yield


def _start_postgres(folder: Path) -> None:
    server = Postgres(folder, name="postgres", fast=True)
    server.prepare()
    _started.append(server.start((folder / "postgres.log").open("ab")))
    server.wait_until_ready()
    os.environ["DATABASE_URL"] = server.url


def _start_valkey(folder: Path) -> None:
    server = Valkey(folder)
    server.prepare()
    _started.append(server.start((folder / "valkey.log").open("ab")))
    server.wait_until_ready()
    os.environ["REDIS_URL"] = server.url


def pytest_unconfigure() -> None:
    for process in reversed(_started):
        process.send_signal(signal.SIGINT)
    for process in _started:
        process.wait(20)
    _started.clear()
    if _folder:
        shutil.rmtree(_folder, ignore_errors=True)
