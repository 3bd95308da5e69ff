"""Whatever order monitors' statements arrive in, ingest ends as if each had come once and in order.

A state machine tells the story of one alert as it happens, holds statements back, sends them late, twice and out of
order, and drains now and then; a model of the story says what must be true in the end.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from incidents.alerts.deliveries import receive
from incidents.alerts.drain import drain
from incidents.alerts.models import Alert, Delivery, Outcome, Source
from incidents.response.incident import Incident


@dataclass(frozen=True)
class Statement:
    """What the monitor says once: that an episode began, or that it is over."""

    starts_at: datetime
    ends_at: datetime | None

    @property
    def body(self) -> bytes:
        told = {"key": "psi", "title": "PSI of score", "metric": "psi", "starts_at": self.starts_at.isoformat()}
        if self.ends_at:
            told |= {"status": "resolved", "ends_at": self.ends_at.isoformat()}
        return json.dumps(told).encode()


class Storm(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.source, _ = Source.objects.connect(kind="generic", name="Storm")
        self.clock = timezone.now() - timedelta(days=2)
        self.episodes: list[list[datetime | None]] = []  # start and end of each, as they really were
        self.sent: list[Statement] = []
        self.held_back: list[Statement] = []
        self.was_in_order = True

    def _later(self, minutes: int) -> datetime:
        self.clock += timedelta(minutes=minutes)
        return self.clock

    def _say(self, statement: Statement, *, now: bool) -> None:
        if now:
            self._send(statement)
        else:
            self.held_back.append(statement)

    def _send(self, statement: Statement) -> None:
        if self.held_back or statement in self.sent:
            self.was_in_order = False
        receive(self.source, statement.body, headers={"content-type": "application/json"})
        self.sent.append(statement)

    @property
    def is_firing(self) -> bool:
        return bool(self.episodes) and self.episodes[-1][1] is None

    @precondition(lambda self: not self.is_firing and len(self.episodes) < 5)
    @rule(pause=st.integers(1, 30), now=st.booleans())
    def begins(self, pause: int, now: bool) -> None:
        starts_at = self._later(pause)
        self.episodes.append([starts_at, None])
        self._say(Statement(starts_at, None), now=now)

    @precondition(lambda self: self.is_firing)
    @rule(lasts=st.integers(0, 30), now=st.booleans())
    def ends(self, lasts: int, now: bool) -> None:
        ends_at = self._later(lasts)
        self.episodes[-1][1] = ends_at
        starts_at = self.episodes[-1][0]
        assert starts_at
        self._say(Statement(starts_at, ends_at), now=now)

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def is_told_again(self, data: st.DataObject) -> None:
        self._send(data.draw(st.sampled_from(self.sent)))

    @precondition(lambda self: self.held_back)
    @rule(data=st.data())
    def comes_late(self, data: st.DataObject) -> None:
        statement = data.draw(st.sampled_from(self.held_back))
        self.held_back.remove(statement)
        self._send(statement)

    @rule()
    def is_drained(self) -> None:
        drain()

    @invariant()
    def at_most_one_fires(self) -> None:
        assert Alert.objects.firing().filter(source=self.source).count() <= 1
        open_ones = Incident.objects.open().filter(alerts__source=self.source).distinct()
        assert open_ones.count() <= 1

    def teardown(self) -> None:
        while self.held_back:
            self._send(self.held_back.pop())
        drain()
        alerts = list(Alert.objects.filter(source=self.source).order_by("starts_at"))
        deliveries = Delivery.objects.filter(source=self.source)
        assert set(deliveries.values_list("status", flat=True)) <= {"processed"}
        assert Outcome.objects.filter(delivery__in=deliveries).count() == len(self.sent), "each was answered for once"
        assert any(alert.is_firing for alert in alerts) == self.is_firing
        began = {start for start, _ in self.episodes}
        assert {alert.starts_at for alert in alerts} <= began, "nothing began that never did"
        assert len({alert.starts_at for alert in alerts}) == len(alerts), "no episode is told of twice"
        for alert in alerts:
            assert alert.ends_at is None or alert.ends_at in {end for _, end in self.episodes}
        if self.was_in_order:
            assert [[alert.starts_at, alert.ends_at] for alert in alerts] == self.episodes


@pytest.mark.django_db
def test_any_storm_ends_as_if_told_once_and_in_order() -> None:
    chosen = settings(
        max_examples=60, stateful_step_count=20, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    run_state_machine_as_test(Storm, settings=chosen)
