"""Vectors come in from every kind of file, and what breaks a rule is named."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
import torch
from safetensors.torch import save_file

from lis_online.errors import ReplayError
from lis_online.replay.vector_files import read_table
from lis_online.replay.vector_survey import Survey, shown_items
from lis_online.replay.vectors import read_vectors

ITEMS = ["i1", "i2", "ü3"]
NUMBERS = np.array([[1, -2.5], [0.125, 3], [64, 0]], np.float32)
"""Exact as float16 and as bfloat16."""


def npz(path: Path, items: list[Any], numbers: Any) -> None:
    """Write NumPy's own."""
    np.savez(path, item_id=np.array(items), vector=np.array(numbers))


def parquet(path: Path, items: list[Any], numbers: Any) -> None:
    """Write a column of lists."""
    pyarrow.parquet.write_table(
        pyarrow.table({"item_id": items, "vector": pyarrow.array([list(map(float, row)) for row in numbers])}), path
    )


def fixed_parquet(path: Path, items: list[Any], numbers: Any) -> None:
    """Write a column of lists of one length, as 16 bit floats, in several groups of rows."""
    with np.errstate(over="ignore"):
        flat = pyarrow.array(np.array(numbers, np.float32).astype(np.float16).ravel())
    column = pyarrow.FixedSizeListArray.from_arrays(flat, len(numbers[0]))
    pyarrow.parquet.write_table(pyarrow.table({"item_id": items, "vector": column}), path, row_group_size=2)


def bfloat16(path: Path, items: list[Any], numbers: Any) -> None:
    """Write what a language model gives, with text ids in the metadata."""
    save_file({"vector": torch.tensor(numbers, dtype=torch.bfloat16)}, path, metadata={"item_id": json.dumps(items)})


def json_lines(path: Path, items: list[Any], numbers: Any) -> None:
    """Write an object a line, with a key that nobody asked for."""
    rows = [
        {"item_id": item, "title": "x", "vector": list(map(float, row))}
        for item, row in zip(items, numbers, strict=True)
    ]
    text = "".join(json.dumps(row) + "\n" for row in rows).encode()
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)


Writer = Callable[[Path, list[Any], Any], None]
KINDS: list[tuple[str, Writer]] = [
    ("v.npz", npz),
    ("v.parquet", parquet),
    ("fixed.parquet", fixed_parquet),
    ("v.safetensors", bfloat16),
    ("v.jsonl", json_lines),
    ("v.jsonl.gz", json_lines),
]


@pytest.mark.parametrize(("name", "write"), KINDS, ids=[name for name, _ in KINDS])
def test_every_kind_of_file_gives_the_same_vectors(tmp_path: Path, name: str, write: Writer) -> None:
    """Ids as they are, numbers as float16."""
    write(tmp_path / name, ITEMS, NUMBERS.tolist())
    found = read_vectors(tmp_path / name)
    assert found.item_id.tolist() == ITEMS and found.vector.dtype == np.float16
    assert np.array_equal(found.vector, NUMBERS)


def test_whole_numbers_are_ids_of_every_kind_of_file(tmp_path: Path) -> None:
    """As decimal text, so that one item has one id whatever file it comes from."""
    for name, write in KINDS:
        if write is not bfloat16:
            write(tmp_path / name, [7, 2**53 + 1, 3], NUMBERS.tolist())
    save_file({"vector": torch.tensor(NUMBERS), "item_id": torch.tensor([7, 2**53 + 1, 3])}, tmp_path / "v.safetensors")
    for name, _ in KINDS:
        assert read_vectors(tmp_path / name).item_id.tolist() == ["7", "9007199254740993", "3"], name


def test_columns_may_have_other_names(tmp_path: Path) -> None:
    """A file of one's own is not rewritten for its names."""
    pyarrow.parquet.write_table(pyarrow.table({"sku": ["a"], "embedding": [[1.0, 2.0]]}), tmp_path / "v.parquet")
    (tmp_path / "v.jsonl").write_text('{"sku": "a", "embedding": [1, 2]}\n')
    for name in ("v.parquet", "v.jsonl"):
        assert read_vectors(tmp_path / name, "sku", "embedding").vector.tolist() == [[1, 2]]


