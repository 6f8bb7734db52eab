"""What a reader of the documents has: Apache Kafka, PostgreSQL with a history, settings, logs."""

from __future__ import annotations

import json
import os
import re
import shutil
import time
import tomllib
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from kafka import KafkaProducer
from sqlalchemy import text

from lis_online.demo.ports import free_port
from lis_online.history.engine import build_engine, transaction
from lis_online.history.schema import upgrade
from lis_online.settings import Settings
from lis_online.simulate.toml import to_toml
from streams.topics import create_topics
from tests.docs.files import BEGIN, events, write
from tests.docs.shell import Shell
from tests.documents import ROOT, blocks
from tests.fixtures.kafka import KafkaBroker
from tests.mapping.bookshop import messages
from tests.replay.refused import refuse, send

LIVE, OTHER = 5, 7
"""Configurations of the history that the documents name: the live settings', and a backfill's."""
LETTERS = 20
BOOKSHOP = {"impressions": "bookshop.shelves", "feedback": "bookshop.readers"}
INPUTS = ("impressions", "feedback", "representations", "preferences")

SMALL = {
    "LIS_TRAINING__DEVICE": "cpu",
    "LIS_TRAINING__EMBEDDING": "2",
    "LIS_TRAINING__USER_BITS": "8",
    "LIS_TRAINING__ITEM_BITS": "8",
    "LIS_LEAKAGE__SKETCH_BITS": "12",
    "LIS_METRICS__WARM_UP": "1s",
    "LIS_METRICS__WARM_UP_SAMPLES": "0",
    "LIS_KAFKA__PARTITIONS": "2",
    "LIS_KAFKA__REPLICATION": "1",
    "LIS_KAFKA__SESSION_TIMEOUT": "6s",
    **{f"LIS_HISTORY__KEEP_{what}": "36500d" for what in ("BUCKETS", "NUMBERS", "ROLLUPS", "USER_TOTALS")},
}
"""Variables that fit the settings of the documents to one broker, two cores, a log of some hours, and any later day."""
ALONE = ("README.md", "docs/own-data.md", "docs/privacy.md")
"""Pages whose workers are alone at their topics; the other pages share some, which are filled."""

SHORTER = (
    (r"--slates \d+", "--slates 150"),
    (r"/run/secrets/", "secrets/"),
)
"""What is typed in another way here than on the page: sizes and places."""
PORTS = ("9464", "9465", "9466", "9467")


class Reader:
    """Somebody who follows one page, in a folder of their own."""

    def __init__(self, folder: Path, environment: dict[str, str], table: dict[str, Any]) -> None:
        self.folder = folder
        self._table = table
        self._ports = {port: str(free_port()) for port in PORTS}
        fixed = {"LIS_HTTP__PORT": self._ports["9464"], "SERVE_PORT": self._ports["9465"], "COLUMNS": "200"}
        self.shell = Shell(folder, {**environment, **fixed})
        self._save()

    def typed(self, command: str) -> str:
        """Return what is typed for a command of a page."""
        for pattern, instead in SHORTER:
            command = re.sub(pattern, instead, command)
        return re.sub("|".join(PORTS), lambda port: self._ports[port[0]], command)

    def adopt(self, snippet: str, name: str = "lis-online.toml") -> None:
        """Put a snippet of settings into the settings file; of another name, into a copy of it."""
        table = merged(self._table, tomllib.loads(snippet))
        (self.folder / name).write_text(to_toml(table))
        if name == "lis-online.toml":
            self._table = table

    def _save(self) -> None:
        (self.folder / "lis-online.toml").write_text(to_toml(self._table))


