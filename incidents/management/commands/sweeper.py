"""Drains deliveries and tells people with neither Celery nor Redis, so that losing both costs seconds and nothing else."""

import signal
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import structlog
from django.core.management.base import BaseCommand
from django.db import InterfaceError, OperationalError, close_old_connections

from incidents.alerts.drain import drain
from incidents.alerts.upkeep import look_after_alerts
from incidents.health.models import Heartbeat
from incidents.notifications.lanes import deliver
from incidents.notifications.upkeep import notify
from incidents.pagers.acting import hear
from incidents.postmortems.due import start_missing

log = structlog.get_logger(__name__)

LEFT_TO_WORKERS = timedelta(seconds=2)


class Command(BaseCommand):
    help = __doc__

    def handle(self, **options: Any) -> None:
        stop = threading.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: stop.set())
        # Beside the drain and each other: a mail server or a receiver that hangs must keep nothing else waiting.
        for verb in (notify, deliver, hear):
            threading.Thread(target=self._tell, args=(stop, verb), name=verb.__name__, daemon=True).start()
        while not stop.wait(1):
            self._sweep()

    def _tell(self, stop: threading.Event, verb: Callable[[], int]) -> None:
        """Send what workers have left for a few seconds; they and this may both be at it."""
        while not stop.wait(5):
            try:
                verb()
            except (OperationalError, InterfaceError):  # the sweep says so
                close_old_connections()

    def _sweep(self) -> None:
        try:
            swept = drain(older_than=LEFT_TO_WORKERS)
            look_after_alerts()
            start_missing()
            Heartbeat.note("sweeper")
        except (OperationalError, InterfaceError) as error:
            log.warning("database_unavailable", error=type(error).__name__)
            close_old_connections()
            return
        if swept:
            log.info("swept", deliveries=swept)
