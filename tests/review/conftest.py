"""One filled history for all tests that only read it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, text

from lis_online.history.engine import build_engine
from lis_online.history.schema import upgrade
from tests.review.history import write

NAME = "review"


@pytest.fixture(scope="module")
def filled(postgres_server: Any) -> Iterator[Engine]:
    """Return an engine on a database with the history of `tests.review.history`; nobody writes to it."""
    admin = build_engine(postgres_server.get_uri()).execution_options(isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)"))
        connection.execute(text(f"CREATE DATABASE {NAME}"))
    engine = build_engine(postgres_server.get_uri(database=NAME, driver="psycopg"))
    upgrade(engine)
    write(engine)
    yield engine
    engine.dispose()
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {NAME} WITH (FORCE)"))
    admin.dispose()
