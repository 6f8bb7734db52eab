"""The connection to PostgreSQL, and what its errors mean to a caller."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy import URL, Connection, Engine, create_engine, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from lis_online.errors import HistoryError, SettingsError, UsageError
from lis_online.settings import Settings

CONNECT_TIMEOUT = 5  # s; libpq waits for ever without
CONNECTIONS = 3  # at once, of a process that asks for no more
STATEMENT_TIMEOUT = 60_000  # ms; a bucket's rows take well under a second
SOCKET_TIMEOUT = 20_000  # ms that sent data may stay unacknowledged: a server that vanished is noticed

TRANSIENT_CLASSES = ("08", "40", "53", "57", "58")
"""SQLSTATE classes that pass: connection, rollback, resources, operator intervention, system error."""
TRANSIENT_STATES = ("25006", "55P03")  # a standby that is being promoted; a lock that is held
SCHEMA_STATES = ("42P01", "42703", "42P10", "42804", "3F000")  # table, column, constraint, type, schema


def build_engine(url: str, connections: int = CONNECTIONS) -> Engine:
    """Return an engine for a PostgreSQL address; nothing is connected yet. connections: at most so many at once.

    Raises SettingsError (never showing the address, which may hold a password).
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as exc:  # ValueError: a port that is no number
        raise SettingsError([("history.url", "must be postgresql+psycopg://user@host:port/database")]) from exc
    if parsed.drivername not in ("postgresql", "postgresql+psycopg"):
        raise SettingsError([("history.url", f"must begin with postgresql+psycopg://, got {parsed.drivername}://")])
    return create_engine(
        parsed.set(drivername="postgresql+psycopg"),
        hide_parameters=True,  # a failed statement would carry thousands of values into the log
        pool_pre_ping=True,
        pool_size=1,
        max_overflow=connections - 1,
        connect_args={
            "connect_timeout": CONNECT_TIMEOUT,
            "application_name": "lis-online",
            "tcp_user_timeout": SOCKET_TIMEOUT,
        },
    )


@contextmanager
def opened(settings: Settings, connections: int = CONNECTIONS) -> Iterator[Engine]:
    """Yield an engine for `history.url`, and close its connections. Raises UsageError where it is not set."""
    url = settings.history.url
    if url is None:
        raise UsageError("history.url must be set for this command, in the settings file or as LIS_HISTORY__URL")
    engine = build_engine(url.get_secret_value(), connections)
    try:
        yield engine
    finally:
        engine.dispose()


def address(url: URL) -> str:
    """Return host, port and database, without user or password.

    >>> address(make_url("postgresql+psycopg://lis:secret@db:5433/lis"))
    'db:5433/lis'
    """
    host = url.host or url.query.get("host") or "localhost"
    return f"{host if isinstance(host, str) else ','.join(host)}:{url.port or 5432}/{url.database or ''}"


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """Run the body in one transaction; on an error nothing of it stays.

    Raises HistoryError, transient where trying again can help.
    """
    try:
        with engine.begin() as connection:
            connection.execute(text(f"SET LOCAL statement_timeout = {STATEMENT_TIMEOUT}"))
            yield connection
    except PoolTimeoutError as exc:
        raise HistoryError(f"history at {address(engine.url)}: no free connection", transient=True) from exc
    except DBAPIError as exc:
        raise _error(exc.orig, engine.url) from exc
    except psycopg.Error as exc:  # COPY goes past SQLAlchemy
        raise _error(exc, engine.url) from exc
    except UnicodeError as exc:  # from psycopg, of a host that is no name, or of text that is not UTF-8
        raise HistoryError(f"history at {address(engine.url)} cannot be asked: {exc}") from exc


def _error(exc: BaseException | None, url: URL) -> HistoryError:
    """Compose the sentence. A connection that could not be made or broke has no SQLSTATE: it may pass."""
    where = f"history at {address(url)}"
    said = " ".join(str(exc).split("\n", 1)[0].split())
    state = getattr(exc, "sqlstate", None)
    if state is None and isinstance(exc, psycopg.OperationalError):
        return HistoryError(f"{where} cannot be reached: {said}", transient=True)
    if state in SCHEMA_STATES:
        return HistoryError(f"{where} has another schema ({said}): run `lis-online db upgrade`")
    if state is not None and (state[:2] in TRANSIENT_CLASSES or state in TRANSIENT_STATES):
        return HistoryError(f"{where} is not available now ({state}): {said}", transient=True)
    return HistoryError(f"{where} refused the statement ({state}): {said}")
