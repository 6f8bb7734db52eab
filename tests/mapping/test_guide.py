"""docs/own-data.md, followed: its settings, its messages, its commands, to numbers."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer

from lis_online.backfill.run import Backfill
from lis_online.backfill.stretch import Stretch
from lis_online.mapping.codec import Codec
from lis_online.replay.retained import read_retained
from lis_online.settings import Settings
from lis_online.shards.pipeline import Pipeline
from lis_online.simulate.toml import to_toml
from tests.cli.terminal import Terminal
from tests.fixtures.kafka import KafkaBroker, table_of
from tests.mapping.bookshop import messages, messages_of_the_page, table_of_the_page

TRAINING = {"device": "cpu", "embedding": 2, "hidden": [4], "batch": 64, "user_bits": 8, "item_bits": 8}
SMALL: dict[str, Any] = {"training": TRAINING, "metrics": {"windows": ["2m"]}}
MINUTE = 60_000


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Terminal:
    """A terminal without the developer's own variables."""
    monkeypatch.setenv("LIS_HISTORY__URL", "")
    return Terminal(monkeypatch, capfd)


def test_messages_of_the_page_map_as_its_settings_say() -> None:
    """A reader who compares the two by hand finds what the program finds."""
    codec = Codec(Settings.of(table_of_the_page()).mapping)
    shown, done = (json.dumps(message).encode() for message in messages_of_the_page())
    (impression,) = codec.events("impressions", shown)
    (click,) = codec.events("feedback", done)
    assert (impression.request_id, impression.user_id, impression.surface) == ("s1", "48213", "feed")
    assert (impression.items, impression.experiments) == (["9780141439518", "9780140449136"], {"cover-q4": "b"})
    assert (click.request_id, click.item_id, click.action, click.value) == ("s1", "9780140449136", "click", 42.0)
    assert 0 < click.ts - impression.ts < 5000


def test_a_log_of_the_page_gives_numbers() -> None:
    """The same mapping in `evaluate`: the shop's low ISBNs are opened more, and the ranker learns it."""
    settings = Settings.of({**table_of_the_page(), **SMALL})
    pipeline = Pipeline(settings)
    for topic, _, message in messages(1_795_161_600_000, 700, 2500):
        pipeline.update(topic, json.dumps(message).encode())
    pipeline.finish()
    summary = pipeline.summary()
    assert pipeline.join.counts["skipped"] == 14
    assert summary["events"]["dead_letters"] == 0
    assert summary["unleaked"]["auc"]["value"] > 0.55


@pytest.mark.kafka
def test_the_page_is_followed_through_kafka(
    kafka_broker: KafkaBroker, tmp_path: Path, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Peek without a mapping, with it, doctor, and what Kafka has through the shards."""
    table = table_of(kafka_broker, tmp_path, **SMALL)
    page = table_of_the_page()
    table["kafka"] |= {"partitions": page["kafka"]["partitions"]}
    bare, whole = tmp_path / "bare.toml", tmp_path / "lis-online.toml"
    del table["history"]
    bare.write_text(to_toml(table))
    table |= {name: section for name, section in page.items() if name != "kafka"}
    whole.write_text(to_toml(table))
    assert terminal.run("topics", "create", "-c", str(bare)).code == 0
    end = time.time_ns() // 1_000_000 - 5000
    start = end - 20 * MINUTE
    _produce(kafka_broker, table["kafka"], messages(start, 500, 2400))

    guessed = terminal.run("topics", "peek", table["kafka"]["impressions"], "--count", "20", "-c", str(bare))
    assert guessed.code == 1
    assert 'user_id = "$.reader.no"' in guessed.out
    assert 'ts = { path = "$.shelf.at", unit = "rfc3339" }' in guessed.out
    peeked = terminal.run("topics", "peek", "--json", "--count", "100", "-c", str(whole))
    views = json.loads(peeked.out)
    assert peeked.code == 0
    assert [(view["mapped"], view["messages"], view["refused"]) for view in views] == [(True, 100, {})] * 2
    assert {field["field"]: field["found"] for field in views[1]["fields"]}["action"] == 100

    examined = terminal.run("doctor", "--json", "-c", str(whole))
    findings = json.loads(examined.out)["findings"]
    states = {(one["check"], one["state"]) for one in findings}
    assert examined.code == 0, findings
    assert {("brokers", "ok"), ("topics", "ok"), ("messages", "ok"), ("partitions", "ok"), ("slates", "ok")} <= states
    assert {("attribution", "ok"), ("names", "ok"), ("duplicates", "ok"), ("device", "ok")} <= states
    assert ("history", "warning") in states

    settings = Settings.of({**table, "history": {"url": ""}})
    stretch = Stretch.of(settings, start // MINUTE * MINUTE, end // MINUTE * MINUTE)
    rows: list[Any] = []
    backfill = Backfill(settings, stretch, rows.extend, shards=2, judge_clock="record")
    backfill.run(read_retained(settings, stretch.reads_from, stretch.closes(settings), partial=True))
    assert backfill.done.samples > 1000


def _produce(broker: KafkaBroker, names: dict[str, Any], log: list[tuple[str, int, dict[str, Any]]]) -> None:
    """Send messages as the shop does: keyed by the reader."""
    producer = KafkaProducer(bootstrap_servers=broker.bootstrap, linger_ms=20)
    try:
        for topic, reader, message in log:
            producer.send(names[topic], json.dumps(message).encode(), key=str(reader).encode())
        producer.flush()
    finally:
        producer.close()
