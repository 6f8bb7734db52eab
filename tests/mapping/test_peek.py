"""What `topics peek` sees in messages: fields, faults, and where else a field may be."""

from __future__ import annotations

import json
import tomllib
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


def test_kinds_of_messages_are_told_apart() -> None:
    """One topic with several kinds: the value that ours have is suggested, mapped or not, and no other path is."""
    shown = [served(trace={"id": f"r{n}"}, type="shown") for n in range(3)]
    others = [{"type": "ping", "n": n, "viewer": {"uid": n}} for n in range(2)]
    seen = records("impressions", *shown, *others)
    rule = 'skip = { path = "$.type", unless = ["shown"] }'
    bare = peek(Settings.of({}), "impressions", "feed", seen)
    assert bare.start is not None and bare.start.splitlines()[-1] == rule
    table = {"mapping": {"impressions": {k: v for k, v in MAPPING["impressions"].items() if k != "skip"}}}
    mapped = peek(Settings.of(table), "impressions", "feed", seen)
    assert (mapped.mark and mapped.mark.toml, mapped.accepted) == (rule, 3)
    assert not any(one.guesses for one in mapped.fields)


@pytest.mark.parametrize("others", [[], [{"n": 1}], [{"page": "home", "n": 2}]])
def test_ids_and_what_all_have_tell_no_kinds(others: list[Any]) -> None:
    """A key that both sides have alike, or of which every message has another value, is no mark."""
    seen = records("impressions", *(served(trace={"id": f"r{n}"}) for n in range(3)), *others)
    found = peek(Settings.of({}), "impressions", "feed", seen).mark
    assert found is None or found.path not in (("trace", "id"),)


def test_several_actions_of_a_message_get_a_table_to_begin_with() -> None:
    """A list of objects: each field of one action leads into it; some elements may lack the value."""
    did = [{"track": 9, "verb": "play", "secs": 4.5}, {"track": 8, "verb": "heart"}]
    message = {"render": "r1", "acct": 7, "us": 1573516800000001, "did": did}
    view = peek(Settings.of({}), "feedback", "acts", records("feedback", message, message, key=b"7"))
    assert view.start is not None and view.start.splitlines() == [
        "[mapping.feedback]",
        'request_id = "$.render"',
        'user_id = "$.acct"',
        'item_id = "$.did[*].track"',
        'ts = { path = "$.us", unit = "us" }',
        'action = "$.did[*].verb"',
        'value = "$.did[*].secs"',
    ]
    mapping = tomllib.loads(view.start)
    again = peek(Settings.of(mapping), "feedback", "acts", records("feedback", message))
    values = {one.name: (one.value, dict(one.problems)) for one in again.fields}
    assert (again.accepted, values["value"]) == (1, ([4.5, None], {}))


def test_wrong_unit_is_seen_by_the_size_of_the_time() -> None:
    """Refused or not: microseconds read as milliseconds, and seconds, which nothing refuses."""
    table = {"mapping": {"feedback": {**MAPPING["feedback"], "ts": "$.at"}}}
    for at, unit in ((1573516800000001, "us"), (1573516801, "s")):
        seen = records("feedback", *(tapped(at=at + n) for n in range(3)), timestamp=1573516800000)
        (field,) = [one for one in peek(Settings.of(table), "feedback", "acts", seen).fields if one.name == "ts"]
        assert dict(field.problems) == {f'looks like unit = "{unit}", and is read as "ms"': 3}
        assert field.guesses[0].toml == f'{{ path = "$.at", unit = "{unit}" }}'


def test_refusals_that_differ_in_numbers_are_one() -> None:
    """A wrong unit refuses each message with numbers of its own."""
    seen = records("feedback", *(tapped(at=5_000_000_000 + n) for n in range(4)), timestamp=1000)
    assert list(peek(SETTINGS, "feedback", "acts", seen).refused.values()) == [4]


def test_place_that_is_mapped_is_no_guess() -> None:
    """Nothing is to be changed where a field lies where it was said to."""
    seen = records("impressions", served(viewer={}), served())
    fields = {one.name: one for one in peek(SETTINGS, "impressions", "feed", seen).fields}
    assert '"$.viewer.uid"' not in [guess.toml for guess in fields["user_id"].guesses]


def test_id_that_comes_again_is_less_of_a_request() -> None:
    """A request is one slate: of two ids the one that differs from message to message is it."""
    documents = [{"request": {"tab": "home", "key": f"k{n}"}} for n in range(4)]
    assert [one.path for one in candidates("request_id", "id", documents, [None] * 4)] == [("request", "key")]


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
