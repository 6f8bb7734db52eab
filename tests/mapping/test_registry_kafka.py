"""Messages in Avro through Apache Kafka: looked at, examined, and read into samples."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer

from lis_online.backfill.run import Backfill
from lis_online.backfill.stretch import Stretch
from lis_online.replay.retained import read_retained
from lis_online.settings import Settings
from lis_online.simulate.toml import to_toml
from tests.cli.terminal import Terminal
from tests.fixtures.kafka import KafkaBroker, table_of
from tests.mapping.bookshop import messages, table_of_the_page
from tests.mapping.encodings import BOOK, DEED, MAPPING, SHELF, avro_of, registered
from tests.mapping.registry_server import RegistryServer

MINUTE = 60_000
SMALL: dict[str, Any] = {
    "training": {"device": "cpu", "embedding": 2, "hidden": [4], "batch": 64, "user_bits": 8, "item_bits": 8},
    "metrics": {"windows": ["2m"]},
}


@pytest.mark.kafka
def test_avro_goes_through_kafka_to_samples(
    kafka_broker: KafkaBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Peek shows the fields, doctor asks the registry, and what Kafka has becomes samples."""
    monkeypatch.setenv("LIS_HISTORY__URL", "")
    terminal = Terminal(monkeypatch, capfd)
    with RegistryServer() as registry:
        registry.schemas = {1: registered(DEED), 2: registered(SHELF, ("shop.Book", "books", 1))}
        registry.subjects = {("books", 1): registered(BOOK)}
        page = table_of_the_page()
        table = table_of(kafka_broker, tmp_path, **SMALL) | {name: page[name] for name in ("events", "leakage")}
        table["kafka"] |= {"partitions": 2}
        table["mapping"] = {**MAPPING, "registry": {"url": registry.url}}
        del table["history"]
        file = tmp_path / "lis-online.toml"
        file.write_text(to_toml(table))
        assert terminal.run("topics", "create", "-c", str(file)).code == 0
        end = time.time_ns() // 1_000_000 - 5000
        start = end - 20 * MINUTE
        producer = KafkaProducer(bootstrap_servers=kafka_broker.bootstrap, linger_ms=20)
        for topic, reader, message in messages(start, 300, 4000):
            if topic == "feedback" or "shelf" in message:
                producer.send(table["kafka"][topic], avro_of(topic, message), key=str(reader).encode())
        producer.flush()
        producer.close()

        peeked = terminal.run("topics", "peek", "--json", "--count", "50", "-c", str(file))
        views = json.loads(peeked.out)
        assert [(view["mapped"], view["accepted"], view["refused"]) for view in views] == [(True, 50, {})] * 2
        assert {field["field"]: field["value"] for field in views[0]["fields"]}["experiments"] == {"cover-q4": "b"}
        examined = terminal.run("doctor", "--json", "-c", str(file))
        states = {(one["check"], one["state"]) for one in json.loads(examined.out)["findings"]}
        assert {("registry", "ok"), ("messages", "ok"), ("partitions", "ok")} <= states

        settings = Settings.of({**table, "history": {"url": ""}})
        stretch = Stretch.of(settings, start // MINUTE * MINUTE, end // MINUTE * MINUTE)
        rows: list[Any] = []
        backfill = Backfill(settings, stretch, rows.extend, shards=2, judge_clock="record")
        backfill.run(read_retained(settings, stretch.reads_from, stretch.closes(settings), partial=True))
    assert backfill.done.samples > 500
