"""`lis-online dead-letters`, on Apache Kafka: what an operator does at night."""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path
from typing import Any

import pytest

from lis_online.cli.dead_letters_text import printable
from lis_online.settings import Settings
from lis_online.simulate.toml import to_toml
from streams.topics import create_topics
from tests.cli.terminal import Terminal
from tests.fixtures.kafka import KafkaBroker, table_of
from tests.join.logs import feedback, impression
from tests.replay.refused import refuse, replayed, send

NOW = time.time_ns() // 1_000_000


@pytest.fixture
def table(kafka_broker: KafkaBroker, tmp_path: Path) -> dict[str, Any]:
    """Settings whose topics are there."""
    table = table_of(kafka_broker, tmp_path)
    create_topics(Settings.of(table))
    return table


def config_of(table: dict[str, Any], folder: Path) -> str:
    """Return a settings file."""
    path = folder / "lis-online.toml"
    path.write_text(to_toml({name: section for name, section in table.items() if name != "history"}))
    return str(path)


@pytest.mark.kafka
def test_letters_are_listed_shown_and_sent_back(terminal: Terminal, table: dict[str, Any], tmp_path: Path) -> None:
    """From an alert to the end: which reasons, one record, the fix, the way back, and nothing twice."""
    settings, config = Settings.of(table), config_of(table, tmp_path)
    assert terminal.run("dead-letters", "list", "-c", config).out == "no dead letters\n"
    hostile = b'{"user_id":"ada\x1b[31m\xff"'
    old = {**impression(ts=NOW), "schema_version": 2}
    send(settings, "impressions", [old, impression("r2", ts=NOW)], key=b"u1", partition=1)
    send(settings, "feedback", [hostile, {**feedback(ts=NOW), "user_id": ""}, feedback(ts=NOW)])
    assert refuse(settings) == 3
    refuse(settings)  # a worker that starts again refuses the same; that is not counted twice

    said = json.loads(terminal.run("dead-letters", "list", "--json", "--since", "1h", "-c", config).out)
    assert said["counts"] == [
        {"topic": "feedback", "reason": "invalid", "letters": 1},
        {"topic": "feedback", "reason": "malformed", "letters": 1},
        {"topic": "impressions", "reason": "schema_version", "letters": 1},
    ]
    newest, second, third = said["letters"]
    assert [one["letter"] for one in said["letters"]] == ["0:2", "0:1", "0:0"]
    assert (newest["topic"], newest["partition"], newest["offset"], newest["replayed"]) == ("feedback", 0, 1, False)
    assert third["detail"] == "schema_version must be 1, got 2"
    table_shown = terminal.run("dead-letters", "list", "--limit", "1", "--topic", "feedback", "-c", config).out
    assert "feedback:0:1" in table_shown and "feedback:0:0" not in table_shown and "impressions" not in table_shown

    shown = terminal.run("dead-letters", "show", second["letter"], "-c", config).out
    assert '{"user_id":"ada\\x1b[31m\\xff"' in shown and "\x1b" not in shown
    assert "feedback:0:0" in shown and "malformed" in shown
    whole = json.loads(terminal.run("dead-letters", "show", second["letter"], "--json", "-c", config).out)
    assert base64.b64decode(whole["value_base64"]) == hostile
    assert base64.b64decode(whole["key_base64"]) == b"k"

    replay = ("dead-letters", "replay", "--reason", "schema_version", "-c", config)
    assert terminal.run(*replay).out.splitlines() == [
        "sent 0 letters back",
        "1 were left: they would be refused again (schema_version)",
    ]
    assert terminal.run(*replay, "--all", "--dry-run").out == "would send 1 letter back\n"
    assert replayed(settings) == []
    assert terminal.run(*replay, "--all").out == "sent 1 letter back\n"
    (back,) = replayed(settings)
    assert (back.partition, back.key, back.replayed_from) == (1, b"u1", b"impressions:1:0")
    done = json.loads(terminal.run(*replay, "--all", "--json").out)
    assert done == {"sent": 0, "late": 0, "already": 1, "superseded": 0, "refused": {}}
    letters = json.loads(terminal.run("dead-letters", "list", "--json", "-c", config).out)["letters"]
    assert [one["replayed"] for one in letters] == [False, False, True]

    missing = terminal.refused("dead-letters", "show", "0:99", "-c", config)
    assert "must have the offset asked for" in missing and missing.endswith("got 99")
    assert "must be a dead letter, and is not" in terminal.refused("dead-letters", "show", "0:6", "-c", config)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["show", "17"], "a letter must be named PARTITION:OFFSET, such as 0:17, got '17'"),
        (["show", "0:²"], "a letter must be named PARTITION:OFFSET, such as 0:17, got '0:²'"),
        (["show", "1:0"], "the dead-letter topic has partition 0 alone, got '1:0'"),
        (["list", "--reason", "bad"], "--reason must be one of malformed, schema_version, "),
        (["list", "--since", "soon"], "--since must be an age such as 2h, or an ISO 8601 time with a zone, "),
        (
            ["replay", "--since", "2026-13-01T00:00Z"],
            "--since must be an age such as 2h, or an ISO 8601 time with a zone, ",
        ),
        (["replay", "--zone", "Mars/Olympus"], "--zone must be the IANA name of a time zone, "),
    ],
)
def test_wrong_arguments_are_a_sentence(terminal: Terminal, arguments: list[str], sentence: str) -> None:
    """Said before anything is connected."""
    assert terminal.refused("dead-letters", *arguments).startswith(sentence)


def test_bytes_that_would_steer_a_terminal_are_escaped() -> None:
    """A hostile record must not rewrite the operator's screen or hide its end."""
    assert printable(b"a\x00\r\x1b]0;title\x07\xc2\x9b\xe2\x80\xae") == "a\\x00\\r\\x1b]0;title\\x07\\x9b\\u202e"
