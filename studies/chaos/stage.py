"""Where runs take place: one broker, one PostgreSQL; for each run topics, a database and a folder of its own."""

from __future__ import annotations

import signal
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import text

from lis_online.demo.postgres import embedded_postgres
from lis_online.history.engine import build_engine
from lis_online.history.schema import upgrade
from lis_online.settings import Settings
from lis_online.simulate.scenarios import scenario
from lis_online.simulate.toml import to_toml
from streams.topics import create_topics
from studies.chaos.feed import PARTITIONS
from tests.fixtures.kafka import KafkaBroker, download_jars, table_of

SESSION_SECONDS = 4
CHECKPOINT_SECONDS = 2


@dataclass(frozen=True)
class Place:
    """One run's settings, their file, and the folder that everything of the run is in."""

    settings: Settings
    config: Path
    folder: Path
    database: str

    @property
    def checkpoints(self) -> Path:
        """Where the workers save their shards."""
        return self.folder / "checkpoints"


def place_of(broker: KafkaBroker, database: str, folder: Path, **tables: Any) -> Place:
    """Make a run's settings, topics and tables. database: an empty one; tables: merged over the demo's settings."""
    base = {
        "kafka": {"partitions": PARTITIONS, "session_timeout": f"{SESSION_SECONDS}s", "idle_after": "1h"},
        "history": {"url": database},
        "checkpoints": {"every": f"{CHECKPOINT_SECONDS}s"},
        "training": {"device": "cpu", "user_bits": 13, "item_bits": 13},
        "metrics": {"warm_up": "1s", "warm_up_samples": 5_000},
    }
    shown = scenario("demo").settings
    merged = {name: {**shown.get(name, {}), **table, **tables.get(name, {})} for name, table in base.items()}
    others = {name: table for name, table in shown.items() if name not in base}
    table = table_of(broker, folder, **others, **merged)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "checkpoints").mkdir(exist_ok=True)
    config = folder / "lis-online.toml"
    config.write_text(to_toml(table), encoding="utf-8")
    settings = Settings.of(table, str(config))
    create_topics(settings)
    engine = build_engine(database)
    upgrade(engine)
    engine.dispose()
    return Place(settings, config, folder, database)


class Postgres:
    """The history's server, which can be taken away and brought back."""

    def __init__(self, server: Any) -> None:
        self._server = server

    def new_database(self) -> str:
        """Return the address of an empty database."""
        name = f"run{uuid.uuid4().hex[:12]}"
        admin = build_engine(self._server.get_uri(driver="psycopg")).execution_options(isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        admin.dispose()
        return str(self._server.get_uri(database=name, driver="psycopg"))

    def down(self) -> None:
        """Stop it at once, in the middle of whatever it does; return when it is gone."""
        process = self._server.get_postmaster_info().process
        process.send_signal(signal.SIGQUIT)
        process.wait(60)

    def up(self) -> None:
        """Start it again; it recovers what it had committed."""
        self._server.ensure_postgres_running()


@dataclass(frozen=True)
class Stage:
    """The broker and the database server of all runs."""

    broker: KafkaBroker
    postgres: Postgres


@contextmanager
def stage(folder: Path) -> Iterator[Stage]:
    """Start both, and stop them at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    broker = KafkaBroker(download_jars(), folder)
    with embedded_postgres(folder / "postgres") as server:
        broker.start()
        try:
            yield Stage(broker, Postgres(server))
        finally:
            broker.stop()
