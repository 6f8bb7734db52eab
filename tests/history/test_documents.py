"""What docs/history.md shows analysts runs as it is."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from sqlalchemy import Engine

from lis_online.history.rows import LiftRow, NumberRow
from lis_online.history.times import to_datetime, to_milliseconds
from lis_online.history.writer import HistoryWriter
from tests.documents import blocks
from tests.history.streams import AT, SETTINGS

pytestmark = pytest.mark.postgres

HOUR = 3_600_000


VARIANT = NumberRow(
    1_900_000_000_000, HOUR, "all", "variant", "qwen-vl-coclick", "adjusted_ais", 0.1, 0.1, 0.0, 0.2, None, 9, 1, "2"
)
"""Later than any clock: the examples look back from now."""
LIFT = LiftRow(
    VARIANT.bucket_end, "mllm-q4", "treatment", "ctr", 0.11, 0.1, 0.1, 0.01, 0.07, 0.13, 0.08, 0.12, 0.01, 0.007, 0.013,
    1e-4, 2e-4, "holds", 4000, None, 1,
)  # fmt: skip


def examples(language: str) -> list[str]:
    """Return the blocks of a language in docs/history.md."""
    return [block.text for block in blocks(language) if block.where == "docs/history.md"]


def test_the_pandas_examples_read_a_variants_numbers_and_lifts(
    history_engine: Engine, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Run with a stand-in for pandas, which is no dependency: the query and its columns are what can break."""
    HistoryWriter(history_engine, SETTINGS).write([VARIANT, LIFT])
    pandas = SimpleNamespace(DataFrame=lambda rows, columns: (rows, columns))
    monkeypatch.setitem(sys.modules, "pandas", pandas)
    names: dict[str, Any] = {"address": postgres_url.replace("postgresql+psycopg://", "postgresql://")}
    for example in examples("python"):
        exec(example, names)
    rows, columns = names["frame"]
    assert columns == ["time", "version", "value", "lower", "upper", "samples"]
    assert [row[1:] for row in rows] == [("2", 0.1, 0.0, 0.2, 9)]
    rows, columns = names["lifts"]
    assert columns == ["time", "arm", "metric", "value", "lower", "upper", "p_adjusted", "guardrail"]
    assert [row[1:] for row in rows] == [("treatment", "ctr", 0.1, 0.07, 0.13, 2e-4, "holds")]


def test_the_panels_query_gives_the_last_row_of_each_step(history_engine: Engine) -> None:
    """Oracle: a dictionary by step, over uneven rows with a hole, of two variants."""
    length, steps = 300 * 7 * 60_000, 300
    ends = [k * 60_000 for k in (1, 7, 8, 13, 14, 15, 1000, 1001, 2093, 2094, 2100)]
    rows = [
        msgspec.structs.replace(VARIANT, bucket_end=AT + end, subject=name, value=float(end))
        for end in ends
        for name in ("title", "picture", "other")
    ]
    HistoryWriter(history_engine, SETTINGS).write(rows)
    [query] = examples("sql")
    for macro, time in (("$__timeFrom()", AT), ("$__timeTo()", AT + length)):
        query = query.replace(macro, f"'{to_datetime(time).isoformat()}'")
    with history_engine.connect() as connection:
        found = {(row.subject, to_milliseconds(row.time) - AT) for row in connection.exec_driver_sql(query)}
    last = {-(-end * steps // length): end for end in sorted(ends)}
    assert found == {(name, end) for end in last.values() for name in ("title", "picture")}
