"""What `topics peek` sees in messages: fields, faults, and where else a field may be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lis_online.mapping.candidates import candidates
from lis_online.mapping.peek import peek
from lis_online.records import Record
from lis_online.settings import Settings
from lis_online.simulate.toml import to_toml
from tests.cli.terminal import Terminal
from tests.mapping.formats import MAPPING, SETTINGS, json_of, served, tapped


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Terminal:
    """A terminal."""
    return Terminal(monkeypatch, capfd)


def records(topic: str, *messages: Any, key: bytes | None = None, timestamp: int = -1) -> list[Record]:
    """Return messages as records."""
    values = [message if isinstance(message, bytes) else json_of(message) for message in messages]
    return [Record(topic, 0, offset, timestamp, value, key) for offset, value in enumerate(values)]


def test_each_field_is_shown_with_its_place_its_value_and_its_faults() -> None:
    """Of five messages: two good, one that lacks the user, one that is not JSON, one that is not ours."""
    messages = [served(), served(), served(viewer={}), b"{", {"type": "prefetch"}]
    view = peek(SETTINGS, "impressions", "feed", records("impressions", *messages))
    assert (view.messages, view.accepted, view.skipped, sum(view.refused.values())) == (5, 2, 1, 2)
    fields = {one.name: one for one in view.fields}
    assert (fields["ts"].source, fields["ts"].found, fields["ts"].value) == ("$.served_at (s)", 3, 1573516800250)
    assert dict(fields["user_id"].problems) == {"nothing at $.viewer.uid": 1}
    assert [one.name for one in view.lacking] == ["user_id"]
    assert view.start is None


def test_time_ahead_of_its_record_is_a_refusal_here_too() -> None:
    """What peek accepts, a worker accepts."""
    view = peek(SETTINGS, "feedback", "acts", records("feedback", tapped(), timestamp=1000))
    assert view.accepted == 0
    assert "too_far_ahead" in str(view.refused)


def test_topic_of_another_format_gets_a_table_to_begin_with() -> None:
    """Names and values lead to each field; what they say, loads and maps."""
    shown = records("impressions", *(served(trace={"id": f"r{n}"}) for n in range(3)), key=b"7")
    view = peek(Settings.of({}), "impressions", "feed", shown)
    assert view.start is not None
    assert view.start.splitlines() == [
        "[mapping.impressions]",
        'request_id = "$.trace.id"',
        'user_id = "$.viewer.uid"',
        'ts = { path = "$.served_at", unit = "s" }',
        'surface = "$.page"',
        'items = "$.cards[*].note_id"',
        'positions = "$.cards[*].slot"',
        'experiments = "$.ab"',
    ]


def test_topic_of_the_event_schema_needs_no_table() -> None:
    """Nothing is suggested where nothing is missing."""
    value = {"schema_version": 1, "request_id": "r", "user_id": "u", "item_id": "i", "ts": 5, "action": "click"}
    view = peek(Settings.of({}), "feedback", "feedback", records("feedback", value))
    assert (view.accepted, view.start, view.lacking) == (1, None, [])


def test_key_of_the_record_shows_the_user_whatever_it_is_called() -> None:
    """Feeds are keyed by user: the value that is the key is the user."""
    documents = [{"x": "p1", "user": "web"}, {"x": "p2", "user": "app"}]
    found = candidates("user_id", "id", documents, [b"p1", b"p2"])
    assert found[0].toml == '"$.x"'
    assert candidates("user_id", "id", documents, [None, None])[0].toml == '"$.user"'


@pytest.mark.parametrize(
    ("value", "toml"),
    [
        (1573516800, '{ path = "$.made", unit = "s" }'),
        (1573516800123, '"$.made"'),
        (1573516800123456, '{ path = "$.made", unit = "us" }'),
        ("1573516800123456789", '{ path = "$.made", unit = "ns" }'),
        ("2026-11-01T08:00:00Z", '{ path = "$.made", unit = "rfc3339" }'),
    ],
)
def test_time_shows_its_unit_by_its_size(value: Any, toml: str) -> None:
    """A time of this century is a time in one unit alone."""
    assert [one.toml for one in candidates("ts", "time", [{"made": value, "n": 5, "s": "text"}], [None])] == [toml]


def test_messages_of_a_file_are_shown_and_decide_the_exit_code(terminal: Terminal, tmp_path: Path) -> None:
    """Without Kafka: 1 where one would be refused, 0 where none is."""
    config, file = tmp_path / "lis-online.toml", tmp_path / "acts.jsonl"
    config.write_text(to_toml({"mapping": MAPPING}))
    file.write_bytes(json_of(tapped()) + b"\n\n" + json_of(tapped(evt=None)) + b"\n" + json_of(tapped()))
    good = terminal.run("topics", "peek", "feedback", "--file", str(file), "--count", "1", "-c", str(config))
    assert good.code == 0
    assert "1 messages: 1 accepted" in good.out
    bad = terminal.run("topics", "peek", "--as", "feedback", "--file", str(file), "-c", str(config))
    assert bad.code == 1
    assert "3 messages: 2 accepted, 0 skipped, 1 refused" in bad.out
    assert "action must be at $.evt, got nothing" in bad.out
    shown = json.loads(terminal.run("topics", "peek", "feedback", "--file", str(file), "--json", "-c", str(config)).out)
    assert shown[0]["refused"] == {"malformed: action must be at $.evt, got nothing": 1}


def test_wrong_arguments_are_one_line(terminal: Terminal, tmp_path: Path) -> None:
    """What it is to look at must be clear before anything is connected."""
    assert "TOPIC must be one of" in terminal.refused("topics", "peek", "nothing.like.it")
    assert "--as must be one of" in terminal.refused("topics", "peek", "--as", "clicks")
    assert "--file needs to know" in terminal.refused("topics", "peek", "--file", str(tmp_path / "none"))
    assert "cannot be read" in terminal.refused("topics", "peek", "feedback", "--file", str(tmp_path / "none"))
