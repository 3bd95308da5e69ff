"""A PostgreSQL cluster with the migrated, still empty database, kept in var/test for the next run.

Each run copies the cluster to a folder of its own, and its test databases are made from `DATABASE` in the copy: nothing
that a test writes is ever seen by another run. A whole Faultline of a test starts with a copy too, and has nothing to
migrate. It is made anew when a migration, a locked package or PostgreSQL changes.
"""

import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reliability.local import CannotStart
from reliability.local.postgres import MAJOR, Postgres

HERE = Path(__file__).resolve().parent.parent
KEPT = HERE / "var" / "test"
DATABASE = "faultline"  # as the product calls its own


def copy_to(data: Path) -> None:
    """Put a copy of the cluster where `Postgres(data)` looks for it; make the cluster first where there is none."""
    KEPT.mkdir(parents=True, exist_ok=True)
    cluster = KEPT / f"postgres-{_digest()}"
    if not cluster.exists():
        with _locked(fcntl.LOCK_EX):
            if not cluster.exists():  # another run may have made it meanwhile
                _make(cluster)
    with _locked(fcntl.LOCK_SH):  # nobody throws it away while it is copied
        subprocess.run(["cp", "-a", cluster, Postgres(data).folder], check=True)


def _digest() -> str:
    """What the database is made of: the migrations with their data, the packages with theirs, and the server."""
    content = hashlib.sha256(f"{MAJOR} {DATABASE}".encode())
    files = (HERE / "incidents" / "migrations").iterdir()
    for file in [HERE / "requirements.txt", *sorted(file for file in files if file.suffix in {".py", ".json"})]:
        content.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return content.hexdigest()[:16]


@contextmanager
def _locked(how: int) -> Iterator[None]:
    with (KEPT / "lock").open("a") as lock:
        fcntl.flock(lock, how)
        yield


def _make(cluster: Path) -> None:
    """Make the cluster aside and rename it when it is whole; throw away those of other migrations."""
    data = Path(tempfile.mkdtemp(prefix="faultline-template-"))
    server = Postgres(data, name=DATABASE, fast=True)
    try:
        server.prepare()
        with (data / "postgres.log").open("ab") as log:
            process = server.start(log)
        try:
            server.wait_until_ready(process)
            server.create_database()
            _migrate(server.url, data)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)
        for older in KEPT.glob("postgres-*"):
            shutil.rmtree(older)
        unfinished = KEPT / "unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        subprocess.run(["cp", "-a", server.folder, unfinished], check=True)
        unfinished.rename(cluster)
    finally:
        shutil.rmtree(data, ignore_errors=True)


def _migrate(address: str, data: Path) -> None:
    command = [sys.executable, "-W", "ignore", "manage.py", "migrate", "--no-input", "--verbosity=0"]
    environment = os.environ | {"DATABASE_URL": address, "DATA": str(data)}
    done = subprocess.run(command, cwd=HERE, env=environment, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise CannotStart(f"The tests’ database could not be migrated:\n{done.stderr}")
