"""The demo's stage: broker, database, topics, schema and settings, up and down in order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lis_online.demo.broker import embedded_broker
from lis_online.demo.ports import free_port
from lis_online.demo.postgres import embedded_postgres
from lis_online.demo.workers import ROLES
from lis_online.settings import Settings
from lis_online.simulate.scenarios import Scenario
from lis_online.simulate.toml import to_toml

PARTITIONS = 2


@dataclass(frozen=True)
class Stage:
    """Where everything is. ports: HTTP port by role; database: the history's SQLAlchemy address."""

    settings: Settings
    config: Path
    database: str
    ports: dict[str, int]

    def address(self, role: str) -> str:
        """Return the HTTP address of a role's worker."""
        return f"http://127.0.0.1:{self.ports[role]}"


@contextmanager
def stage(scenario: Scenario, folder: Path) -> Iterator[Stage]:
    """Bring up broker and database, make topics and tables; yield; take all of it down again."""
    from lis_online.history import schema
    from lis_online.history.engine import build_engine
    from streams.topics import create_topics

    with embedded_postgres(folder / "postgres") as server, embedded_broker(folder / "broker") as bootstrap:
        database = server.get_uri(driver="psycopg")
        table = _table(scenario, folder, database, bootstrap)
        config = folder / "lis-online.toml"
        config.write_text(to_toml(table), encoding="utf-8")
        settings = Settings.of(table, str(config))
        create_topics(settings)
        engine = build_engine(database)
        schema.upgrade(engine)
        engine.dispose()
        yield Stage(settings, config, database, {role: free_port() for role in ROLES})


def _table(scenario: Scenario, folder: Path, database: str, bootstrap: str) -> dict[str, Any]:
    """Return the scenario's settings with the addresses of this stage and a demo's small sizes."""
    return {
        **scenario.settings,
        # the embedded broker makes a new member of a group wait for half of the session timeout
        "kafka": {"bootstrap": bootstrap, "partitions": PARTITIONS, "session_timeout": "6s", "idle_after": "5s"},
        "history": {"url": database},
        "checkpoints": {"directory": str(folder / "checkpoints"), "every": "10s"},
        "training": {"device": "cpu", "user_bits": 13, "item_bits": 13},
    }
