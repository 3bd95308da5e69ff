"""The Celery application. Tasks take ids, are safe to run twice, and find their work in PostgreSQL."""

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType

from celery import Celery
from celery.signals import setup_logging, task_prerun, worker_ready
from django.db import close_old_connections

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reliability.settings")

app = Celery("faultline")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["incidents"])


@setup_logging.connect
def keep_our_logging(**_: object) -> None:
    """Celery would otherwise replace the logging that Django's settings configured."""


@task_prerun.connect
def leave_dead_connections(**_: object) -> None:
    """Connections are kept from task to task; one that broke, with its server perhaps, is left here."""
    close_old_connections()


@worker_ready.connect
def stop_in_time(**_: object) -> None:
    """Make a worker that is asked to stop, and hangs over it, die a second after its running tasks had their time.

    A child that ends while it writes a result leaves half a message, and the worker waits for the rest of it for ever:
    it holds the other end of that pipe itself. Nothing is lost with it, for tasks are safe to run twice.
    """
    stop = signal.getsignal(signal.SIGTERM)
    if callable(stop) and not isinstance(stop, InTime):  # a worker is ready again after each loss of Redis
        signal.signal(signal.SIGTERM, InTime(stop, int(app.conf.worker_soft_shutdown_timeout) + 1))


@dataclass(frozen=True)
class InTime:
    """A handler of a signal that leaves so many seconds to what it does and to all that follows."""

    handler: Callable[[int, FrameType | None], object]
    seconds: int

    def __call__(self, number: int, frame: FrameType | None) -> None:
        signal.alarm(self.seconds)  # nobody handles SIGALRM, so it ends the process
        self.handler(number, frame)
