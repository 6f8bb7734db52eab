"""The application over one filled history, asked in process."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, text

from lis_online.api.app import build_app
from lis_online.history.engine import build_engine
from lis_online.history.schema import upgrade
from tests.api.client import Client
from tests.review.history import END, SETTINGS, write


@pytest.fixture(scope="session")
def filled(postgres_server: Any) -> Iterator[Engine]:
    """Return an engine on a database with the history of `tests.review.history`; nobody writes to it."""
    admin = build_engine(postgres_server.get_uri()).execution_options(isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text("CREATE DATABASE api"))
    engine = build_engine(postgres_server.get_uri(database="api", driver="psycopg"))
    upgrade(engine)
    write(engine)
    yield engine
    engine.dispose()
    admin.dispose()


@pytest.fixture(scope="session")
def app(filled: Engine) -> FastAPI:
    """Return the application; its clock stands at the history's end."""
    return build_app(SETTINGS, filled, lambda: END)


@pytest.fixture(scope="session")
def client(app: FastAPI) -> Client:
    """Return who asks it."""
    return Client(app)
