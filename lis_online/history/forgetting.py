"""Users who are forgotten: taken out of what is stored of them, and kept out of what is still on its way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import numpy as np
from sqlalchemy import Connection, Engine, func, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from lis_online.experiments.user_totals import encode, hashed, without
from lis_online.history.engine import transaction
from lis_online.history.experiment_tables import forgotten_users as forgotten
from lis_online.history.experiment_tables import user_totals
from lis_online.history.retention import PRUNE_LOCK
from lis_online.history.rows import UserTotalsRow
from lis_online.history.times import to_datetime

AT_ONCE: Final = 8
"""Rows of users' totals in a transaction; one may have 700 kB."""
USERS_AT_ONCE: Final = 1_000
FORGET_LOCK: Final = 0x6C697346  # "lisF": shared by who writes users' totals, alone for who forgets a user
KEY: Final = tuple(user_totals.primary_key.columns)


@dataclass(slots=True)
class Removed:
    """What was taken out. rows: of users' totals that held a user; seen: rows that were looked through."""

    rows: int = 0
    seen: int = 0


def forget_users(
    engine: Engine, users: np.ndarray, now: int, until: int, progress: Callable[[Removed, int], None]
) -> Removed:
    """Take users out of all stored totals, of every configuration; return what that changed.

    users: id hashes, int64. now: ms; what join shards still send of buckets that began before is written without them.
    until: ms; from then on nothing can be sent again, and that they were forgotten is forgotten too (`db prune`).
    progress: told after each piece what was done, and how many rows there are. It may stop after any piece and be run
    again: what was done stays, and doing it twice changes nothing. Raises HistoryError.
    """
    names = hashed(np.unique(users))
    with transaction(engine) as connection:
        _note(connection, names, now, until)
    with transaction(engine) as connection:  # whoever did not see the note yet has finished writing after this
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": FORGET_LOCK})
        rows = connection.execute(select(func.count()).select_from(user_totals)).scalar_one()
    removed, after = Removed(), None
    while True:
        with _piece(engine) as connection:
            after = _take_out(connection, names, after, removed)
        if after is None:
            return removed
        progress(removed, rows)


def keep_out(connection: Connection, rows: Sequence[UserTotalsRow]) -> list[UserTotalsRow]:
    """Return rows that are about to be written, without the users who were forgotten since their buckets began."""
    connection.execute(text("SELECT pg_advisory_xact_lock_shared(:key)"), {"key": FORGET_LOCK})
    first = to_datetime(min(row.bucket_start for row in rows))
    column = forgotten.c
    found = connection.execute(select(column.name, column.before).where(column.before > first)).all()
    return [
        _kept(row, _names([one.name for one in found if one.before > to_datetime(row.bucket_start)])) for row in rows
    ]


def _note(connection: Connection, names: np.ndarray, now: int, until: int) -> None:
    for start in range(0, len(names), USERS_AT_ONCE):
        piece = names[start : start + USERS_AT_ONCE].view(np.int64).tolist()
        row = {"before": to_datetime(now), "until": to_datetime(until)}
        statement = insert(forgotten).values([{"name": name, **row} for name in piece])
        later = {key: func.greatest(forgotten.c[key], statement.excluded[key]) for key in row}
        connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=later))


def _take_out(connection: Connection, names: np.ndarray, after: Any, removed: Removed) -> Any:
    """Take users out of the next rows; return the key of the last one, None where there was none."""
    query = select(*KEY, user_totals.c.users, user_totals.c.data).order_by(*KEY).limit(AT_ONCE).with_for_update()
    if after is not None:
        query = query.where(tuple_(*KEY) > tuple_(*after))
    found = connection.execute(query).all()
    for row in found:
        left = without(row.data, names)
        removed.seen += 1
        if left is not None:
            table, gone = left
            removed.rows += 1
            where = [column == value for column, value in zip(KEY, row, strict=False)]
            connection.execute(update(user_totals).where(*where).values(users=row.users - gone, data=encode(table)))
    return tuple(found[-1][: len(KEY)]) if found else None


def _kept(row: UserTotalsRow, names: np.ndarray) -> UserTotalsRow:
    left = without(row.data, names) if len(names) else None
    if left is None:
        return row
    table, gone = left
    return msgspec.structs.replace(row, users=row.users - gone, data=encode(table))


def _names(stored: Sequence[int]) -> np.ndarray:
    return np.array(stored, np.int64).view(np.uint64)


@contextmanager
def _piece(engine: Engine) -> Iterator[Connection]:
    """Run a piece in a transaction, while nobody prunes: no row moves to another partition meanwhile."""
    with transaction(engine) as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": PRUNE_LOCK})
        yield connection
