"""All of Faultline on one machine, started, watched and stopped together.

Every process leads its own group and dies with this one, so nothing is ever left over: not after Ctrl-C, not after
kill -9.
"""

import errno
import fcntl
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import IO

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.staticfiles.finders import get_finders
from django.db import DatabaseError, NotSupportedError, connection
from django.db.migrations.executor import MigrationExecutor
from kombu.exceptions import OperationalError as BrokerError

from reliability.celery import app
from reliability.embedded import (
    CannotStart,
    Postgres,
    Process,
    Valkey,
    command_of,
    dying_with_parent,
    folder_trouble,
    stop_leftover,
)

# Seconds. What stops first has CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT and a little; all of it stays below ten.
PROGRAMS_STOP_WITHIN = 6.5
SERVERS_STOP_WITHIN = 2.5
STEADY_AFTER = 30.0
LONGEST_PAUSE = 30.0
READY_WITHIN = 60.0

LOG_AT_MOST = 20_000_000  # bytes; a log that grew larger is kept once as .1
_ALARMING = re.compile(r"\[(error|critical) *\]|\"level\": ?\"(error|critical)\"|\b(FATAL|PANIC|Traceback)\b")


class Console:
    """What the person who started it sees: few lines, each with the seconds since the start."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def step(self, text: str) -> None:
        self.say(f"{time.monotonic() - self._began:6.1f} s  {text}")

    def say(self, text: str) -> None:
        # The terminal may be gone, which is one more reason to stop and none to fail.
        with suppress(OSError):
            print(text, flush=True)


@dataclass
class Log:
    """A process's output, in a file of its own, followed for what a person should see."""

    file: Path
    _seen: int = 0

    @contextmanager
    def to_append(self) -> Iterator[IO[bytes]]:
        with self.file.open("ab") as handle:
            yield handle

    def skip(self) -> None:
        self._seen = self.file.stat().st_size if self.file.exists() else 0

    def fresh_lines(self) -> list[str]:
        if not self.file.exists():
            return []
        with self.file.open("rb") as handle:
            handle.seek(self._seen)
            fresh = handle.read(1_000_000)
        whole = fresh[: fresh.rfind(b"\n") + 1]
        self._seen += len(whole)
        self._trim()
        return whole.decode(errors="replace").splitlines()

    def last_line(self) -> str:
        lines = self.file.read_text(errors="replace").strip().splitlines() if self.file.exists() else []
        return lines[-1].strip() if lines else "it gave no reason"

    def _trim(self) -> None:
        if self._seen > LOG_AT_MOST:
            with suppress(OSError):  # on a full disk, room matters more than what was said
                shutil.copyfile(self.file, self.file.with_suffix(".log.1"))
            os.truncate(self.file, 0)  # its writers append, so they go on at the start
            self._seen = 0


@dataclass
class Part:
    """One process of the group, and how it is started and stopped."""

    name: str
    launch: Callable[[IO[bytes]], Process]
    log: Log
    stop_with: signal.Signals = signal.SIGTERM
    process: Process | None = None
    _started: float = 0.0
    _failures: int = 0
    _not_before: float = field(default=0.0)

    def start(self) -> Process:
        with self.log.to_append() as handle:
            self.process = self.launch(handle)
        self._started = time.monotonic()
        return self.process

    def revive(self) -> str | None:
        """Start it again if it died, after a pause that doubles with each failure; say what happened, if anything."""
        if self.process is None:
            if time.monotonic() < self._not_before:
                return None
            return self._start_again()
        if self.process.poll() is None:
            return None
        return self._bury(self.process)

    def _start_again(self) -> str:
        try:
            self.start()
        except OSError as error:  # no process or no file can be had just now
            self._not_before = time.monotonic() + LONGEST_PAUSE
            return f"{self.name} cannot start ({error.strerror}); the next try is in {LONGEST_PAUSE:.0f} s"
        return f"{self.name} runs again"

    def _bury(self, process: Process) -> str:
        _signal_group(process.pid, signal.SIGKILL)  # its own children would hold the port or the queue
        steady = time.monotonic() - self._started > STEADY_AFTER
        self._failures = 1 if steady else self._failures + 1
        pause = min(LONGEST_PAUSE, 0.25 * 2**self._failures)
        self._not_before = time.monotonic() + pause
        self.process = None
        return f"{self.name} stopped ({_ending(process.returncode)}) and starts again in {pause:.1f} s; see {self.log.file}"

    def ask_to_stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(self.stop_with)

    def wait_or_kill(self, end: float) -> None:
        if self.process is None:
            return
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(max(0.0, end - time.monotonic()))
        _signal_group(self.process.pid, signal.SIGKILL)
        self.process.wait()


