"""`lis-online vectors send`: into Kafka once, or into a recorded log."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from lis_online.events.decode import decode_representation, vector_of
from lis_online.events.recorded_log import read
from lis_online.events.topics import topic_names
from lis_online.replay.connection import client_arguments
from lis_online.replay.reading import read_partition
from lis_online.settings import Settings
from lis_online.simulate.toml import to_toml
from tests.cli.terminal import Terminal
from tests.fixtures.kafka import KafkaBroker, table_of

ITEMS = ["a", "b", "c"]
VARIANTS = {
    "preference": [{"name": "coclick"}],
    "variant": [{"name": name, "preference": "coclick", "dimension": 2} for name in ("title", "title2")],
}


def npz(folder: Path, numbers: Any = ((1, 2), (3, 4), (5, 6)), items: list[str] = ITEMS, name: str = "v.npz") -> str:
    """Return the path of a file of vectors."""
    np.savez(folder / name, item_id=np.array(items), vector=np.array(numbers, np.float32))
    return str(folder / name)


def recorded(folder: Path) -> str:
    """Return the path of a log of two impressions, the first before the click."""
    rows = [
        {"topic": "impressions", "value": {"ts": 1000, "items": ["a", "b"]}},
        {"topic": "feedback", "value": {"ts": 2000, "item_id": "a"}},
        {"topic": "impressions", "value": {"ts": 5000, "items": ["d"]}},
    ]
    (folder / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(folder / "log.jsonl")


@pytest.fixture
def config(tmp_path: Path) -> str:
    """Settings with two variants, and no broker."""
    path = tmp_path / "lis-online.toml"
    path.write_text(to_toml({"kafka": {"bootstrap": "127.0.0.1:1"}, **VARIANTS}))
    return str(path)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--variant", "other"], "--variant must be one of the settings' ['title', 'title2'], got 'other'"),
        (["--variant", "title", "--version", ""], "--version must be 1 to 100 printable characters, got ''"),
        (["--variant", "title", "--ts", "noon"], "--ts must be an ISO 8601 time"),
        (["--variant", "title", "--ts", "2999-01-01T00:00:00Z"], "--ts must be at most 5m from now (events.max_ahead)"),
        (["--variant", "title", "--vectors", "x"], "must hold the arrays item_id and x"),
        (["--variant", "title", "--out", "x.jsonl"], "--out must come with --log"),
        (["--variant", "title", "--out", "x.txt", "--ts", "2026-01-01T00:00:00Z"], "--out must end with .jsonl"),
        (["--variant", "title"], "kafka.bootstrap must name a broker that answers, got 127.0.0.1:1"),
    ],
)
def test_what_cannot_be_sent_is_refused_in_one_line(
    terminal: Terminal, config: str, tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    """Exit 2, before anything is sent."""
    assert sentence in terminal.refused("vectors", "send", npz(tmp_path), *arguments, "-c", config)


def test_another_dimension_than_the_settings_is_refused(terminal: Terminal, config: str, tmp_path: Path) -> None:
    """The join shards would refuse every one of them."""
    path = npz(tmp_path, np.ones((3, 5)))
    line = terminal.refused("vectors", "send", path, "--variant", "title", "-c", config)
    assert line == "vectors of variant title must have dimension 2 (of the settings), got 5"


def test_a_dry_run_says_what_the_file_holds(terminal: Terminal, config: str, tmp_path: Path) -> None:
    """What a send would refuse as well, and which items the log does not know; no broker is asked."""
    path = npz(tmp_path, [(3, 4), (np.nan, 1), (0, 0)])
    wanted = ["vectors", "send", path, "--variant", "title", "--dry-run", "-c", config]
    printed = terminal.run(*wanted, "--log", recorded(tmp_path))
    assert printed.code == 0
    assert printed.out.splitlines() == [
        "3 rows, 3 items, dimension 2",
        "length of a vector: 0 at least, 2.5 in the middle, 5 at most",
        "not finite as float16: 1 (b)",
        "items that the log does not show: 1 (c)",
        "vectors of length 0, like nothing: 1",
        "items that the log shows: 3, of which 66.7% have a vector",
        "a send would refuse this file",
    ]
    survey = json.loads(terminal.run(*wanted, "--json").out)
    assert (survey["rows"], survey["not_finite"], survey["unknown"]) == (3, 1, None)
    refused = terminal.refused("vectors", "send", path, "--variant", "title", "-c", config)
    assert refused.endswith("vector must be finite as float16, got 1 (b) that are not")


@pytest.mark.parametrize(
    ("since", "place", "ts"),
    [
        (None, 0, 999),
        ("1970-01-01T00:00:02Z", 1, 2000),
        ("1970-01-01T00:00:03Z", 2, 3000),
        ("1970-01-02T00:00Z", 3, 86_400_000),
    ],
)
def test_vectors_are_merged_into_a_log_at_their_time(
    terminal: Terminal, tmp_path: Path, since: str | None, place: int, ts: int
) -> None:
    """Before the first event that may see them; the log's own records stay as they are, in their order."""
    log, out = recorded(tmp_path), tmp_path / "merged.jsonl.gz"
    more = [] if since is None else ["--ts", since]
    printed = terminal.run("vectors", "send", npz(tmp_path), "--variant", "title", "--version", "q4",
                           "--log", log, "--out", str(out), *more)  # fmt: skip
    assert printed.out == f"sent 3 vectors of title, version q4, to {out}\n"
    merged = list(read(out))
    assert [topic for topic, _ in merged[place : place + 3]] == ["representations"] * 3
    assert merged[:place] + merged[place + 3 :] == list(read(log))
    first = decode_representation(merged[place][1] or b"")
    assert (first.variant, first.version, first.item_id, first.ts) == ("title", "q4", "a", ts)
    assert vector_of(first, 2).tolist() == [1, 2]
    assert gzip.decompress(out.read_bytes()).count(b"\n") == 6
    assert [path.name for path in tmp_path.iterdir() if "unfinished" in path.name] == []


