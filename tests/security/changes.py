"""Asking for changes: what is sent to every address, and whether anything private was changed or told of by it."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from django.db import connection

from incidents.models import Alert, Comment, Delivery, Event
from incidents.response.incident import Incident
from tests.security.asking import Asker, text_of, undone
from tests.security.world import World

# What forms and the API call what they are about, and what else some of them want to be told.
NUMBERED = ("incident", "into", "number", "numbers", "other")
NAMED = {"alert": Alert, "alerts": Alert, "delivery": Delivery, "parent": Comment, "event": Event, "id": Incident}
ANYTHING = {
    "act": "acknowledge",
    "action": "post",
    "decision": "approve",
    "do": "link",
    "failure": "drift",
    "how": "x",
    "key": "x",
    "kind": "related",
    "name": "x",
    "note": "x",
    "of": "users",
    "query": "status=all",
    "reason": "x",
    "severity": "sev3",
    "state": "problem",
    "system": "support-assistant",
    "text": "x",
    "title": "x",
    "to": "done",
}
# Signing in and out, one's own account, and the endpoints of monitors.
NOT_SENT = ("/accounts/", "/admin/log", "/admin/password", "/ingest", "/v2/", "/account/")
METHODS = ("post", "put", "patch", "delete")


def sendings(
    hidden: Iterable[str], absent: Iterable[str], private: World, *, number: int, row: int
) -> Iterator[tuple[str, str, dict[str, Any], dict[str, Any]]]:
    """Every change in which something private can stand: in the address, in what is sent, or in both.

    Each is an address with what is sent there, and the same of an incident that never was, `number`, and its rows, `row`.
    """
    named = {name: private.row(model).pk for name, model in NAMED.items()}
    named |= dict.fromkeys(NUMBERED, private.incident.number)
    nothing = dict.fromkeys(NAMED, row) | dict.fromkeys(NUMBERED, number)
    for path, same in zip(hidden, absent, strict=True):
        if "?" not in path and not path.startswith(NOT_SENT):
            yield path, same, ANYTHING | named, ANYTHING | nothing


def taken(asker: Asker, sendings_: list[Any]) -> list[tuple[Any, str]]:
    """Which of them are taken at all, by which method: one that is refused with 405 is refused to everybody."""
    methods = METHODS if asker.key else METHODS[:1]
    found = []
    for sending in sendings_:
        for method in methods:
            with undone():
                if asker.may_ask(sending[0]) and asker.send(method, sending[1], sending[3]).status_code != 405:
                    found.append((sending, method))
    return found


def answered(
    asker: Asker, method: str, path: str, data: dict[str, Any], private: World, stored: str
) -> tuple[str, bool]:
    """What is answered to somebody who asks for a change, and whether what is `stored` of the private world was changed."""
    with undone():
        writes = _writes()
        answer = asker.send(method, path, data)
        is_changed = _writes() != writes and state_of(private) != stored
        return f"{answer.status_code}\n{text_of(answer)}", is_changed


def _writes() -> int:
    """How many rows were written in this transaction, in all tables: most requests write none, so few are looked into."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_xact_user_tables")
        return int((cursor.fetchone() or (0,))[0])


def state_of(world: World) -> str:
    """A digest of all rows of a world as they are stored, and of how many rows hang on its incident."""
    digests = [
        f"SELECT md5(row::text) AS digest FROM {model._meta.db_table} AS row"
        f" WHERE {model._meta.pk.column if model._meta.pk else 'id'} = '{row.pk}'"
        for model, row in world.rows.items()
    ]
    counts = [
        f"SELECT count(*)::text FROM {model._meta.db_table} WHERE incident_id = {world.incident.pk}"
        for model in world.rows
        if any(field.attname == "incident_id" for field in model._meta.concrete_fields)
    ]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(digests + counts))
        return str(sorted(str(digest) for (digest,) in cursor.fetchall()))


def nameless(text: str, *named: int | str) -> str:
    """An answer without the numbers and ids of what was asked about, and of rows that were written for it."""
    return re.sub("|".join([*map(str, named), r"\b(?:77|78)\d{7}\b", r"\b\w{8}(?:-\w{4}){3}-\w{12}\b"]), "0", text)