def _signal_group(leader: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):  # macOS answers so where only zombies are left
        os.killpg(leader, number)


def _ending(code: int) -> str:
    return f"by {signal.Signals(-code).name}" if code < 0 else f"with code {code}"


class AskedToStop(Exception):
    """A signal asked to stop."""


class Supervisor:
    def __init__(self) -> None:
        self.data: Path = settings.DATA
        self.console = Console()
        self.servers: list[Part] = []
        self.programs: list[Part] = []
        self._asked_to_stop = False
        self._stopping = False

    def run(self) -> None:
        """Start everything, keep it running until a signal asks to stop, and stop everything."""
        _make_data_folder(self.data)
        with _only_one(self.data):
            self._obey_signals()
            try:
                self._start()
                self._watch()
            except (AskedToStop, KeyboardInterrupt):
                pass
            except OSError as error:
                if error.errno not in {errno.ENOSPC, errno.EDQUOT, errno.EROFS}:
                    raise
                raise folder_trouble(self.data, error) from None
            finally:
                self._stopping = True
                self._stop()

    # Signals

    def _obey_signals(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup means it
                signal.signal(number, self._on_signal)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        """Note that a stop was asked for; raise only for somebody who insists.

        What a handler raises may land where Python swallows it (while it forks, in a finalizer), so a first signal is
        only noted, and every wait looks. A second one gets through where something hangs between two waits.
        """
        insists, self._asked_to_stop = self._asked_to_stop, True
        if insists and not self._stopping:
            raise KeyboardInterrupt

    def _pause(self, seconds: float) -> None:
        """Wait a little. Raises AskedToStop where a signal came meanwhile or before."""
        if not self._asked_to_stop:
            time.sleep(seconds)
        if self._asked_to_stop:
            raise AskedToStop

    # Starting

    def _start(self) -> None:
        self.console.say(f"Faultline starts; its data is in {self.data}")
        for step in (
            self._stop_leftovers,
            _refuse_taken_port,
            self._start_servers,
            self._migrate,
            self._collect_static,
            self._load_demo,
            connection.close,
            self._start_programs,
            self._wait_until_ready,
        ):
            step()
            self._pause(0)
        self.console.say(_banner(self.data))

    def _log(self, name: str) -> Log:
        return Log(self.data / "log" / f"{name}.log")

    def _start_servers(self) -> None:
        if settings.EMBEDDED_POSTGRES:
            self._start_postgres()
        if settings.EMBEDDED_REDIS:
            self._start_valkey()

    def _start_postgres(self) -> None:
        postgres = Postgres(self.data)
        if postgres.prepare():
            self.console.step("A new PostgreSQL database is made")
        part = Part("postgres", postgres.start, self._log("postgres"), stop_with=signal.SIGINT)
        self.servers.append(part)
        postgres.wait_until_ready(part.start(), pause=self._pause)
        postgres.create_database()
        self.console.step("PostgreSQL runs")

    def _start_valkey(self) -> None:
        valkey = Valkey(self.data)
        valkey.prepare()
        part = Part("redis", valkey.start, self._log("redis"))
        self.servers.append(part)
        valkey.wait_until_ready(part.start(), pause=self._pause)
        self.console.step("Redis runs")

    def _migrate(self) -> None:
        if _is_migrated():
            return
        self._manage("migrate", "--no-input", failure="The database could not be brought up to date")
        self.console.step("The database is up to date")

    def _collect_static(self) -> None:
        stamp = self.data / "static" / ".collected"
        wanted = _static_state()
        if stamp.exists() and stamp.read_text() == wanted:
            return
        self._manage("collectstatic", "--no-input", failure="The pages’ files could not be collected")
        stamp.write_text(wanted)
        self.console.step("The pages’ files are collected")

    def _load_demo(self) -> None:
        if settings.DEMO and not get_user_model().objects.exists():
            self._manage("load_demo", "--if-empty", failure="The example could not be loaded")
            self.console.step("The example is loaded")

    def _manage(self, command: str, *options: str, failure: str) -> None:
        """Run a command of manage.py to its end, apart from this process, which then stays small."""
        log = self._log(command)
        log.file.unlink(missing_ok=True)
        with log.to_append() as output:
            process = _spawn([sys.executable, "manage.py", command, *options], role="command", output=output)
        try:
            while (code := process.poll()) is None:
                self._pause(0.05)
        finally:
            _signal_group(process.pid, signal.SIGKILL)
        if code:
            _refuse_full_disk(self.data)  # which leaves no room for a reason in the log either
            raise CannotStart(f"{failure}: {log.last_line()} ({log.file} has the whole story.)")

    def _start_programs(self) -> None:
        for name, command in _programs(self.data).items():
            self.programs.append(Part(name, _launcher(name, command), self._log(name)))
        for part in self.programs:
            part.log.skip()
            part.start()
        self._note_group()
        for part in self.servers:
            part.log.skip()
        self.console.step("Web, worker, beat and sweeper start")

    def _wait_until_ready(self) -> None:
        """Wait until /readyz says 200; where only the pages answer in time, say what is missing and go on."""
        with suppress(BrokerError, OSError):
            # Beat's first comes after ten seconds; this one shows at once that broker and worker work.
            app.send_task("incidents.tasks.tick", expires=READY_WITHIN, retry=False)
        end = time.monotonic() + READY_WITHIN
        while time.monotonic() < end:
            if _ask("/readyz")[0] == http.client.OK:
                return
            self._look_after_parts()
            self._pause(0.2)
        if _ask("/healthz")[0] != http.client.OK:
            web = self._log("web")
            raise CannotStart(f"The pages did not answer within {READY_WITHIN:.0f} s: {web.last_line()} ({web.file})")
        self.console.step(f"Not all of it is ready: {_reasons()}")

    # Running

    def _watch(self) -> None:
        while True:
            self._look_after_parts()
            self._pause(0.2)

    def _look_after_parts(self) -> None:
        for part in [*self.servers, *self.programs]:
            if news := part.revive():
                self.console.step(news)
                self._note_group()
            for line in part.log.fresh_lines():
                # /readyz answers 503 until all is ready; asking it is how we wait.
                if VERBOSE or (_ALARMING.search(line) and "/readyz" not in line):
                    self.console.say(f"{part.name:>8} | {line}")

    # Stopping

    def _stop(self) -> None:
        if not self.servers and not self.programs:
            return
        self.console.say("")
        self.console.step("Faultline stops")
        # The programs may still write while they finish, so their servers go last.
        _stop_together(self.programs, within=PROGRAMS_STOP_WITHIN)
        _stop_together(self.servers, within=SERVERS_STOP_WITHIN)
        self._group_file.unlink(missing_ok=True)
        self.console.step("Everything is stopped")

    # Leftovers, where the kernel does not stop orphans

    @property
    def _group_file(self) -> Path:
        return self.data / "group"

    def _note_group(self) -> None:
        running = [part.process.pid for part in self.programs if part.process]
        with suppress(OSError):  # a full disk must not stop what runs
            self._group_file.write_text("\n".join(map(str, running)))

    def _stop_leftovers(self) -> None:
        if not self._group_file.exists():
            return
        for pid in map(int, self._group_file.read_text().split()):
            command = command_of(pid)
            if "reliability" in command or "sweeper" in command:
                self.console.step(f"Stopping what a killed run left behind (process {pid})")
                stop_leftover(pid, signal.SIGTERM, seconds=PROGRAMS_STOP_WITHIN)
                _signal_group(pid, signal.SIGKILL)


VERBOSE = os.environ.get("VERBOSE", "") not in {"", "0"}


def _stop_together(parts: list[Part], *, within: float) -> None:
    end = time.monotonic() + within
    for part in parts:
        part.ask_to_stop()
    for part in parts:
        part.wait_or_kill(end)


# The processes


def _programs(data: Path) -> dict[str, list[str]]:
    python, celery = sys.executable, ["-m", "celery", "-A", "reliability"]
    heartbeats = "/dev/shm" if Path("/dev/shm").is_dir() else str(data)  # noqa: S108 - a busy disk must not look like a hung worker
    return {
        "web": [
            *(python, "-m", "gunicorn", "--bind", f"{_bracketed(settings.HOST)}:{settings.PORT}"),
            *("--worker-class", "gthread", "--workers", str(settings.WEB_WORKERS), "--threads", "8"),
            *("--graceful-timeout", "5", "--timeout", "60", "--keep-alive", "5", "--no-control-socket"),
            *("--worker-tmp-dir", heartbeats, "reliability.wsgi:application"),
        ],
        "worker": [
            *(python, *celery, "worker", "--concurrency", "2", "--max-tasks-per-child", "500"),
            # Nobody listens to its heartbeat; and a worker that is told to stop while one waits for Redis waits for ever.
            *("--loglevel", "INFO", "--without-gossip", "--without-mingle", "--without-heartbeat"),
        ],
        "beat": [python, *celery, "beat", "--loglevel", "INFO", "--pidfile="],
        "sweeper": [python, "manage.py", "sweeper"],
    }


def _launcher(role: str, command: list[str]) -> Callable[[IO[bytes]], Process]:
    def launch(log: IO[bytes]) -> Process:
        return _spawn(command, role=role, output=log)

    return launch


def _spawn(command: list[str], *, role: str, output: IO[bytes]) -> Process:
    return subprocess.Popen(
        command,
        cwd=settings.BASE_DIR,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
        preexec_fn=dying_with_parent(signal.SIGTERM),
        env={
            **os.environ,
            "ROLE": role,
            "DATA": str(settings.DATA),
            "PYTHONUNBUFFERED": "1",
            # Celery then gives a task that is too slow back to the queue instead of waiting for it.
            "REMAP_SIGTERM": "SIGQUIT",
        },
    )


# Before the start


def _make_data_folder(data: Path) -> None:
    try:
        for folder in (data, data / "log", data / "run"):
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise folder_trouble(data, error) from None
    _refuse_full_disk(data)


def _refuse_full_disk(data: Path) -> None:
    probe = data / "probe"
    try:
        try:
            probe.write_bytes(bytes(1_000_000))
        finally:
            probe.unlink(missing_ok=True)
    except OSError as error:
        raise folder_trouble(data, error) from None


@contextmanager
def _only_one(data: Path) -> Iterator[None]:
    """Hold the data folder; the kernel lets go of it however this process ends."""
    with (data / "up.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise CannotStart(
                f"Faultline already runs on {data} (process {lock.read() or 'unknown'}); "
                "stop it first, or give this one its own DATA= and PORT=."
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def _refuse_taken_port() -> None:
    host, port = settings.HOST, settings.PORT
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(address)
            trial.listen()
    except (socket.gaierror, UnicodeError):
        raise CannotStart(f"HOST must be an address of this machine, not “{host}”.") from None
    except PermissionError:
        raise CannotStart(f"Port {port} is for administrators; choose another, such as PORT=8000.") from None
    except OSError as error:
        if error.errno == errno.EADDRNOTAVAIL:
            raise CannotStart(f"HOST must be an address of this machine, not “{host}”.") from None
        raise CannotStart(
            f"Port {port} on {host} cannot be used ({(error.strerror or '').lower()}); "
            f"choose another, such as PORT={port + 1 if port < 65535 else 8000}."
        ) from None


def _is_migrated() -> bool:
    try:
        connection.ensure_connection()
        executor = MigrationExecutor(connection)
        return not executor.migration_plan(executor.loader.graph.leaf_nodes())
    except NotSupportedError as error:
        raise CannotStart(f"The database of DATABASE_URL is too old: {_first_line(error)}") from None
    except DatabaseError as error:
        raise CannotStart(f"The database cannot be reached: {_first_line(error)}. Check DATABASE_URL.") from None


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0].rstrip(".")


def _static_state() -> str:
    """Describe all static files by name, size and time; the same text means that nothing is to be collected."""
    files = (
        (path, Path(storage.path(path)).stat())
        for finder in get_finders()
        for path, storage in finder.list(ignore_patterns=[])
    )
    return "\n".join(sorted(f"{path} {found.st_size} {found.st_mtime_ns}" for path, found in files))


# Asking the pages


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _ask(path: str) -> tuple[int, bytes]:
    """Ask the web process over loopback, past any proxy; 0 where it does not answer."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.HOST, settings.HOST)  # noqa: S104
    caller = http.client.HTTPConnection(host, settings.PORT, timeout=5)
    try:
        caller.request("GET", path, headers={"Host": f"{settings.ALLOWED_HOSTS[0].lstrip('.*') or 'localhost'}"})
        answer = caller.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException):
        return 0, b""
    finally:
        caller.close()


def _reasons() -> str:
    try:
        return " ".join(json.loads(_ask("/readyz")[1])["reasons"])
    except (ValueError, KeyError):
        return "/readyz does not say why."


def _banner(data: Path) -> str:
    sign_in = (
        "Sign in   mara@example.com, password faultline-demo"
        if settings.DEMO
        else "Sign in   open the address to create the first administrator"
    )
    lines = ["", f"Faultline runs at {settings.BASE_URL}/", "", sign_in]
    first_alert = data / "first_alert.txt"
    if first_alert.exists():
        lines += ["Send it an alert:", "", *first_alert.read_text().strip().splitlines(), ""]
    lines += [f"Logs      {data / 'log'}", "Stop      Ctrl-C", ""]
    return "\n".join(f"  {line}" if line else "" for line in lines)
