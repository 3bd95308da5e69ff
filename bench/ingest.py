"""Ingest over HTTP: what the door takes, what the workers make of it, and what both cost.

In the same run the limits: durable single-row INSERTs by psycopg, and a bare Django view with one such INSERT.
"""

import itertools
import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg

from bench.load import CONNECTIONS, Connection, Sent, request, send_all
from bench.product import Product, bare_view, product
from bench.sql import INSERT, TABLE
from reliability.local.postgres import Postgres

Out = Callable[[dict[str, object]], None]

REQUESTS = {1: 4000, 10: 1500, 100: 300}  # alerts a request: how many requests
STREAMS = ("new", "duplicate", "mixed")
SYSTEMS = ["support-assistant", "product-search", "fraud-scorer", "demand-forecast", "ops-agent"]
METRICS = ["RetrievalRecallLow", "FeatureDriftPSI", "FeedDiversityLow", "AgentToolErrors", "NullRateHigh", "StaleIndex"]

_fresh = itertools.count()


def run(out: Out, *, scale: float) -> None:
    for workers in (1, 2):
        with product(web_workers=workers) as made:
            made.database.execute(TABLE)
            if workers == 1:
                _limits(out, made, scale=scale)
            _measure(out, made, workers=workers, scale=scale)
            _visible(out, made, workers=workers, samples=int(300 * scale))


# The limits


def _limits(out: Out, made: Product, *, scale: float) -> None:
    for connections in (1, CONNECTIONS):
        rate = _inserts(Postgres(made.group.data).url, connections=connections, seconds=3 * scale)
        out({"bench": "limit.insert", "connections": connections, "rows_per_s": round(rate)})