class World:
    """The servers, a folder of files to copy from, and a history with the numbers of two configurations."""

    def __init__(self, folder: Path, broker: KafkaBroker, database: str) -> None:
        self._folder, self._broker = folder, broker
        self._shelf = folder / "shelf"
        self._shelf.mkdir()
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("LIS_")}
        self._environment = {
            **inherited, **SMALL, "LIS_KAFKA__BOOTSTRAP": broker.bootstrap, "LIS_HISTORY__URL": database
        }  # fmt: skip
        self._table = live_table()
        self._shared = _names()
        write(self._shelf)
        self._fill_history(database)
        self._fill_kafka()

    @contextmanager
    def reader(self, page: str) -> Iterator[Reader]:
        """Yield a reader of a page; what was started is ended."""
        folder = self._folder / re.sub(r"\W", "-", page)
        shutil.copytree(self._shelf, folder)
        reader = Reader(folder, {**self._environment, **self._topics(page)}, self._table)
        try:
            yield reader
        finally:
            reader.shell.end()

    def _topics(self, page: str) -> dict[str, str]:
        """Return the variables of a page's topics."""
        if page not in ALONE:
            return self._shared
        names = _names()
        if page == "docs/own-data.md":
            self._fill_bookshop()
            return {"LIS_KAFKA__PREFIX": names["LIS_KAFKA__PREFIX"]}
        if page == "docs/privacy.md":
            create_topics(self._settings(names))
        return names

    def _settings(self, names: dict[str, str]) -> Settings:
        kafka = {name.removeprefix("LIS_KAFKA__").lower(): value for name, value in names.items()}
        return Settings.of(
            {**self._table, "kafka": {**kafka, "bootstrap": self._broker.bootstrap, "partitions": 2, "replication": 1}}
        )

    def _fill_history(self, database: str) -> None:
        engine = build_engine(database)
        upgrade(engine)
        shell = Shell(self._shelf, self._environment)
        (self._shelf / "live.toml").write_text(to_toml(self._table))
        (self._shelf / "other.toml").write_text(to_toml(merged(self._table, {"leakage": {"horizon": "1h"}})))
        for number, name in ((LIVE, "live.toml"), (OTHER, "other.toml")):
            with transaction(engine) as connection:
                connection.execute(text(f"SELECT setval(pg_get_serial_sequence('configurations', 'id'), {number - 1})"))
            done = shell.run(
                f"lis-online backfill events.jsonl --from 2026-11-19T08:00Z --to 2026-11-19T11:00Z -c {name}"
            )
            assert f"configuration {number}: " in done.out, done
        engine.dispose()
        assert shell.run("lis-online simulate --slates 150 --out run").code == 0

    def _fill_kafka(self) -> None:
        """Fill the shared topics: the log, refused records of a variant that the settings lack; and a feed's own."""
        settings = self._settings(self._shared)
        create_topics(settings)
        vector = {"schema_version": 1, "variant": "new", "version": "1", "item_id": "i1", "ts": BEGIN, "vector": [1.0]}
        send(settings, "representations", [{**vector, "item_id": f"i{n}"} for n in range(LETTERS)])
        assert refuse(settings) == LETTERS
        for topic in INPUTS:
            send(settings, topic, [event["value"] for event in events() if event["topic"] == topic])
        self._send({"impressions": "prod.feed.served"}, BEGIN)

    def _fill_bookshop(self) -> None:
        """Make and fill the bookshop's topics, as a feed that runs now."""
        self._send(BOOKSHOP, time.time_ns() // 1_000_000 - 20 * 60_000)

    def _send(self, topics: dict[str, str], start: int) -> None:
        """Make topics of impressions or feedback, and send the bookshop's messages to them."""
        create_topics(
            self._settings({**_names(), **{f"LIS_KAFKA__{key.upper()}": name for key, name in topics.items()}})
        )
        producer = KafkaProducer(bootstrap_servers=self._broker.bootstrap, linger_ms=20)
        for topic, reader, message in messages(start, 480, 2400):
            if topic in topics:
                producer.send(topics[topic], json.dumps(message).encode(), key=str(reader).encode())
        producer.close()


def live_table() -> dict[str, Any]:
    """Return what pages take for granted: the README's settings, a second variant, the example file's experiment."""
    example = tomllib.loads((ROOT / "lis-online.example.toml").read_text(encoding="utf-8"))
    table: dict[str, Any] = {"metrics": {"bucket": "15m", "windows": ["1h", "24h"]}, "leakage": {"memory": "1h"}}
    for block in blocks("toml"):
        if block.where in ("README.md", "docs/vectors.md"):
            table = merged(table, tomllib.loads(block.text))
    return merged(table, {"experiment": example["experiment"]})


def merged(table: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    """Return a table with another's keys over its own; of lists of tables, those with the same name are replaced."""
    found = dict(table)
    for key, value in more.items():
        if isinstance(value, dict):
            known = found.get(key)
            found[key] = merged(known if isinstance(known, dict) else {}, value)
        elif isinstance(value, list) and value and isinstance(value[0], dict) and "name" in value[0]:
            named = {row["name"]: row for row in [*found.get(key, []), *value]}
            found[key] = [merged({}, row) for row in named.values()]
        else:
            found[key] = value.isoformat() if isinstance(value, datetime) else value
    return found


def _names() -> dict[str, str]:
    prefix = f"t{uuid.uuid4().hex[:10]}"
    inputs = {f"LIS_KAFKA__{name.upper()}": f"{prefix}.{name}" for name in INPUTS}
    return {"LIS_KAFKA__PREFIX": prefix, **inputs}
