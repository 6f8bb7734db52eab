"""Upserts of any number of rows: a few by statement, many by COPY straight into their table.

Nearly always no row is there yet, so many are copied first, at a savepoint; where one is there, COPY refuses them all,
and they go by way of a temporary table and one INSERT. Measured on 2 shared cores with 3,760 rows of `numbers`: 27 ms,
of which the key's index and the check of the configuration take 10 each; by a temporary table 130 ms.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Any, Final

import msgspec
import psycopg
from sqlalchemy import BigInteger, Boolean, Column, Connection, DateTime, Double, Integer, LargeBinary, Table, Text

from lis_online.history.rows import KEYS, HistoryRow
from lis_online.history.tables import CONFIGURATION
from lis_online.history.times import to_datetime

FEW: Final = 50
"""Rows up to which a statement each costs less than COPY's round trips."""

WIRE: Final = {
    BigInteger: "int8",
    Integer: "int4",
    Boolean: "bool",
    Double: "float8",
    DateTime: "timestamptz",
    LargeBinary: "bytea",
    Text: "text",
}
"""PostgreSQL's name of a column's type: COPY's binary form says none."""


def newest(rows: Iterable[HistoryRow]) -> dict[type[HistoryRow], list[HistoryRow]]:
    """Return rows by type, one per natural key: the highest revision, among equals the last.

    One statement must not meet a key twice: PostgreSQL refuses it.
    """
    given: dict[type[HistoryRow], list[HistoryRow]] = {}
    for row in rows:
        given.setdefault(type(row), []).append(row)
    return {kind: _one_per_key(found, attrgetter(*KEYS[kind])) for kind, found in given.items()}


def upsert(connection: Connection, table: Table, configuration: int, rows: Sequence[HistoryRow]) -> None:
    """Write rows of one type, each key once. A later revision in the table stays.

    Raises what SQLAlchemy and psycopg raise, and ValueError on a time that no `datetime` holds.
    """
    names = [field.name for field in msgspec.structs.fields(type(rows[0]))]
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    values = [(configuration, *given) for given in _values(table, names, rows)]
    columns = [CONFIGURATION, *names]
    if len(rows) <= FEW:
        _insert(driver, table, columns, values)
        return
    try:
        with driver.transaction():
            _copy(driver, table, table.name, columns, values)
    except psycopg.errors.UniqueViolation:
        _merge(driver, table, columns, values)


def _one_per_key(rows: Iterable[HistoryRow], key: attrgetter[Any]) -> list[HistoryRow]:
    known: dict[Any, HistoryRow] = {}
    for row in rows:
        name = key(row)
        other = known.get(name)
        if other is None or other.revision <= row.revision:
            known[name] = row
    return list(known.values())


def _values(table: Table, names: Sequence[str], rows: Sequence[HistoryRow]) -> Iterator[Sequence[Any]]:
    times = [index for index, name in enumerate(names) if isinstance(table.c[name].type, DateTime)]
    for row in rows:
        values: list[Any] = list(msgspec.structs.astuple(row))
        for index in times:
            values[index] = None if values[index] is None else to_datetime(values[index])
        yield values


def _insert(driver: psycopg.Connection, table: Table, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Write rows by a statement each, all sent before the first answer."""
    marks = ", ".join("%b" if isinstance(table.c[name].type, LargeBinary) else "%s" for name in columns)
    with driver.cursor() as cursor:
        cursor.executemany(f"{_into(table, columns)} VALUES ({marks}) {_on_conflict(table, columns)}", rows)


def _copy(
    driver: psycopg.Connection, table: Table, into: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> None:
    with driver.cursor() as cursor, cursor.copy(f"COPY {into} ({_quoted(columns)}) FROM STDIN (FORMAT binary)") as copy:
        copy.set_types([_wire(table.c[name]) for name in columns])
        for row in rows:
            copy.write_row(row)


def _merge(driver: psycopg.Connection, table: Table, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Write rows of which some are there."""
    given, quoted = f"given_{table.name}", _quoted(columns)
    with driver.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE {given} ON COMMIT DROP AS SELECT {quoted} FROM {table.name} LIMIT 0")
        _copy(driver, table, given, columns, rows)
        cursor.execute(f"{_into(table, columns)} SELECT {quoted} FROM {given} {_on_conflict(table, columns)}")


def _into(table: Table, columns: Sequence[str]) -> str:
    return f"INSERT INTO {table.name} AS old ({_quoted(columns)})"


def _on_conflict(table: Table, columns: Sequence[str]) -> str:
    keys = [column.name for column in table.primary_key.columns]
    changed = ", ".join(f'"{name}" = excluded."{name}"' for name in columns if name not in keys)
    return f"ON CONFLICT ({_quoted(keys)}) DO UPDATE SET {changed} WHERE old.revision <= excluded.revision"


def _wire(column: Column[Any]) -> str:
    return WIRE[type(column.type)]


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
