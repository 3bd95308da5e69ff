"""The first step of every alert: a delivery is stored as it came, before its sender is answered.

What it says is read later, by a worker (`drain.py`). So this module, and with it every endpoint, knows no format.
"""

import hashlib
import json
from collections.abc import Mapping

from django.db import connection

from incidents.alerts.headers import stored_headers
from incidents.alerts.models import Delivery, Source


class SourceChanged(Exception):
    """The source was changed after it was read: read it again, and decide again."""


def receive(
    source: Source, body: bytes, *, headers: Mapping[str, str], door: str = "", is_test: bool = False
) -> Delivery:
    """Store a delivery as it came. Once this is committed it will be processed, whatever dies meanwhile.

    One statement, because it is what a monitor waits for. `door` names the API it came by, where that is not its
    source's own address. Raises SourceChanged where the source carries the version of its row (`with_version`) and that
    is no longer the newest: so an endpoint may remember sources without ever acting on an old one.
    """
    delivery = Delivery(
        source=source,
        body=body,
        size=len(body),
        digest=hashlib.sha256(body).hexdigest(),
        headers=stored_headers(headers),
        door=door,
        is_test=is_test,
    )
    values = (body, delivery.size, delivery.digest, json.dumps(delivery.headers), door, is_test)
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, [delivery.received_at, *values, delivery.due_at, source.pk, source.version])
        inserted = cursor.fetchone()
    if inserted is None:
        raise SourceChanged(source)
    delivery.pk = inserted[0]
    return delivery


# The row's version is that of `SourceQuerySet.with_version`; where none is given, any version will do.
_INSERT = """
    INSERT INTO incidents_delivery (
        received_at, body, size, digest, headers, door, is_test, due_at, source_id,
        status, repeats, attempts, claim_count, error, wiped_because
    )
    SELECT %s, %s, %s, %s, %s::jsonb, %s, %s, %s, source.id, 'received', 0, 0, 0, '', ''
    FROM incidents_source AS source WHERE source.id = %s AND coalesce(source.xmin::text || source.ctid::text = %s, true)
    RETURNING id
"""
