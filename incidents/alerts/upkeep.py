"""What alerts need from time to time, whatever arrives: done by the worker, and by the sweeper where there is none."""

from incidents.alerts import ingest, routing, watching


def look_after_alerts() -> None:
    """End leases that ran out, let through what outlasted its silence, and tell of what is not heard of.

    Safe to run twice and at once: each looks at rows, locks as a turn does, and changes what is still to be changed.
    """
    ingest.expire()
    routing.release_silenced()
    watching.look()
