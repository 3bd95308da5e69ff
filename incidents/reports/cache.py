"""Reports that were worked out a moment ago.

Three layers remember what reports are made of, each for another reason. From below:

* *stored* months (months.py, PostgreSQL): the facts of a month that is over, for everybody; an Event throws them away;
* *summed* months and *cached* tests (`lru_cache` in months.py and statistics.py, one process): pure functions of what never
  changes, so nothing ever has to be thrown away;
* *cached* reports (here, Django's cache, one process): the answer to one question, for one audience, as long as nothing
  has happened; what happened is the last Event.

Each may be lost at any time: what it held is worked out again, and is the same.
"""

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple
from typing import Any

from django.core.cache import cache
from django.db import connection, connections
from django.utils import timezone

from incidents.people.models import User
from incidents.reports.decide import ToDecide, decide
from incidents.reports.document import Trends
from incidents.reports.learning import Learning, learn
from incidents.reports.scope import Asked
from incidents.reports.trends import trends
from incidents.response.incident import Incident

SECONDS = 60  # what is no Event, such as somebody reading a postmortem, shows after this


Parts = tuple[Trends, Learning, ToDecide]


def report(user: User, asked: Asked) -> Parts:
    """Give the three parts of a report."""
    parts: Parts = cached("report", user, asked, lambda: _parts(user, asked))
    return parts


def worked_out(user: User, asked: Asked) -> Parts:
    """Work the parts of a report out, one after the other, on this connection."""
    counted = trends(user, asked)
    return counted, learn(user, asked), decide(user, asked).and_of(counted)


def _parts(user: User, asked: Asked) -> Parts:
    """Work them out side by side: one half mostly counts here while the other mostly waits for the database."""
    if connection.in_atomic_block:  # what is not committed yet is seen on this connection alone
        return worked_out(user, asked)
    with ThreadPoolExecutor(1) as aside:
        rest = aside.submit(_on_a_connection_of_its_own, user, asked)
        counted = trends(user, asked)
        learnt, to_decide = rest.result()
    return counted, learnt, to_decide.and_of(counted)


def _on_a_connection_of_its_own(user: User, asked: Asked) -> tuple[Learning, ToDecide]:
    try:
        return learn(user, asked), decide(user, asked)
    finally:
        connections.close_all()  # those of this thread, which ends


def cached(what: str, user: User, asked: Asked, work_out: Callable[[], Any]) -> Any:
    """Give what was worked out for the same question, audience and state of the records, or work it out.

    Everybody who may see no private incident sees the same, so they share one answer.
    """
    asked_by = f"{astuple(asked)}|{timezone.now():%Y-%m-%d}|{_audience(user)}"
    key = f"{what}:" + hashlib.sha256(asked_by.encode()).hexdigest()
    state = _state()
    entry = cache.get(key)
    if entry and entry[0] == state:
        return entry[1]
    answer = work_out()
    cache.set(key, (state, answer), SECONDS)
    return answer


def _audience(user: User) -> str:
    if user.pk is None:  # everybody
        return ""
    private = Incident.objects.filter(private=True, people=user.pk).order_by().values_list("pk", flat=True)
    return ",".join(map(str, sorted(private)))


def _state() -> tuple[int, ...]:
    """The last Event, and how many of the last thousand numbers are taken: one that commits late fills a gap.

    And how many decisions were asked for and taken, of which no Event tells.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(max(id), 0), count(*), (SELECT count(*) + count(decided_at) FROM incidents_decision) FROM (SELECT id FROM incidents_event WHERE id > "
            "(SELECT coalesce(max(id), 0) - 1000 FROM incidents_event)) AS latest"
        )
        return tuple(cursor.fetchone() or ())
