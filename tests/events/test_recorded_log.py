"""Recorded logs are read from every form they are written in."""

from __future__ import annotations

import gzip
import io
from pathlib import Path
from types import SimpleNamespace

import pytest

from lis_online.errors import ReplayError
from lis_online.events.recorded_log import read

LINES = b'{"topic":"impressions","value":{"a" : "\xc3\xa9"}}\n\n{"value":null,"topic":"representations"}\n'
EVENTS = [("impressions", b'{"a" : "\xc3\xa9"}'), ("representations", None)]


def test_a_plain_a_packed_and_a_piped_log_are_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Values are passed on byte for byte; null is a tombstone; blank lines are nothing."""
    (tmp_path / "log.jsonl").write_bytes(LINES)
    (tmp_path / "log.jsonl.gz").write_bytes(gzip.compress(LINES))
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(LINES)))
    for name in (tmp_path / "log.jsonl", tmp_path / "log.jsonl.gz", "-"):
        assert list(read(name)) == EVENTS


def test_parquet_is_read_by_its_two_columns(tmp_path: Path) -> None:
    """Columns of text, further columns ignored, null a tombstone."""
    arrow = pytest.importorskip("pyarrow", reason="pyarrow is an extra")
    parquet = pytest.importorskip("pyarrow.parquet")
    columns = {"topic": ["impressions", "representations"], "other": [1, 2], "value": ['{"a" : "é"}', None]}
    parquet.write_table(arrow.table(columns), tmp_path / "log.parquet")
    assert list(read(tmp_path / "log.parquet")) == EVENTS
    parquet.write_table(arrow.table({"topic": ["x"]}), tmp_path / "log.parquet")
    with pytest.raises(ReplayError, match=r"must have the columns topic and value, got \['topic'\]"):
        list(read(tmp_path / "log.parquet"))
    (tmp_path / "log.parquet").write_bytes(b"no")
    with pytest.raises(ReplayError, match="is not Parquet"):
        list(read(tmp_path / "log.parquet"))


def test_a_broken_line_becomes_an_event_that_the_join_refuses(tmp_path: Path) -> None:
    """One line that was cut short does not cost a night's log."""
    (tmp_path / "log").write_bytes(LINES + b'{"topic":"feedb\n' + LINES)
    assert list(read(tmp_path / "log")) == [*EVENTS, ("impressions", b'{"topic":"feedb'), *EVENTS]


def test_a_file_that_is_no_recorded_log_is_refused(tmp_path: Path) -> None:
    """The sentence names file, line and rule."""
    path = tmp_path / "log"
    path.write_bytes(b"1\tU1\t11/12/2019 2:14:46 PM\n")
    with pytest.raises(ReplayError, match=r'log, line 1: must be \{"topic": \.\.\., "value": \.\.\.\} in JSON'):
        list(read(path))
    path.write_bytes(LINES + b'{"topic":"clicks","value":{}}')
    with pytest.raises(ReplayError, match=r"line 4: topic must be one of \['impressions', .*got 'clicks'"):
        list(read(path))
    with pytest.raises(ReplayError, match="cannot be read"):
        list(read(tmp_path / "none"))
    (tmp_path / "log.gz").write_bytes(gzip.compress(LINES * 9)[:-20])
    with pytest.raises(ReplayError, match="cannot be read"):
        list(read(tmp_path / "log.gz"))
