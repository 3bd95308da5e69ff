"""Writes many rows in one statement, as one JSON parameter.

Measured with Django 5.2, PostgreSQL 18 and rows of Alert, in ms on two busy cores, Django’s way against this one:

    rows                                1          10           100            1,000
    bulk_create (inserts with UNNEST)   2 / 6      22 / 24      107 / 44       1,106 / 521
    bulk_update of eleven fields        13 / 2     91 / 4       1,107 / 18     12,109 / 394

`bulk_update` builds a CASE for each field and row. For a few new rows alone Django’s `bulk_create` is as good; a turn
may open thousands. The rows are sent in the order of their keys, so that two statements never wait for each other
crosswise.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, LiteralString, cast

from django.db import connection, models
from psycopg import sql

ROWS_A_STATEMENT = 2000


def take_keys(rows: Sequence[models.Model]) -> None:
    """Give new rows their primary keys from the sequence, so that others can refer to them before they are written."""
    if not rows:
        return
    table, key = rows[0]._meta.db_table, _key_of(rows[0]).column
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, %s)) FROM generate_series(1, %s)", [table, key, len(rows)]
        )
        for row, (number,) in zip(rows, cursor.fetchall(), strict=True):
            row.pk = number


def insert(rows: Sequence[models.Model]) -> None:
    """Insert new rows, keys taken or not. Signals and defaults of the database play no part. Raises IntegrityError."""
    if not rows:
        return
    if rows[0].pk is None:
        take_keys(rows)
    fields = list(rows[0]._meta.concrete_fields)
    statement = sql.SQL("INSERT INTO {table} ({names}) SELECT {names} FROM {new} AS new").format(
        table=sql.Identifier(rows[0]._meta.db_table), names=_names(fields), new=_recordset(fields)
    )
    _write(statement, rows, fields)


def update(rows: Iterable[models.Model], fields: Iterable[str]) -> None:
    """Write some fields of known rows. What is no longer there stays away."""
    ordered = sorted(rows, key=lambda row: row.pk)
    if not ordered:
        return
    key, written = _key_of(ordered[0]), [ordered[0]._meta.get_field(name) for name in fields]
    assignment = sql.SQL("{name} = new.{name}")
    statement = sql.SQL("UPDATE {table} AS old SET {values} FROM {new} AS new WHERE old.{key} = new.{key}").format(
        table=sql.Identifier(ordered[0]._meta.db_table),
        values=sql.SQL(", ").join(assignment.format(name=name) for name in _identifiers(written)),
        new=_recordset([key, *written]),
        key=sql.Identifier(key.column),
    )
    _write(statement, ordered, [key, *written])


def _key_of(row: models.Model) -> Any:
    return row._meta.pk


def _identifiers(fields: Iterable[Any]) -> list[sql.Identifier]:
    return [sql.Identifier(field.column) for field in fields]


def _names(fields: Iterable[Any]) -> sql.Composed:
    return sql.SQL(", ").join(_identifiers(fields))


def _recordset(fields: Iterable[Any]) -> sql.Composed:
    columns = sql.SQL(", ").join(sql.Identifier(field.column) + sql.SQL(f" {_type(field)}") for field in fields)
    return sql.SQL("(SELECT * FROM jsonb_to_recordset({rows}) AS one({columns}))").format(
        rows=sql.SQL("%s::jsonb"), columns=columns
    )


def _type(field: Any) -> LiteralString:
    named = field.rel_db_type(connection) if field.primary_key else field.db_type(connection)
    return cast(LiteralString, named.partition(" CHECK")[0])  # Django's own word for it, never anybody's input


def _write(statement: sql.Composed, rows: Sequence[models.Model], fields: Iterable[Any]) -> None:
    names = [(field.column, field.attname) for field in fields]
    with connection.cursor() as cursor:
        for start in range(0, len(rows), ROWS_A_STATEMENT):
            some = rows[start : start + ROWS_A_STATEMENT]
            part = [{column: row.__dict__[attribute] for column, attribute in names} for row in some]
            cursor.execute(statement, [json.dumps(part, default=_plain, ensure_ascii=False)])


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} cannot be written in bulk")
