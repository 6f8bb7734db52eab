"""Writes the history: one transaction a call, the same result however often it is repeated."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Engine

from lis_online.history.configuration import configuration_id
from lis_online.history.engine import build_engine, transaction
from lis_online.history.forgetting import keep_out
from lis_online.history.rows import HistoryRow, UserTotalsRow
from lis_online.history.tables import TABLES
from lis_online.history.upsert import newest, upsert
from lis_online.settings import Settings


class HistoryWriter:
    """The way into the history for rows made under one configuration.

    Rows are upserts on their natural key: writing twice changes nothing, and an older revision
    never replaces a newer one. So a caller may write before its checkpoint is durable, and
    write again after a crash.
    """

    def __init__(self, engine: Engine, settings: Settings, note: str | None = None) -> None:
        """note: for a configuration that is new; None where rows are live, else what a backfill is made from."""
        self._engine = engine
        self._settings = settings
        self._note = note

    @classmethod
    def connect(cls, settings: Settings, note: str | None = None) -> HistoryWriter | None:
        """Return a writer for `history.url`, or None where it is not set. Nothing is connected yet."""
        url = settings.history.url
        return None if url is None else cls(build_engine(url.get_secret_value()), settings, note)

    def write(self, rows: Iterable[HistoryRow]) -> None:
        """Write rows of any kinds, all or none; durable on return.

        Raises HistoryError: `transient` for an outage that may pass (try again, with backoff),
        otherwise for a wrong schema or a row that breaks a rule.
        """
        kinds = newest(rows)
        if not kinds:
            return
        with transaction(self._engine) as connection:
            configuration = configuration_id(connection, self._settings, self._note)
            # Always in the same order of tables, so that two writers cannot deadlock on them.
            for kind in sorted(kinds, key=lambda kind: kind.__name__):
                given = kinds[kind]
                totals = [row for row in given if isinstance(row, UserTotalsRow)]
                upsert(connection, TABLES[kind], configuration, keep_out(connection, totals) if totals else given)

    def close(self) -> None:
        """Close the connections; a later `write` opens new ones."""
        self._engine.dispose()
