"""A whole Faultline, started as people start it, for the tests that need one."""

import http.client
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reliability.local.process import dying_with_parent
from tests import template

UP = "Faultline is running at"  # what it prints once people can use it
HERE = Path(__file__).resolve().parent.parent


def free_port() -> int:
    """A port below those that the kernel gives to clients: one of them could take it until it is used."""
    while True:
        port = random.randrange(10_000, 32_000)
        with socket.socket() as trial, suppress(OSError):
            trial.bind(("127.0.0.1", port))
            return port


def until(holds: Callable[[], Any], *, seconds: float = 300, what: str = "") -> Any:
    """Wait until something holds, and return it. The limit costs nothing where all is well, so it suits a busy machine."""
    end, pause = time.monotonic() + seconds, 0.05
    while time.monotonic() < end:
        if result := holds():
            return result
        time.sleep(pause)
        pause = min(pause * 1.1, 0.2)  # a slow machine has other work to do
    raise AssertionError(f"did not happen within {seconds} s: {what or holds}")


@dataclass
class Running:
    data: Path
    port: int
    process: "subprocess.Popen[str]"
    output: Path
    _keys: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str, **headers: str) -> tuple[int, Any]:
        return self._ask(urllib.request.Request(self.url + path, headers=headers))

    def post(self, path: str, body: Any, **headers: str) -> tuple[int, Any]:
        data = json.dumps(body).encode()
        return self._ask(urllib.request.Request(self.url + path, data, {"Content-Type": "application/json", **headers}))

    def _ask(self, request: urllib.request.Request) -> tuple[int, Any]:
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                text = answer.read().decode()
                return answer.status, json.loads(text) if text.startswith(("{", "[")) else text
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except (http.client.HTTPException, OSError, ValueError):  # cut off before, within or after the head
            return 0, None

    def manage(self, *words: str, knows_port: bool = True) -> Any:
        """Run a command of manage.py against this Faultline and read the JSON that it prints."""
        known = environment(self.data, self.port)
        if not knows_port:
            del known["PORT"]
        result = subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=HERE,
            env=known,
            capture_output=True,
            text=True,
            check=True,
        )
        return json.loads(result.stdout)

    def key(self, email: str = "ada@example.com") -> dict[str, str]:
        """The header of an API key of theirs, made once: a command takes a second of the processor."""
        if email not in self._keys:
            self._keys[email] = self.manage("create_api_key", email, *"--name test --scope read --scope write".split())[
                "key"
            ]
        return {"Authorization": f"Bearer {self._keys[email]}"}

    def group(self) -> list[tuple[int, str]]:
        """The processes of this group: those whose environment or command names its data folder.

        Both, because Redis writes its title over its environment.
        """
        processes = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                variables = (entry / "environ").read_bytes()
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
            except OSError:
                continue
            ours = f"DATA={self.data}\0".encode() in variables or f"{self.data}/" in command
            if ours and command and state != "Z":
                processes.append((int(entry.name), command))
        return processes

    def pid_of(self, word: str) -> int:
        return next(pid for pid, command in sorted(self.group()) if word in command)

    def printed(self) -> str:
        return self.output.read_text()

    def wait_until_up(self) -> None:
        """Until it says that it runs; its own limit is a minute from when the database is there."""
        until(lambda: UP in self.printed() or self.process.poll() is not None, what="it runs")
        assert self.process.poll() is None, self.printed()

    def stop_took(self) -> float:
        """The seconds from its first line about stopping to its last, by its own clock."""
        first, last = (
            re.search(rf"([\d.]+) s  {line}", self.printed()) for line in ("Stopping", "Everything has stopped")
        )
        assert first is not None
        assert last is not None
        return float(last[1]) - float(first[1])

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(120)


def environment(data: Path, port: int, **more: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "TMPDIR"}}
    return inherited | {"DATA": str(data), "PORT": str(port), "PYTHONUNBUFFERED": "1"} | more


launched: list[Running] = []


def prepared(data: Path) -> Path:
    """Put what a first start makes into a data folder, so that it takes two seconds: the tables and the static files."""
    data.mkdir(parents=True)
    template.copy_to(data)
    made = next(
        (static for group in launched if (static := group.data / "static").joinpath(".collected").exists()), None
    )
    if made:
        shutil.copytree(made, data / "static")
    return data


def launch(data: Path, port: int, **more: str) -> Running:
    """Start a Faultline without waiting for it."""
    data.mkdir(parents=True, exist_ok=True)
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        # A shell starts what it sends to the background deaf to Ctrl-C, and children would inherit that.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    output = data.parent / f"{data.name}.out"
    with output.open("w") as handle:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "up"],
            cwd=HERE,
            env=environment(data, port, **more),
            text=True,
            stdout=handle,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=dying_with_parent(signal.SIGTERM),  # however the run of the tests ends
        )
    group = Running(data, port, process, output)
    launched.append(group)
    return group


@contextmanager
def running(data: Path, **more: str) -> Iterator[Running]:
    """Start a Faultline, wait until it is ready, and stop it in the end."""
    group = launch(data, free_port(), **more)
    try:
        group.wait_until_up()
        yield group
    finally:
        group.stop()
