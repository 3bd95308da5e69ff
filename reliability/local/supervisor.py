"""All of Faultline on one machine, started, watched and stopped together.

Every process leads its own group and dies with this one, so nothing is ever left over: not after Ctrl-C, not after
kill -9.
"""

import errno
import http.client
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.checks import run_checks
from django.db import connection
from kombu.exceptions import OperationalError as BrokerError

from reliability.celery import app
from reliability.checks import OPERATION
from reliability.local import CannotStart, pages
from reliability.local.console import Console, Log, banner, is_worth_showing
from reliability.local.folders import (
    folder_trouble,
    make_data_folder,
    only_one,
    refuse_full_disk,
    remember_address,
)
from reliability.local.postgres import Postgres
from reliability.local.preparation import is_migrated, static_state
from reliability.local.process import command_of, signal_group, stop_leftover
from reliability.local.programs import launcher, programs, spawn
from reliability.local.service import ServiceProcess, stop_together
from reliability.local.valkey import Valkey

# Seconds. What stops first has CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT and a little; all of it stays below ten.
PROGRAMS_STOP_WITHIN = 6.5
SERVERS_STOP_WITHIN = 2.5
READY_WITHIN = 60.0


class AskedToStop(Exception):
    """A signal asked to stop."""


class Supervisor:
    def __init__(self) -> None:
        self.data: Path = settings.DATA
        self.console = Console()
        self.servers: list[ServiceProcess] = []
        self.programs: list[ServiceProcess] = []
        self._asked_to_stop = False
        self._stopping = False

    def run(self) -> None:
        """Start everything, keep it running until a signal asks to stop, and stop everything."""
        make_data_folder(self.data)
        with only_one(self.data):
            self._obey_signals()
            try:
                remember_address(self.data, settings.BASE_URL)
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
        self.console.say(f"Starting Faultline; its data is in {self.data}")
        for step in (
            self._stop_leftovers,
            pages.refuse_taken_port,
            self._start_servers,
            self._migrate,
            self._check_operation,
            self._collect_static,
            self._load_demo,
            connection.close,
            self._start_programs,
            self._wait_until_ready,
        ):
            step()
            self._pause(0)
        self.console.say(banner(self.data))

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
            self.console.step("Created a new PostgreSQL database")
        service = ServiceProcess("postgres", postgres.start, self._log("postgres"), stop_with=signal.SIGINT)
        self.servers.append(service)
        postgres.wait_until_ready(service.start(), pause=self._pause)
        postgres.create_database()
        self.console.step("PostgreSQL is running")

    def _start_valkey(self) -> None:
        valkey = Valkey(self.data)
        valkey.prepare()
        service = ServiceProcess("redis", valkey.start, self._log("redis"))
        self.servers.append(service)
        valkey.wait_until_ready(service.start(), pause=self._pause)
        self.console.step("Redis is running")

    def _migrate(self) -> None:
        if is_migrated():
            return
        self._manage("migrate", "--no-input", failure="The database could not be brought up to date")
        self.console.step("The database is up to date")

    def _collect_static(self) -> None:
        stamp = self.data / "static" / ".collected"
        wanted = static_state()
        if stamp.exists() and stamp.read_text() == wanted:
            return
        self._manage("collectstatic", "--no-input", failure="The static files could not be collected")
        stamp.write_text(wanted)
        self.console.step("Static files are collected")

    def _check_operation(self) -> None:
        """Ask the checks once more, now that those who need the database can answer."""
        for serious in (message for message in run_checks(tags=[OPERATION]) if message.is_serious()):
            raise CannotStart(f"{serious.msg} {serious.hint}")

    def _load_demo(self) -> None:
        if settings.DEMO and not get_user_model().objects.exists():
            self._manage("load_demo", "--if-empty", failure="The demonstration could not be loaded")
            self.console.step("The demonstration is loaded")

    def _manage(self, command: str, *options: str, failure: str) -> None:
        """Run a command of manage.py to its end, apart from this process, which then stays small."""
        log = self._log(command)
        log.file.unlink(missing_ok=True)
        with log.to_append() as output:
            process = spawn([sys.executable, "manage.py", command, *options], role="command", output=output)
        try:
            while (code := process.poll()) is None:
                self._pause(0.05)
        finally:
            signal_group(process.pid, signal.SIGKILL)
        if code:
            refuse_full_disk(self.data)  # which leaves no room for a reason in the log either
            raise CannotStart(f"{failure}: {log.last_line()} (See {log.file}.)")

    def _start_programs(self) -> None:
        for name, command in programs(self.data).items():
            self.programs.append(ServiceProcess(name, launcher(name, command), self._log(name)))
        for service in self.programs:
            service.log.skip()
            service.start()
        self._note_group()
        for service in self.servers:
            service.log.skip()
        self.console.step("Starting web, worker, beat and sweeper")

    def _wait_until_ready(self) -> None:
        """Wait until /readyz says 200; where only the pages answer in time, say what is missing and go on."""
        with suppress(BrokerError, OSError):
            # Beat's first comes after ten seconds; this one shows at once that broker and worker work.
            app.send_task("incidents.tasks.tick", expires=READY_WITHIN, retry=False)
        end = time.monotonic() + READY_WITHIN
        while time.monotonic() < end:
            if pages.ask("/readyz")[0] == http.client.OK:
                return
            self._watch_over()
            self._pause(0.2)
        if pages.ask("/healthz")[0] != http.client.OK:
            web = self._log("web")
            raise CannotStart(f"The pages did not answer within {READY_WITHIN:.0f} s: {web.last_line()} ({web.file})")
        self.console.step(f"Faultline is not fully ready: {pages.reasons()}")

    # Running

    def _watch(self) -> None:
        while True:
            self._watch_over()
            self._pause(0.2)

    def _watch_over(self) -> None:
        for service in [*self.servers, *self.programs]:
            if news := service.revive():
                self.console.step(news)
                self._note_group()
            for line in service.log.fresh_lines():
                if is_worth_showing(line):
                    self.console.say(f"{service.name:>8} | {line}")

    # Stopping

    def _stop(self) -> None:
        if not self.servers and not self.programs:
            return
        self.console.say("")
        self.console.step("Stopping Faultline")
        # The programs may still write while they finish, so their servers go last.
        stop_together(self.programs, within=PROGRAMS_STOP_WITHIN)
        stop_together(self.servers, within=SERVERS_STOP_WITHIN)
        self._group_file.unlink(missing_ok=True)
        self.console.step("Everything has stopped")

    # Leftovers, where the kernel does not stop orphans

    @property
    def _group_file(self) -> Path:
        return self.data / "group"

    def _note_group(self) -> None:
        running = [service.process.pid for service in self.programs if service.process]
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
                signal_group(pid, signal.SIGKILL)
