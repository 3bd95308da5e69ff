"""Promises 1 to 4: whatever is killed under load, what was acknowledged is processed once, and nothing is doubled.

Twenty rounds, each of which kills one process by its pid while monitors go on sending. They send as monitors do: again
and again until they are told 200, each alert twice, and of every third its end.
"""

import http.client
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
import redis

from reliability.local.postgres import Postgres
from reliability.local.valkey import Valkey
from tests.running import Running, prepared, running, until
from tests.tools import print_at_end

pytestmark = pytest.mark.fault

ROUNDS = 20
SENDERS = 6
SYSTEMS = ["support-assistant", "product-search", "fraud-scorer", "demand-forecast", "home-feed"]
# What is killed, in turn. The web server once as a whole, and once only its worker.
VICTIMS = ["gunicorn", "celery -A reliability worker", "celery -A reliability beat", "valkey-server", "postgres -D"]


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(prepared(tmp_path_factory.mktemp("faults") / "data")) as group:
        yield group


@dataclass
class Monitors:
    """Several monitors that send until they are stopped, and remember what they were told."""

    up: Running
    path: str
    stopped: threading.Event = field(default_factory=threading.Event)
    tries: int = 0
    answers: set[int] = field(default_factory=set)
    acknowledged: list[int] = field(default_factory=list)
    firing: set[str] = field(default_factory=set)
    over: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> list[threading.Thread]:
        threads = [threading.Thread(target=self._work, args=[number]) for number in range(SENDERS)]
        for thread in threads:
            thread.start()
        return threads

    def wait_for(self, more: int) -> None:
        """Until that many more were taken."""
        goal = len(self.acknowledged) + more
        until(lambda: len(self.acknowledged) > goal, what="monitors are heard")

    def _work(self, number: int) -> None:
        count = 0
        while not self.stopped.is_set():
            count += 1
            key, starts_at = f"{number}-{count}", datetime.now(UTC)
            alert = {
                "key": key,
                "title": f"Recall of {key}",
                "metric": "recall@10",
                "system": SYSTEMS[count % len(SYSTEMS)],
                "severity": "critical",
                "starts_at": starts_at.isoformat(),
            }
            self._tell(alert)
            self._tell(alert)
            if count % 3 == 0:
                ends_at = (starts_at + timedelta(seconds=1)).isoformat()
                self._tell(alert | {"status": "resolved", "ends_at": ends_at})
            with self._lock:
                (self.over if count % 3 == 0 else self.firing).add(key)

    def _tell(self, alert: dict[str, str]) -> None:
        """Send it until it is taken, also after the others have stopped."""
        while True:
            status, answer = self.up.post(self.path, alert)
            with self._lock:
                self.tries += 1
                self.answers.add(status)
                if status == 200:
                    self.acknowledged.append(answer["delivery"])
                    return
            self.stopped.wait(0.05)


def _kill(up: Running, victim: str, *, round_: int) -> None:
    pids = sorted(pid for pid, command in up.group() if victim in command)
    # Its first process is the parent of the others; every other time only the last of them goes.
    os.kill(pids[0] if round_ % 2 == 0 or victim == "postgres -D" else pids[-1], signal.SIGKILL)