def test_a_log_that_cannot_be_read_leaves_no_file(terminal: Terminal, tmp_path: Path) -> None:
    """Half a log is not mistaken for a whole one."""
    out = tmp_path / "merged.jsonl"
    (tmp_path / "log.jsonl").write_text('{"topic":"impressions","value":{"ts":1}}\n{"topic":"x","value":1}\n')
    terminal.refused("vectors", "send", npz(tmp_path), "--variant", "title", "--log", str(tmp_path / "log.jsonl"),
                     "--out", str(out))  # fmt: skip
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log.jsonl", "v.npz"]


class Topic:
    """Settings on a real broker, and what its topic of vectors has."""

    def __init__(self, broker: KafkaBroker, folder: Path) -> None:
        table = table_of(broker, folder, **VARIANTS)
        self.settings = Settings.of(table)
        self.config = str(folder / "kafka.toml")
        Path(self.config).write_text(to_toml({**table, "history": {}}))

    def records(self) -> list[dict[str, Any]]:
        """Return every record of every partition, nothing compacted away yet."""
        from kafka import KafkaConsumer, TopicPartition

        name = topic_names(self.settings.kafka)["representations"]
        consumer = KafkaConsumer(**client_arguments(self.settings.kafka), enable_auto_commit=False)
        try:
            places = [TopicPartition(name, partition) for partition in range(self.settings.kafka.partitions)]
            ends = consumer.end_offsets(places)
            return [
                {"key": record.key.decode(), **msgspec.json.decode(record.value)}
                for place in places
                for record in read_partition(consumer, place, 0, ends[place])
            ]
        finally:
            consumer.close()


@pytest.mark.kafka
def test_what_is_in_kafka_already_is_not_sent_again(
    terminal: Terminal, kafka_broker: KafkaBroker, tmp_path: Path
) -> None:
    """A second send changes nothing, one that was cut short goes on, a version's vectors change on purpose alone."""
    topic = Topic(kafka_broker, tmp_path)
    first = ["--variant", "title", "--version", "1", "-c", topic.config]
    assert "must exist: run `lis-online topics create`" in terminal.refused("vectors", "send", npz(tmp_path), *first)
    terminal.run("topics", "create", "-c", topic.config)

    half = npz(tmp_path, [(1, 2), (3, 4)], ["a", "b"], "half.npz")
    printed = terminal.run("vectors", "send", half, *first, "--ts", "2026-01-01T00:00:00Z")
    name = topic_names(topic.settings.kafka)["representations"]
    assert printed.out == f"sent 2 vectors of title, version 1, to {name}\n"
    printed = terminal.run("vectors", "send", npz(tmp_path), *first)
    assert printed.out == f"sent 1 vectors of title, version 1, to {name}; 2 were there already\n"
    before = topic.records()
    assert {(one["key"], one["version"]) for one in before} == {(f"title|{item}", "1") for item in ITEMS}
    assert {one["ts"] for one in before if one["item_id"] != "c"} == {1_767_225_600_000}
    done = json.loads(terminal.run("vectors", "send", npz(tmp_path), *first, "--json").out)
    assert (done["sent"], done["unchanged"]) == (0, 3)
    assert topic.records() == before

    changed = npz(tmp_path, [(1, 2), (9, 4), (5, 6)], name="changed.npz")
    line = terminal.refused("vectors", "send", changed, *first)
    assert line.startswith("version 1 of title must have the vectors it was published with, got others for 1 (b): ")
    assert topic.records() == before
    done = json.loads(terminal.run("vectors", "send", changed, *first, "--replace", "--json").out)
    assert (done["sent"], done["replaced"], done["unchanged"], done["passed"]) == (1, 1, 2, 0)

    second = ["--variant", "title", "--version", "2", "-c", topic.config]
    done = json.loads(terminal.run("vectors", "send", changed, *second, "--json").out)
    assert (done["sent"], done["passed"], done["replaced"]) == (3, 3, 0)
    done = json.loads(
        terminal.run("vectors", "send", npz(tmp_path), *first, "--ts", "2026-01-01T00:00:00Z", "--json").out
    )
    assert (done["sent"], done["newer"]) == (0, 3)  # compaction would keep the old and delete the new
    done = json.loads(
        terminal.run("vectors", "send", npz(tmp_path), "--variant", "title2", "-c", topic.config, "--json").out
    )
    assert (done["sent"], done["passed"]) == (3, 0)  # another variant's are none of this one's
