"""A throwaway PostgreSQL and Redis for the test run, started before Django reads its settings.

Loaded as `-p tests.servers`. Where DATABASE_URL or REDIS_URL is given, that server is used instead (and the tests'
database is migrated there by each run). The workers of xdist inherit both. However the run ends, the kernel stops the
servers with it.
"""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from reliability.local import CannotStart
from reliability.local.postgres import Postgres
from reliability.local.process import Process
from reliability.local.valkey import Valkey
from tests import template

_INSTALLATION = [
    *("ROLE", "HOST", "PORT", "BASE_URL", "ALLOWED_HOSTS", "DEMO", "DEBUG", "SECRET_KEY"),
    *("EMAIL_URL", "MAIL_FROM", "LOG_JSON", "LOG_LEVEL"),
]

_started: list[Process] = []
_folder: Path | None = None


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests() -> Iterator[None]:
    if "PYTEST_XDIST_WORKER" not in os.environ:
        try:
            _start_servers()
        except CannotStart as reason:
            _stop_servers()
            raise pytest.UsageError(str(reason)) from None
    yield


def pytest_unconfigure() -> None:
    _stop_servers()


def _start_servers() -> None:
    global _folder
    _folder = Path(tempfile.mkdtemp(prefix="faultline-test-"))
    (_folder / "static").mkdir()
    for name in _INSTALLATION:  # an installation's own settings must not leak into the tests
        os.environ.pop(name, None)
    os.environ["DATA"] = str(_folder)
    if not os.environ.get("DATABASE_URL"):
        os.environ["DATABASE_URL"] = _start_postgres(_folder)
    if not os.environ.get("REDIS_URL"):
        os.environ["REDIS_URL"] = _start_valkey(_folder)


def _start_postgres(folder: Path) -> str:
    template.copy_to(folder)
    os.environ["TEST_TEMPLATE"] = template.DATABASE
    server = Postgres(folder, fast=True)
    server.prepare()
    with (folder / "postgres.log").open("ab") as log:
        _started.append(server.start(log))
    server.wait_until_ready(_started[-1])
    return server.url


def _start_valkey(folder: Path) -> str:
    server = Valkey(folder)
    server.prepare()
    with (folder / "valkey.log").open("ab") as log:
        _started.append(server.start(log))
    server.wait_until_ready(_started[-1])
    return server.url


def _stop_servers() -> None:
    for process in _started:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGINT)
    for process in _started:
        process.wait(20)
    _started.clear()
    if _folder:
        shutil.rmtree(_folder, ignore_errors=True)
