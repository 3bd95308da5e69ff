"""A backlog: what one source left behind is drained at a rate that is reported, in memory that does not grow, while what
other sources send meanwhile is visible soon."""

import random
import time
from collections.abc import Callable

from bench.ingest import body_of_new, until_linked
from bench.load import Connection, Sent, request
from bench.product import Product, product

Out = Callable[[dict[str, object]], None]

DELIVERIES = 100_000

_FILL = """
    INSERT INTO incidents_delivery (
        source_id, received_at, body, size, digest, headers, door, is_test, due_at,
        status, repeats, attempts, claim_count, error, wiped_because
    )
    SELECT source.id, now(), convert_to(replace(%s, 'NUMBER', number::text), 'UTF8'), 400, md5(number::text), '{}', '',
        false, now() + interval '1 hour', 'received', 0, 0, 0, '', ''
    FROM incidents_source AS source, generate_series(1, %s) AS number WHERE source.name = 'Behind'
"""
_DUE = "UPDATE incidents_delivery SET due_at = now() WHERE status = 'received'"


def run(out: Out, *, scale: float) -> None:
    with product() as made:
        number = int(DELIVERIES * scale)
        made.source("Behind")
        other = made.source("Other")
        # Due all at once, so that nothing is drained before everything is there.
        made.database.execute(_FILL, [body_of_new("backlog-NUMBER").decode(), number])
        memory, cpu = made.memory(), made.cpu()
        began = time.perf_counter()
        made.database.execute(_DUE)
        times, samples = _meanwhile(made, other)
        seconds = time.perf_counter() - began
        out(
            {
                "bench": "backlog",
                "deliveries": number,
                "seconds": round(seconds, 1),
                "deliveries_per_s": round(number / seconds),
                "cpu_s_per_1000": round((made.cpu() - cpu) / number * 1000, 3),
                "left_over": made.waiting(),
                "dead": made.count("SELECT count(*) FROM incidents_delivery WHERE status = 'dead'"),
                "others_visible_after": Sent(times=times).milliseconds(),
                "others_sent": len(times),
                "memory_mb_before": _mb(memory),
                "memory_mb_at_a_quarter": _mb(samples[len(samples) // 4]),
                "memory_mb_at_the_end": _mb(samples[-1]),
                "memory_mb_most": _mb(max(samples)),
            }
        )


def _meanwhile(made: Product, path: str) -> tuple[list[float], list[int]]:
    """Send an alert from another source each second until all is drained; returns when each was visible, and the memory."""
    times: list[float] = []
    samples = [made.memory()]
    connection = Connection(made.group.port)
    while made.waiting():
        raw = request(made.group.port, path, body_of_new(f"meanwhile-{len(times)}"))
        times.append(until_linked(made, connection.send_taken(raw)))
        samples.append(made.memory())
        time.sleep(random.uniform(0.7, 1.0))  # noqa: S311
    return times, samples


def _mb(size: int) -> int:
    return round(size / 1_000_000)
