"""Hostile input, a few thousand times; `make fuzz` does it by the million."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import settings as tries
from hypothesis import strategies as st

from fuzz.hostile import LARGE, NOW, SCALARS, TOPICS, Hostile
from fuzz.targets import DECODERS, SETTINGS, TARGETS
from lis_online.errors import EventRefused, ReplayError
from lis_online.events.dead_letters import KEPT_BYTES
from lis_online.events.decode import MAX_BYTES
from lis_online.events.recorded_log import read
from lis_online.records import Record
from lis_online.shards.join import JoinShard

SEEDS = st.integers(0, 2**64 - 1)


@pytest.mark.parametrize("name", TARGETS)
@tries(max_examples=250)
@given(SEEDS, st.binary(max_size=100))
def test_a_target_holds(name: str, seed: int, data: bytes) -> None:
    """Decoders refuse or decode; shards, logs and settings do as `fuzz/targets.py` says."""
    TARGETS[name](Random(seed), data)


@pytest.mark.parametrize("topic", TOPICS)
def test_every_field_refuses_or_takes_every_hostile_value(topic: str) -> None:
    """All of them, not a sample: each value in each field's place, the large ones too."""
    import msgspec

    fields = {name: msgspec.json.encode(value) for name, value in Hostile(Random(1)).good(topic).items()}
    values = [*SCALARS, *(make() for make in LARGE)]
    refused = 0
    for name in fields:
        for value in values:
            pairs = [b'"%b":%b' % (key.encode(), value if key == name else raw) for key, raw in fields.items()]
            try:
                DECODERS[topic](b"{" + b",".join(pairs) + b"}")
            except EventRefused as exc:
                assert len(exc.detail) < 1000
                refused += 1
    assert refused > 0.7 * len(values) * len(fields)


def test_a_record_of_fifty_megabytes_costs_no_memory() -> None:
    """It is refused by its length: nothing of it is parsed, and of its bytes and key the first are kept."""
    join = JoinShard(SETTINGS, 0)
    values = [b"[" * 50_000_000, b'"' + b"\xff" * 50_000_000]
    records = [Record(topic, 0, offset, NOW, value, value) for topic in TOPICS for offset, value in enumerate(values)]
    tracemalloc.start()
    try:
        sent = join.feed(records)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    letters = [out for out in sent if out.topic == "dead_letters"]
    assert {dict(out.headers)["reason"] for out in letters} == {b"too_large"} and len(letters) == 8
    assert peak < 10 * KEPT_BYTES


@pytest.mark.parametrize("make", LARGE)
def test_what_is_just_not_too_large_takes_a_bounded_multiple_of_memory(make: object) -> None:
    """Nesting, lists and ids of a mebibyte: what is built of a record stays in proportion to it."""
    assert callable(make)
    value = b'{"schema_version":1,"new":' + make()[: MAX_BYTES - 30] + b"}"
    for topic in TOPICS:
        tracemalloc.start()
        try:
            with pytest.raises(EventRefused):
                DECODERS[topic](value)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < 20 * MAX_BYTES


@tries(max_examples=100)
@given(SEEDS)
def test_parquet_that_is_none_is_refused_in_a_sentence(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    """A few bytes changed anywhere in a file: its records, or one ReplayError."""
    import pyarrow
    import pyarrow.parquet

    hostile = Hostile(Random(seed))
    table = pyarrow.table({"topic": ["feedback"] * 20, "value": ['{"a":1}', None] * 10})
    sink = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(table, sink)
    path = tmp_path_factory.mktemp("parquet") / "log.parquet"
    path.write_bytes(hostile.changed(sink.getvalue().to_pybytes()))
    try:
        for topic, value in read(path):
            assert topic in TOPICS and (value is None or isinstance(value, bytes))
    except ReplayError as exc:
        assert str(path) in str(exc)


@pytest.mark.parametrize(
    "columns",
    [
        {"topic": [1, 2], "value": ["{}", "{}"]},
        {"topic": ["feedback"], "value": [5]},
        {"topic": ["feedback"], "value": [{"a": 1}]},
        {"topic": [None], "value": ["{}"]},
        {"topic": ["feedback"], "value": [[1.5]]},
    ],
)
def test_parquet_of_other_columns_is_refused_in_a_sentence(tmp_path: Path, columns: dict[str, list[object]]) -> None:
    """A value that is no text or bytes is not handed on as if it were a record."""
    import pyarrow
    import pyarrow.parquet

    path = tmp_path / "log.parquet"
    pyarrow.parquet.write_table(pyarrow.table(columns), path)
    with pytest.raises(ReplayError, match=r"log\.parquet"):
        list(read(path))
