"""Tells the workers that something is due. A nudge may be lost: the row is the queue, and sweeps find what is left.

Sending one costs more than storing the delivery, and a frozen broker would hold the request; so a thread of this
process sends at most one every 50 ms, whatever the rate of requests.
"""

import threading

import structlog
from celery import current_app
from kombu.exceptions import OperationalError

log = structlog.get_logger(__name__)

_PAUSE = 0.05
_wanted = threading.Event()
_starting = threading.Lock()
_thread: threading.Thread | None = None


def nudge() -> None:
    """Ask for a drain soon. Never blocks and never fails."""
    global _thread
    _wanted.set()
    # Started on first use, because threads do not survive the fork of a web worker.
    with _starting:
        if _thread is None or not _thread.is_alive():
            _thread = threading.Thread(target=_send_when_wanted, name="nudge", daemon=True)
            _thread.start()


def _send_when_wanted() -> None:
    pause = threading.Event()
    broker_was_well = True
    while _wanted.wait():
        _wanted.clear()
        try:
            current_app.send_task("incidents.tasks.drain_deliveries", retry=False, ignore_result=True, expires=30)
            broker_was_well = True
        except (OperationalError, OSError) as error:
            if broker_was_well:
                log.warning("broker_unreachable", error=type(error).__name__, consequence="the sweeper drains instead")
            broker_was_well = False
            pause.wait(1)
        pause.wait(_PAUSE)
