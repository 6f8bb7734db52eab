"""`lis-online forget`: whom it asks, what it says, what it refuses."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest
from kafka import KafkaConsumer

from lis_online.events.forget_request import MOST_USERS, decode
from lis_online.events.person_hashes import PersonHashes, key_digest
from lis_online.settings import Settings
from lis_online.simulate.toml import to_toml
from streams.topics import create_topics
from tests.cli.terminal import Terminal
from tests.fixtures.kafka import KafkaBroker, table_of

KEY = {"user_key": "a key of twenty-four byt"}


def given_on_stdin(monkeypatch: pytest.MonkeyPatch, given: bytes) -> None:
    """Let a command read this."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))


@pytest.mark.parametrize(
    ("arguments", "given", "sentence"),
    [
        ([], b"", "USER must be given, or --stdin, and not both"),
        (["u7", "--stdin"], b"u8\n", "USER must be given, or --stdin, and not both"),
        (["", "--yes"], b"", "USER must not be empty"),
        (["--stdin", "--yes"], b"\n\r\n", "--stdin must have an id a line, got none"),
        (["--stdin", "--yes"], b"u7\n\xff\n", "--stdin must be UTF-8: invalid start byte at byte 3"),
        (["u7"], b"", "--yes must be given where nobody can be asked"),
        (["--stdin"], b"u7\n", "--yes must be given where nobody can be asked"),
        (["u7", "--yes"], b"", "kafka.bootstrap must name a broker that answers, got 127.0.0.1:1: Connection refused"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    terminal: Terminal,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    arguments: list[str],
    given: bytes,
    sentence: str,
) -> None:
    """Before anything is forgotten."""
    given_on_stdin(monkeypatch, given)
    path = tmp_path / "lis-online.toml"
    path.write_text('[kafka]\nbootstrap = "127.0.0.1:1"\n')
    assert terminal.refused("forget", *arguments, "-c", str(path)) == sentence


def asked(settings: Settings, broker: KafkaBroker) -> dict[tuple[str, int], list[int]]:
    """Return whom each partition was asked to forget, by topic and partition."""
    topics = (settings.kafka.impressions, settings.kafka.feedback)
    consumer = KafkaConsumer(
        *topics, bootstrap_servers=broker.bootstrap, auto_offset_reset="earliest", consumer_timeout_ms=1_000
    )
    found: dict[tuple[str, int], list[int]] = {}
    try:
        for record in consumer:
            assert record.key is None
            users = decode(record.value, key_digest(settings.privacy))
            found.setdefault((record.topic, record.partition), []).extend(users)
    finally:
        consumer.close()
    return found


@pytest.mark.kafka
def test_every_partition_is_asked_by_hash_alone(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, kafka_broker: KafkaBroker, tmp_path: Path
) -> None:
    """More users than a request holds, each once; without a history that is said."""
    table = {**table_of(kafka_broker, tmp_path), "privacy": KEY}
    settings = Settings.of(table)
    create_topics(settings)
    del table["history"]
    path = tmp_path / "lis-online.toml"
    path.write_text(to_toml(table))
    monkeypatch.setenv("LIS_HISTORY__URL", "")
    ids = [f"person-{n}" for n in range(MOST_USERS + 5)]
    given_on_stdin(monkeypatch, "".join(f"{one}\r\n" for one in [*ids, "person-3", ""]).encode())
    printed = terminal.run("forget", "--stdin", "--yes", "--json", "-c", str(path))
    assert printed.code == 0, printed
    assert "person-" not in printed.out + printed.err
    said = json.loads(printed.out)
    both = {settings.kafka.impressions: 2, settings.kafka.feedback: 2}
    assert (said["users"], said["asked"], said["history"]) == (len(ids), both, None)
    assert {one["place"] for one in said["remains"]} >= {"rankers", "checkpoints"}
    name = PersonHashes(settings.privacy).user
    found = asked(settings, kafka_broker)
    assert found == {(topic, p): sorted(map(name, ids)) for topic in both for p in range(2)}
