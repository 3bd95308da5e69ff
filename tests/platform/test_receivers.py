"""What leaves while processes are killed and receivers misbehave: each message once, in order, and nobody waits for the others."""

import json
import os
import signal
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest

from reliability.local.postgres import Postgres
from tests.notifications.receivers import Desk, desk
from tests.running import Running, prepared, running, until
from tests.tools import print_at_end

pytestmark = pytest.mark.fault

VICTIMS = ["celery -A reliability worker", "gunicorn", "celery -A reliability beat", "valkey-server", "postgres -D"]
ROUNDS = 10


def insist(up: Running, path: str, body: dict[str, Any], header: dict[str, str], *, was: int) -> Any:
    """Ask until it is answered, as a client does whose server is being killed."""
    answers: list[tuple[int, Any]] = []

    def answered() -> bool:
        answers.append(up.post(path, body, **header))
        return answers[-1][0] == was

    until(answered, what=path)
    return answers[-1][1]


def happen(up: Running, number: int, header: dict[str, str], kill: str) -> int:
    """One incident from its opening to its end, in the middle of which a process is killed; returns its number."""
    made = insist(up, "/api/v1/incidents/", {"title": f"Feed {number} narrows", "severity": "sev3"}, header, was=201)
    address = f"/api/v1/incidents/{made['number']}"
    insist(up, f"{address}/severity/", {"severity": "sev2"}, header, was=200)
    pids = sorted(pid for pid, command in up.group() if kill in command)
    os.kill(pids[0] if kill == "postgres -D" else pids[-1], signal.SIGKILL)
    insist(up, f"{address}/severity/", {"severity": "sev1"}, header, was=200)
    return int(made["number"])


def test_a_good_receiver_gets_everything_once_and_in_order_whatever_is_killed(tmp_path: Path) -> None:
    with ExitStack() as stack:
        good = stack.enter_context(desk())
        bad = {
            "hangs": stack.enter_context(desk(hangs=True)),
            "500": stack.enter_context(desk(status=500)),
            "429": stack.enter_context(desk(status=429, headers={"Retry-After": "3600"})),
            "410": stack.enter_context(desk(status=410)),
            "redirects": stack.enter_context(desk(status=302, headers={"Location": f"{good.url}/elsewhere"})),
        }
        up = stack.enter_context(running(prepared(tmp_path / "data"), OUTGOING_ALLOW="127.0.0.1"))
        header = up.key()
        for name, receiver in {"good": good, **bad}.items():
            insist(up, "/api/v1/webhooks/", {"name": name, "url": f"{receiver.url}/in"}, header, was=201)
        numbers = [happen(up, number, header, VICTIMS[number % len(VICTIMS)]) for number in range(ROUNDS)]
        until(lambda: up.get("/healthz")[0] == 200, what="it answers")
        with psycopg.connect(Postgres(up.data).url, autocommit=True) as database:
            until(lambda: has_everything(database, "good"), what="the good receiver has everything")
            paused = database.execute("SELECT name FROM incidents_destination WHERE paused_at IS NOT NULL").fetchall()
        received = by_incident(good)
    assert {number: topics for number, topics in received.items() if number in numbers} == {
        number: ["incident.opened", "incident.raised", "incident.raised"] for number in numbers
    }
    assert paused == [("410",)]
    assert not [got for got in good.got if got.path == "/elsewhere"], "nobody follows where a receiver sends one"
    ids = [got.headers["webhook-id"] for got in good.got]
    print_at_end(f"Receivers, killed {ROUNDS} times: {len(set(ids))} messages, {len(ids)} requests; in order.")


def has_everything(database: Any, name: str) -> bool:
    """Whether a receiver was owed at least what happened, and has all of that."""
    row = database.execute(
        "SELECT count(*), count(*) FILTER (WHERE t.sent_at IS NULL) FROM incidents_transmission t"
        " JOIN incidents_destination d ON d.id = t.destination_id WHERE d.name = %s",
        [name],
    ).fetchone()
    owed, missing = row
    return bool(owed >= 3 * ROUNDS and missing == 0)


def by_incident(receiver: Desk) -> dict[int, list[str]]:
    """The topics that it got of each incident, as they came first: a repeat has the same id, and is dropped as it would be."""
    seen: set[str] = set()
    topics: dict[int, list[str]] = defaultdict(list)
    for got in receiver.got:
        if got.headers["webhook-id"] not in seen:
            seen.add(got.headers["webhook-id"])
            event = json.loads(got.body)
            topics[event["data"]["incident"]["number"]].append(event["type"].removeprefix("faultline."))
    return topics
