"""A process of the operating system: launched so that it dies with its parent, found and stopped where it did not."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

Process = subprocess.Popen[bytes]

_PR_SET_PDEATHSIG = 1


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


def stop_by_pid_file(file: Path, *, is_ours: Callable[[str], bool], how: signal.Signals) -> None:
    try:
        pid = int(file.read_text().split()[0])
    except (FileNotFoundError, ValueError, IndexError):
        return
    if is_ours(command_of(pid)):
        stop_leftover(pid, how)
    # After a crash of the machine the number may be another program's, and PostgreSQL would refuse to start.
    file.unlink(missing_ok=True)


def signal_group(leader: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):  # macOS answers so where only zombies are left
        os.killpg(leader, number)
