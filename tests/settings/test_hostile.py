"""Files, variables and addresses that nobody should write: a sentence of ours, whatever they hold."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as tries
from hypothesis import strategies as st

from lis_online.errors import BrokerError, HistoryError, SettingsError
from lis_online.history.engine import opened, transaction
from lis_online.replay.connection import check_connection
from lis_online.settings import Settings, load

FILES = {
    "nested lists": b"a = " + b"[" * 5000 + b"]" * 5000,
    "nested tables": b"a = " + b"{a=" * 3000,
    "a key of many parts": b".".join([b"a"] * 5000) + b" = 1",
    "not UTF-8": b"\xff\xfe",
    "NUL": b'a="\x00"',
    "a number of 5000 digits": b"[kafka]\npartitions = " + b"9" * 5000,
    "a number of 300 digits": b"[kafka]\npartitions = " + b"9" * 300,
    "a date": b"[kafka]\nbootstrap = 2026-01-01",
    "infinity": b"[training]\nlearning_rate = inf",
    "a table that is a list": b"[[kafka]]\na = 1",
    "a table that is a number": b"kafka = 1",
    "a long duration": b"[events]\nuser_idle_limit = '99999999d'",
    "the year 1": b"[[experiment]]\nname='e'\ncontrol='c'\nstart=0001-01-01T00:00:00Z",
    "broken": b"[kafka\n",
}


@pytest.mark.parametrize("content", FILES.values(), ids=FILES)
def test_a_hostile_file_is_a_sentence_that_names_it(content: bytes, tmp_path: Path) -> None:
    """Neither depth nor digits nor bytes get through the parser as another error."""
    path = tmp_path / "lis.toml"
    path.write_bytes(content)
    with pytest.raises(SettingsError, match=r"lis\.toml: "):
        load(path)


@tries(max_examples=300)
@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_any_bytes_are_settings_or_a_sentence(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    """Whatever a file holds."""
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_bytes(content)
    try:
        load(path)
    except SettingsError as exc:
        assert str(path) in str(exc)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LIS_EVENTS__SURFACES", "[" * 5000),
        ("LIS_PREFERENCE", "{" * 5000),
        ("LIS_KAFKA", "{"),
        ("LIS_KAFKA__PARTITIONS", "9" * 5000),
        ("LIS_KAFKA__", "1"),
        ("LIS_KAFKA__BOOTSTRAP__X", "1"),
        ("LIS_CHECKPOINTS__EVERY", "²s"),
    ],
)
def test_a_hostile_variable_is_a_sentence(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """The environment is refused in the same form as a file."""
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=r"^settings: "):
        load(None)


@pytest.mark.parametrize(
    "bootstrap", [":::,,,:x", "h:99999999", "h:" + "9" * 5000, "h:0", "h:²", "x" * 300 + ":1", "a..b:1", "\x00:1"]
)
def test_a_hostile_broker_address_is_a_sentence(bootstrap: str) -> None:
    """A port out of range is refused with the settings; a host that is no name ends as a dead address does."""
    with pytest.raises((SettingsError, BrokerError), match=r"kafka\.bootstrap:? must "):
        check_connection(Settings.of({"kafka": {"bootstrap": bootstrap}}).kafka, timeout=1)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://[::1/lis",
        "²",
        "sqlite://",
        "postgresql://127.0.0.1:99999999/x",
        "postgresql://127.0.0.1:-1/x",
        f"postgresql://u:secret@{'x' * 400}/d",
        "postgresql:///?host=/nonexistent",
    ],
)
def test_a_hostile_database_address_is_a_sentence_without_the_password(url: str) -> None:
    """It may be repeated in a log."""
    with (
        pytest.raises((SettingsError, HistoryError)) as caught,
        opened(Settings.of({"history": {"url": url}})) as engine,
        transaction(engine),
    ):
        pass
    assert "secret" not in str(caught.value)