def _inserts(address: str, *, connections: int, seconds: float) -> float:
    """Durable single-row INSERTs a second, each its own transaction."""
    counts = [0] * connections
    end = time.perf_counter() + seconds

    def work(position: int) -> None:
        with psycopg.connect(address, autocommit=True) as database:
            while time.perf_counter() < end:
                database.execute(INSERT, [b"x" * 400, 400, "0" * 64])
                counts[position] += 1

    threads = [threading.Thread(target=work, args=[position]) for position in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / seconds


# The door and the workers


def _measure(out: Out, made: Product, *, workers: int, scale: float) -> None:
    """Three interleaved rounds of each stream and size, and of the bare view with the same bodies."""
    path = made.source(f"Bench {workers}")
    send_all(made.group.port, _requests(made, path, "new", size=10, number=50))  # warm
    made.wait_until_drained()
    with bare_view(made.group.data, workers=workers) as bare_port:
        bare = {}
        for size, requests in REQUESTS.items():
            number = max(20, int(requests * scale))
            sent = send_all(bare_port, [request(bare_port, "/store", body) for body in _bodies("new", size, number)])
            bare[size] = sent
            out(
                {
                    "bench": "limit.view",
                    "web_workers": workers,
                    "alerts_per_request": size,
                    **_rates(sent, number, size),
                }
            )
            _door(out, made, path, size=size, number=number, workers=workers, bare=bare[size])
    for size, requests in REQUESTS.items():
        for stream in STREAMS:
            number = max(20, int(requests * scale))
            _stream(out, made, path, stream, size=size, number=number, workers=workers, bare=bare[size])


def _door(out: Out, made: Product, path: str, *, size: int, number: int, workers: int, bare: Sent) -> None:
    """The door by itself, as the bare view is by itself: what drains stands still meanwhile."""
    ready = list(_requests(made, path, "new", size=size, number=number))
    with made.draining_paused():
        sent = send_all(made.group.port, ready)
    made.wait_until_drained()
    out(
        {
            "bench": "door",
            "web_workers": workers,
            "alerts_per_request": size,
            **_rates(sent, number, size),
            "of_the_bare_view": round((number / sent.seconds) / (len(bare.times) / bare.seconds), 2),
            "p99_of_the_bare_view": round(sent.quantile(0.99) / bare.quantile(0.99), 2),
        }
    )


def _stream(
    out: Out, made: Product, path: str, stream: str, *, size: int, number: int, workers: int, bare: Sent
) -> None:
    ready = list(_requests(made, path, stream, size=size, number=number))
    cpu = made.cpu()
    sent = send_all(made.group.port, ready)
    left = made.waiting()
    behind = made.wait_until_drained()
    cpu = made.cpu() - cpu
    alerts = number * size
    out(
        {
            "bench": "ingest",
            "web_workers": workers,
            "stream": stream,
            "alerts_per_request": size,
            **_rates(sent, number, size),
            "processed_alerts_per_s": round(alerts / (sent.seconds + behind)),
            "left_at_the_end": left,
            "drained_after_s": round(behind, 2),
            "cpu_s_per_1000_alerts": round(cpu / alerts * 1000, 3),
            "of_the_bare_view": round((number / sent.seconds) / (len(bare.times) / bare.seconds), 2),
            "p99_of_the_bare_view": round(sent.quantile(0.99) / bare.quantile(0.99), 2),
        }
    )


def _rates(sent: Sent, requests: int, size: int) -> dict[str, object]:
    return {
        "requests": requests,
        "refused": sent.refused,
        "requests_per_s": round(requests / sent.seconds),
        "alerts_per_s": round(requests * size / sent.seconds),
        **sent.milliseconds(),
    }


def _visible(out: Out, made: Product, *, workers: int, samples: int) -> None:
    """From the answer to the alert linked to its incident, one at a time, while nothing else happens."""
    path, times = made.source(f"Idle {workers}"), []
    connection = Connection(made.group.port)
    for _ in range(max(20, samples)):
        raw = request(made.group.port, path, body_of_new(f"visible-{next(_fresh)}"))
        times.append(until_linked(made, connection.send_taken(raw)))
        time.sleep(random.uniform(0.02, 0.2))  # noqa: S311 - so that nothing falls into step
    out({"bench": "visible", "web_workers": workers, "samples": len(times), **Sent(times=times).milliseconds()})


def until_linked(made: Product, answer: bytes) -> float:
    """Wait until the alert of the delivery that was answered is linked to its incident; returns the seconds."""
    began, delivery = time.perf_counter(), json.loads(answer)["delivery"]
    linked = """
        SELECT count(*) FROM incidents_outcome AS outcome JOIN incidents_alert AS alert ON alert.id = outcome.alert_id
        WHERE outcome.delivery_id = %s AND alert.incident_id IS NOT NULL
    """
    while not made.count(linked, delivery):
        time.sleep(0.001)
    return time.perf_counter() - began


# What is sent: Alertmanager's webhook


def _requests(made: Product, path: str, stream: str, *, size: int, number: int) -> Iterator[bytes]:
    for body in _bodies(stream, size, number):
        yield request(made.group.port, path, body)


def _bodies(stream: str, size: int, number: int) -> Iterator[bytes]:
    """`mixed`: 40 % told again, 30 % resolves, 30 % new, as storms are."""
    chance = random.Random(7)  # noqa: S311 - the same stream each time
    known = [f"known-{next(_fresh)}" for _ in range(200)]
    for _ in range(number):
        yield _body([_one(stream, chance, known) for _ in range(size)])


def _one(stream: str, chance: random.Random, known: list[str]) -> dict[str, Any]:
    draw = {"new": 1.0, "duplicate": 0.0}.get(stream, chance.random())
    if draw < 0.7:
        return _named("firing" if draw < 0.4 else "resolved", chance.choice(known))
    name = f"new-{next(_fresh)}"
    known[chance.randrange(len(known))] = name
    return _named("firing", name)


def _named(says: str, name: str) -> dict[str, Any]:
    """An alert whose metric and system follow from its name, so that it is the same alert each time."""
    mark = sum(name.encode())
    return _alert(says, name, METRICS[mark % len(METRICS)], SYSTEMS[mark % len(SYSTEMS)])


def body_of_new(name: str) -> bytes:
    return _body([_alert("firing", name, "FeatureDriftPSI", "fraud-scorer")])


def body_of_many(name: str, number: int) -> bytes:
    return _body([_alert("firing", f"{name}-{n}", "FeatureDriftPSI", "fraud-scorer") for n in range(number)])


def _alert(says: str, name: str, metric: str, system: str) -> dict[str, Any]:
    return {
        "status": says,
        "labels": {
            "alertname": metric,
            "system": system,
            "severity": "warning",
            "instance": name,
            "job": "evaluations",
        },
        "annotations": {"summary": f"{metric} on {system}", "description": "Measured by the bench."},
        "generatorURL": "https://monitor.example/graph",
    }


def _body(alerts: list[dict[str, Any]]) -> bytes:
    return json.dumps(
        {
            "version": "4",
            "status": "firing",
            "receiver": "faultline",
            "groupKey": "{}:{}",
            "groupLabels": {},
            "commonLabels": {},
            "commonAnnotations": {},
            "externalURL": "https://alertmanager.example",
            "truncatedAlerts": 0,
            "alerts": alerts,
        }
    ).encode()