def test_nothing_acknowledged_is_lost_or_doubled_whatever_is_killed(up: Running) -> None:
    source = up.manage("create_source", "generic", "Under fire")
    monitors = Monitors(up, f"/ingest/{source['token']}")
    threads = monitors.start()
    try:
        for round_ in range(ROUNDS):
            monitors.wait_for(20)
            _kill(up, VICTIMS[round_ % len(VICTIMS)], round_=round_ // len(VICTIMS))
            until(lambda: up.get("/healthz")[0] == 200, what=f"answers after round {round_}")
    finally:
        monitors.stopped.set()
        for thread in threads:
            thread.join(120)
    until(lambda: up.get("/readyz")[0] == 200, what="all of it runs again")
    with psycopg.connect(Postgres(up.data).url, autocommit=True) as database:
        report = _settle(database, source["slug"], monitors)
    print_at_end(f"Killed {ROUNDS} times under load: {json.dumps(report)}")
    assert monitors.answers <= {0, 200, 503}, "a monitor is told 503 or nothing, never 500"
    assert report["lost"] == 0
    assert report["doubled"] == 0
    assert report["waiting"] == 0
    assert report["dead"] == 0
    assert report["firing"] == len(monitors.firing)
    assert report["incidents_doubled"] == 0
    assert report["unannounced"] == 0
    assert report["incidents_of_which_nobody_heard"] == 0
    assert report["people_told_twice"] == 0


def _settle(database: Any, slug: str, monitors: Monitors) -> dict[str, int]:
    """Wait until everything is processed, and count."""

    def count(question: str, *values: Any) -> int:
        return int(database.execute(question, values).fetchone()[0])

    mine = "FROM incidents_delivery WHERE source_id = (SELECT id FROM incidents_source WHERE slug = %s)"
    until(lambda: count(f"SELECT count(*) {mine} AND status = 'received'", slug) == 0, what="drained")
    until(lambda: count("SELECT count(*) FROM incidents_pendingevent") == 0, what="everybody concerned is told")
    opened = (
        "FROM incidents_event e JOIN incidents_incident i ON i.id = e.incident_id AND i.severity IN ('sev1', 'sev2')"
        " WHERE e.kind = 'opened' AND i.id IN (SELECT a.incident_id FROM incidents_alert a"
        " JOIN incidents_source s ON s.id = a.source_id WHERE s.slug = %s)"
    )
    alerts = "FROM incidents_alert WHERE source_id = (SELECT id FROM incidents_source WHERE slug = %s)"
    known = monitors.firing | monitors.over
    stored = {row[0] for row in database.execute(f"SELECT title {alerts}", [slug])}
    acknowledged = sorted(set(monitors.acknowledged))
    stored_count = count(f"SELECT count(*) {mine} AND id = ANY(%s)", slug, acknowledged)
    return {
        "sent": monitors.tries,
        "acknowledged": len(acknowledged),
        "stored": count(f"SELECT count(*) {mine}", slug),
        "processed": count(f"SELECT count(*) {mine} AND status = 'processed'", slug),
        "dead": count(f"SELECT count(*) {mine} AND status = 'dead'", slug),
        "waiting": count(f"SELECT count(*) {mine} AND status = 'received'", slug),
        "alerts": len(stored),
        "firing": count(f"SELECT count(*) {alerts} AND status = 'firing'", slug),
        "lost": len(acknowledged) - stored_count + len({f"Recall of {key}" for key in known} - stored),
        "doubled": count(f"SELECT count(*) - count(DISTINCT fingerprint) {alerts}", slug),
        "incidents_doubled": count(
            "SELECT count(*) - count(DISTINCT correlation_key) FROM incidents_incident"
            " WHERE correlation_key IS NOT NULL AND status IN ('triage', 'investigating', 'contained')"
        ),
        "opened": count(f"SELECT count(*) {opened}", slug),
        "unannounced": count("SELECT count(*) FROM incidents_pendingevent"),
        "incidents_of_which_nobody_heard": count(
            f"SELECT count(*) {opened} AND NOT EXISTS (SELECT FROM incidents_notification n WHERE n.event_id = e.id)",
            slug,
        ),
        "people_told_twice": count(
            "SELECT count(*) - count(DISTINCT (event_id, topic, person_id)) FROM incidents_notification"
            " WHERE event_id IS NOT NULL"
        ),
    }


def _seconds_of_a_change(up: Running) -> float:
    """How long it takes to declare an incident, to write a note into it and to read it."""
    header = up.key()
    began = time.monotonic()
    status, made = up.post("/api/v1/incidents/", {"title": "Recall fell"}, **header)
    assert status == 201
    assert up.post(f"/api/v1/incidents/{made['number']}/note/", {"text": "It works"}, **header)[0] == 201
    assert up.get(f"/api/v1/incidents/{made['number']}/", **header)[0] == 200
    return time.monotonic() - began


def test_while_redis_is_away_pages_and_changes_work_at_once(up: Running) -> None:
    usual = _seconds_of_a_change(up)  # which is long where the machine is busy
    frozen = up.pid_of("valkey-server")
    os.kill(frozen, signal.SIGSTOP)
    try:
        assert _seconds_of_a_change(up) < usual + 5
    finally:
        os.kill(frozen, signal.SIGCONT)


def test_a_worker_whose_tasks_end_while_redis_is_away_takes_new_ones(up: Running) -> None:
    """As many as it runs at once are under way when Redis dies, so it waits for no message that would tell it so."""
    source = up.manage("create_source", "generic", "Busy worker")
    _parent, *children = sorted(pid for pid, command in up.group() if "celery -A reliability worker" in command)
    with redis.Redis(unix_socket_path=str(Valkey(up.data).socket)) as broker:

        def is_busy() -> bool:
            up.post(f"/ingest/{source['token']}", {"title": "Recall fell", "key": "busy"})
            return bool(broker.hlen("faultline:unacked") >= len(children))

        for pid in children:
            os.kill(pid, signal.SIGSTOP)
        try:
            until(is_busy, what="each of its processes has a task")
            os.kill(up.pid_of("valkey-server"), signal.SIGKILL)
            killed_at = datetime.now(UTC)
        finally:
            for pid in children:
                os.kill(pid, signal.SIGCONT)
    with psycopg.connect(Postgres(up.data).url, autocommit=True) as database:
        seen = "SELECT 1 FROM incidents_heartbeat WHERE name = 'worker' AND at > %s"
        until(lambda: database.execute(seen, [killed_at + timedelta(seconds=5)]).fetchone(), what="it works again")


def test_while_postgresql_is_away_nothing_is_acknowledged_that_is_not_stored(up: Running) -> None:
    """A monitor is told 503 and when to come back; every 200 before and after is a row."""
    source = up.manage("create_source", "generic", "No database")
    connection = http.client.HTTPConnection("127.0.0.1", up.port, timeout=60)
    os.kill(up.pid_of("postgres -D"), signal.SIGKILL)
    taken: list[int] = []
    refused: list[int] = []
    end = time.monotonic() + 300
    while time.monotonic() < end and not (taken and refused):
        connection.request(
            "POST", f"/ingest/{source['token']}", b'{"title": "Recall fell"}', {"Content-Type": "application/json"}
        )
        answer = connection.getresponse()
        body = json.loads(answer.read())
        if answer.status == 200:
            taken.append(body["delivery"])
        else:
            assert (answer.status, body["code"]) == (503, "storage_unavailable")
            refused.append(int(answer.headers["Retry-After"]))
    assert taken
    assert refused
    with psycopg.connect(Postgres(up.data).url, autocommit=True) as database:
        row = database.execute("SELECT count(*) FROM incidents_delivery WHERE id = ANY(%s)", [taken]).fetchone()
    assert row == (len(taken),)
    until(lambda: up.get("/readyz")[0] == 200, what="ready again")
