"""A worker that is asked to stop."""

import signal
from collections.abc import Iterator

import pytest
from celery.signals import worker_ready

from reliability.celery import app


@pytest.fixture
def asked() -> Iterator[list[int]]:
    """The signals that Celery's own handler got, in a process whose handlers and alarm are as before in the end."""
    asked: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _frame: asked.append(number))
    yield asked
    signal.alarm(0)
    signal.signal(signal.SIGTERM, before)


def test_a_worker_that_hangs_while_it_stops_dies_a_second_after_its_tasks_had_their_time(asked: list[int]) -> None:
    for _ in range(2):  # it is ready again once Redis was away
        worker_ready.send(sender=app)
    assert signal.getsignal(signal.SIGALRM) == signal.SIG_DFL, "the alarm ends the process"
    assert signal.alarm(0) == 0, "as long as nobody asks it to stop, it lives"
    signal.raise_signal(signal.SIGTERM)
    assert asked == [signal.SIGTERM], "Celery stops as it always does"
    assert 0 < signal.alarm(0) <= app.conf.worker_soft_shutdown_timeout + 1