@pytest.mark.parametrize(("name", "write"), KINDS, ids=[name for name, _ in KINDS])
def test_what_cannot_be_vectors_is_named(tmp_path: Path, name: str, write: Writer) -> None:
    """Whatever the file: rows that are not finite, contradictions, empty ids, a missing column, no such file."""
    path = tmp_path / name
    many = [f"i{n}" for n in range(8)]
    write(path, many, [[1e6, 2]] * 8)
    with pytest.raises(
        ReplayError, match=r"must be finite as float16, got 8 \(i0, i1, i2, i3, i4, \.\.\.\) that"
    ) as bad:
        read_vectors(path)
    assert str(bad.value).startswith(f"{path}: vector ")
    write(path, ["a", "b", "a"], [[1.0, 2.0], [1.0, 2.0], [1.0, 3.0]])
    with pytest.raises(ReplayError, match=r"each item must have one vector, got different ones for 1 \(a\)"):
        read_vectors(path)
    write(path, ["a", "b", "a"], [[1.0, 2.0], [1.0, 3.0], [1.0, 2.0]])
    assert read_vectors(path).item_id.tolist() == ["a", "b"]
    write(path, ["a", ""], [[1.0, 2.0], [1.0, 2.0]])
    with pytest.raises(ReplayError, match="item_id must not be empty, row 1 is"):
        read_vectors(path)
    write(path, ["a", "b" * 257], [[1.0, 2.0], [1.0, 2.0]])
    with pytest.raises(ReplayError, match="item_id must be at most 256 characters, got 257 in row 1"):
        read_vectors(path)
    with pytest.raises(ReplayError, match="embedding"):
        read_vectors(path, vectors="embedding")
    path.write_bytes(b"PK\x03\x04 no")
    with pytest.raises(ReplayError):
        read_vectors(path)
    path.unlink()
    with pytest.raises(ReplayError, match="No such file"):
        read_vectors(path)


def test_ragged_lists_and_unknown_endings_are_refused(tmp_path: Path) -> None:
    """The row is named; a kind of file is told by its name."""
    pyarrow.parquet.write_table(
        pyarrow.table({"item_id": ["a", "b"], "vector": [[1.0, 2.0], [1.0]]}), tmp_path / "v.parquet"
    )
    (tmp_path / "v.jsonl").write_text('{"item_id":"a","vector":[1,2]}\n{"item_id":"b","vector":[1]}\n')
    for name in ("v.parquet", "v.jsonl"):
        with pytest.raises(ReplayError, match="must all have one dimension, got 2 in row 0 and 1 in row 1"):
            read_vectors(tmp_path / name)
    with pytest.raises(ReplayError, match=r"must end with one of \.npz, \.parquet, \.safetensors, \.jsonl"):
        read_vectors(tmp_path / "v.csv")
    pyarrow.parquet.write_table(
        pyarrow.table({"item_id": ["a", None], "vector": [[1.0], [1.0]]}), tmp_path / "v.parquet"
    )
    with pytest.raises(ReplayError, match="item_id must not be null, got 1 that are"):
        read_vectors(tmp_path / "v.parquet")
    pyarrow.parquet.write_table(pyarrow.table({"item_id": ["a", "b"], "vector": [[1.0], None]}), tmp_path / "v.parquet")
    with pytest.raises(ReplayError, match="must have a list in every row, got 1 null of 2"):
        read_vectors(tmp_path / "v.parquet")
    pyarrow.parquet.write_table(pyarrow.table({"item_id": ["a"], "vector": [[1.0, None]]}), tmp_path / "v.parquet")
    with pytest.raises(ReplayError, match="must hold numbers alone, got 1 null"):
        read_vectors(tmp_path / "v.parquet")


def test_a_survey_counts_what_a_send_would_refuse(tmp_path: Path) -> None:
    """Norms of the finite rows; the log's items on both sides."""
    rows = [[3.0, 4.0], [0.0, 0.0], [1e9, 1.0], [3.0, 4.0], [6.0, 8.0]]
    npz(tmp_path / "v.npz", ["a", "zero", "huge", "a", "b"], rows)
    table = read_table(tmp_path / "v.npz")
    log: list[tuple[str, bytes | None]] = [
        ("impressions", b'{"items": ["a", "c", "b", "d"]}'),
        ("impressions", b"{"),
        ("impressions", None),
        ("feedback", b'{"items": ["e"]}'),
    ]
    survey = Survey.of(table, shown_items(log))
    assert survey.to_json() == {
        "rows": 5,
        "items": 4,
        "dimension": 2,
        "not_finite": 1,
        "contradicting": 0,
        "zero": 1,
        "norms": (0.0, 5.0, 10.0),
        "unknown": 2,
        "shown": 4,
        "without_vector": 2,
        "examples": {"not_finite": ["huge"], "unknown": ["huge", "zero"]},
    }
    assert Survey.of(table).unknown is None
