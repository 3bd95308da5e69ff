"""What runs beside the servers: with which arguments and in which environment."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO

from django.conf import settings

from reliability.local.process import Process, dying_with_parent


def programs(data: Path) -> dict[str, list[str]]:
    python, celery = sys.executable, ["-m", "celery", "-A", "reliability"]
    heartbeats = "/dev/shm" if Path("/dev/shm").is_dir() else str(data)  # noqa: S108 - a busy disk must not look like a hung worker
    return {
        "web": [
            *(python, "-m", "gunicorn", "--bind", f"{bracketed(settings.HOST)}:{settings.PORT}"),
            *("--worker-class", "gthread", "--workers", str(settings.WEB_WORKERS), "--threads", "8"),
            *("--graceful-timeout", "5", "--timeout", "60", "--keep-alive", "5", "--no-control-socket"),
            # Which proxies are believed is decided in one place, incidents.web.proxies.
            *("--forwarded-allow-ips", "", "--worker-tmp-dir", heartbeats, "reliability.wsgi:application"),
        ],
        "worker": [
            *(python, *celery, "worker", "--concurrency", "2", "--max-tasks-per-child", "500"),
            # Nobody listens to its heartbeat; and a worker that is told to stop while one waits for Redis waits for ever.
            *("--loglevel", "INFO", "--without-gossip", "--without-mingle", "--without-heartbeat"),
        ],
        "beat": [python, *celery, "beat", "--loglevel", "INFO", "--pidfile="],
        "sweeper": [python, "manage.py", "sweeper"],
    }


def launcher(role: str, command: list[str]) -> Callable[[IO[bytes]], Process]:
    def launch(log: IO[bytes]) -> Process:
        return spawn(command, role=role, output=log)

    return launch


def spawn(command: list[str], *, role: str, output: IO[bytes]) -> Process:
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


def bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
