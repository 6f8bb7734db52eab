"""What docs/history.md shows analysts runs as it is."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Engine

from lis_online.history.rows import NumberRow
from lis_online.history.writer import HistoryWriter
from tests.documents import blocks
from tests.history.streams import SETTINGS

pytestmark = pytest.mark.postgres

HOUR = 3_600_000


def test_the_pandas_example_reads_a_variants_numbers(
    history_engine: Engine, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Run with a stand-in for pandas, which is no dependency: the query and its columns are what can break."""
    [example] = [block.text for block in blocks("python") if block.where == "docs/history.md"]
    now = 1_900_000_000_000  # later than any clock: the query looks back from now
    row = NumberRow(now, HOUR, "all", "variant", "qwen-vl-coclick", "adjusted_ais", 0.1, 0.1, 0.0, 0.2, None, 9, 1, "2")
    HistoryWriter(history_engine, SETTINGS).write([row])
    pandas = SimpleNamespace(DataFrame=lambda rows, columns: (rows, columns))
    monkeypatch.setitem(sys.modules, "pandas", pandas)
    names: dict[str, Any] = {"address": postgres_url.replace("postgresql+psycopg://", "postgresql://")}
    exec(example, names)
    rows, columns = names["frame"]
    assert columns == ["time", "version", "value", "lower", "upper", "samples"]
    assert [row[1:] for row in rows] == [("2", 0.1, 0.0, 0.2, 9)]
