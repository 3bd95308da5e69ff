"""A process that is kept running: started, started again when it dies, and stopped."""

import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import IO

from reliability.local.console import Log
from reliability.local.process import Process, signal_group

STEADY_AFTER = 30.0  # seconds
LONGEST_PAUSE = 30.0


@dataclass
class ServiceProcess:
    """One of the group's processes, with its log and the pauses between its starts."""

    name: str
    launch: Callable[[IO[bytes]], Process]
    log: Log
    stop_with: signal.Signals = signal.SIGTERM
    process: Process | None = None
    _started: float = 0.0
    _failures: int = 0
    _not_before: float = 0.0

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
            return f"{self.name} cannot start ({error.strerror}); trying again in {LONGEST_PAUSE:.0f} s"
        return f"{self.name} is running again"

    def _bury(self, process: Process) -> str:
        signal_group(process.pid, signal.SIGKILL)  # its own children would hold the port or the queue
        steady = time.monotonic() - self._started > STEADY_AFTER
        self._failures = 1 if steady else self._failures + 1
        pause = min(LONGEST_PAUSE, 0.25 * 2**self._failures)
        self._not_before = time.monotonic() + pause
        self.process = None
        return f"{self.name} stopped ({_ending(process.returncode)}) and will restart in {pause:.1f} s; see {self.log.file}"

    def ask_to_stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(self.stop_with)

    def wait_or_kill(self, end: float) -> None:
        if self.process is None:
            return
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(max(0.0, end - time.monotonic()))
        signal_group(self.process.pid, signal.SIGKILL)
        self.process.wait()


def _ending(code: int) -> str:
    return f"by {signal.Signals(-code).name}" if code < 0 else f"with code {code}"


def stop_together(services: list[ServiceProcess], *, within: float) -> None:
    end = time.monotonic() + within
    for service in services:
        service.ask_to_stop()
    for service in services:
        service.wait_or_kill(end)
