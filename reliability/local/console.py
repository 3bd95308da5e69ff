"""What the person who started it reads: few lines on the terminal, and log files that are followed and trimmed."""

import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from django.conf import settings

VERBOSE = os.environ.get("VERBOSE", "") not in {"", "0"}
LOG_AT_MOST = 20_000_000  # bytes; a log that grew larger is kept once as .1


_ALARMING = re.compile(r"\[(error|critical) *\]|\"level\": ?\"(error|critical)\"|\b(FATAL|PANIC|Traceback)\b")


def is_worth_showing(line: str) -> bool:
    """Tell whether a line of a log belongs on the terminal; VERBOSE=1 shows all of them."""
    # /readyz answers 503 until all is ready; asking it is how we wait.
    return VERBOSE or (_ALARMING.search(line) is not None and "/readyz" not in line)


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


def banner(data: Path) -> str:
    sign_in = (
        "Sign in   mara@example.com, password faultline-demo"
        if settings.DEMO
        else "Sign in   open the address and create the administrator"
    )
    lines = ["", f"Faultline is running at {settings.BASE_URL}/", "", sign_in]
    first_alert = data / "first_alert.txt"
    if first_alert.exists():
        lines += ["Send a first alert:", "", *first_alert.read_text().strip().splitlines(), ""]
    lines += [f"Logs      {data / 'log'}", "Stop      Ctrl-C", ""]
    return "\n".join(f"  {line}" if line else "" for line in lines)
