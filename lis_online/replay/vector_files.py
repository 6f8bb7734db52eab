"""Files of vectors: NumPy's .npz, Parquet, safetensors and JSON lines, as one table of ids and vectors."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

import msgspec
import numpy as np

from lis_online.errors import ReplayError
from lis_online.files import check_readable, unreadable

IDS: Final = "item_id"
VECTORS: Final = "vector"

FLOATS: Final = {"F16": "<f2", "F32": "<f4", "F64": "<f8"}
WHOLE: Final = {
    "I8": "<i1",
    "I16": "<i2",
    "I32": "<i4",
    "I64": "<i8",
    "U8": "<u1",
    "U16": "<u2",
    "U32": "<u4",
    "U64": "<u8",
}
BFLOAT16: Final = "BF16"
"""The upper half of a float32: what language models are trained in, and what NumPy does not have."""


@dataclass(frozen=True, slots=True)
class Table:
    """What a file says, unchecked. item_id: text [rows]; vector: floats [rows, dimension], dimension >= 1.

    path, ids, vectors: the file's name and the names of the two columns, for errors.
    """

    path: str
    ids: str
    vectors: str
    item_id: np.ndarray
    vector: np.ndarray


def read_table(path: str | Path, ids: str = IDS, vectors: str = VECTORS) -> Table:
    """Return the ids and vectors of a file, whose kind its name tells. Ids that are whole numbers become decimal text.

    .npz: arrays `ids` (text or whole numbers) and `vectors` (items x dimension).
    .parquet: columns of those names; a vector is a list of numbers.
    .safetensors: tensors `ids` (whole numbers) and `vectors`, bfloat16 too; text ids stand in the metadata
    under the name `ids`, as a JSON list.
    .jsonl, .jsonl.gz: objects with the keys `ids` and `vectors`.

    Raises ReplayError where the file is missing, damaged, or has no such columns.
    """
    name = str(path)
    reader = next((found for ending, found in READERS.items() if name.endswith(ending)), None)
    if reader is None:
        raise ReplayError(f"{name}: must end with one of {', '.join(READERS)}")
    check_readable(name)
    item_id, vector = reader(name, ids, vectors)
    if item_id.dtype.kind in "iu":
        item_id = item_id.astype(str)
    if item_id.dtype.kind != "U" or vector.dtype.kind != "f":
        raise ReplayError(f"{name}: {ids} must be text and {vectors} floats, got {item_id.dtype} and {vector.dtype}")
    if vector.ndim != 2 or vector.shape[0] != len(item_id) or item_id.ndim != 1 or not vector.shape[1]:
        raise ReplayError(f"{name}: {vectors} must be items x dimension, got {vector.shape} for {item_id.shape} items")
    return Table(name, ids, vectors, item_id, vector)


def _npz(name: str, ids: str, vectors: str) -> tuple[np.ndarray, np.ndarray]:
    try:
        with Path(name).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            if not {ids, vectors} <= set(arrays.files):
                raise ReplayError(f"{name}: must hold the arrays {ids} and {vectors}, got {sorted(arrays.files)}")
            return arrays[ids], arrays[vectors]
    except (OSError, ValueError, EOFError, AttributeError, zipfile.BadZipFile) as exc:
        raise ReplayError(f"{name}: is not an .npz file of plain arrays: {exc}") from exc


def _parquet(name: str, ids: str, vectors: str) -> tuple[np.ndarray, np.ndarray]:
    try:
        import pyarrow as arrow
        import pyarrow.parquet as parquet
    except ImportError as exc:
        raise ReplayError(f"{name}: reading Parquet needs pyarrow: pip install 'lis-online[parquet]'") from exc
    try:
        with parquet.ParquetFile(name) as file:
            columns = file.schema_arrow.names
            if not {ids, vectors} <= set(columns):
                raise ReplayError(f"{name}: must have the columns {ids} and {vectors}, got {columns}")
            table = file.read([ids, vectors])
        return _plain_ids(name, ids, table.column(ids)), _lists(name, vectors, table.column(vectors))
    except (OSError, arrow.ArrowException, ValueError) as exc:  # ValueError: text that is not UTF-8
        raise ReplayError(f"{name}: is not Parquet of ids and lists of numbers: {exc}") from exc


def _plain_ids(name: str, ids: str, column: Any) -> np.ndarray:
    if column.null_count:
        raise ReplayError(f"{name}: {ids} must not be null, got {column.null_count} that are")
    found = column.to_pylist()
    return np.array(found) if found else np.zeros(0, np.str_)


def _lists(name: str, vectors: str, column: Any) -> np.ndarray:
    """Return a column of lists as floats [rows, dimension], without a Python object for each number."""
    from pyarrow.compute import list_value_length

    if column.null_count or not len(column):
        raise ReplayError(
            f"{name}: {vectors} must have a list in every row, got {column.null_count} null of {len(column)}"
        )
    lengths: np.ndarray = list_value_length(column).to_numpy()
    _check_lengths(name, vectors, lengths, int(lengths[0]))
    values = column.combine_chunks().flatten()
    if values.null_count:
        raise ReplayError(f"{name}: {vectors} must hold numbers alone, got {values.null_count} null")
    flat: np.ndarray = values.to_numpy(zero_copy_only=False)
    return flat.reshape(len(column), -1)


def _safetensors(name: str, ids: str, vectors: str) -> tuple[np.ndarray, np.ndarray]:
    try:
        from safetensors import SafetensorError, deserialize, safe_open
    except ImportError as exc:
        raise ReplayError(f"{name}: reading safetensors needs it: pip install 'lis-online[safetensors]'") from exc
    try:
        with safe_open(name, "np") as file:
            metadata = file.metadata() or {}
        tensors = dict(deserialize(Path(name).read_bytes()))  # type: ignore[no-untyped-call] # it has no types
    except (OSError, SafetensorError) as exc:
        raise ReplayError(f"{name}: is not a safetensors file: {exc}") from exc
    if vectors not in tensors or (ids not in tensors and ids not in metadata):
        raise ReplayError(
            f"{name}: must hold a tensor {vectors} and the ids as a tensor {ids} or in the metadata, "
            f"got {sorted(tensors)} and metadata {sorted(metadata)}"
        )
    item_id = _tensor(name, ids, tensors[ids], WHOLE) if ids in tensors else _listed(name, ids, metadata[ids])
    return item_id, _tensor(name, vectors, tensors[vectors], FLOATS)


def _tensor(name: str, key: str, tensor: dict[str, Any], kinds: dict[str, str]) -> np.ndarray:
    data, shape, dtype = tensor["data"], tensor["shape"], tensor["dtype"]
    if dtype == BFLOAT16 and kinds is FLOATS:
        wide = np.frombuffer(data, "<u2").astype("<u4") << 16
        return wide.view("<f4").reshape(shape)
    if dtype not in kinds:
        known = [*kinds, *([BFLOAT16] if kinds is FLOATS else [])]
        raise ReplayError(f"{name}: {key} must be of one of {', '.join(known)}, got {dtype}")
    return np.frombuffer(data, kinds[dtype]).reshape(shape)


def _listed(name: str, ids: str, text: str) -> np.ndarray:
    try:
        found = msgspec.json.decode(text, type=list[str])
    except (ValueError, RecursionError) as exc:
        raise ReplayError(f"{name}: {ids} in the metadata must be a JSON list of text: {exc}") from exc
    return np.array(found) if found else np.zeros(0, np.str_)


def _json_lines(name: str, ids: str, vectors: str) -> tuple[np.ndarray, np.ndarray]:
    fields: list[Any] = [("ids", str | int), ("vectors", list[float])]
    decoder = msgspec.json.Decoder(msgspec.defstruct("Line", fields, rename={"ids": ids, "vectors": vectors}))
    item_id: list[str] = []
    found: list[np.ndarray] = []
    for number, text in _lines(name):
        try:
            row: Any = decoder.decode(text)
        except (ValueError, RecursionError) as exc:
            raise ReplayError(
                f"{name}, line {number}: must have {ids} and {vectors}, a list of numbers: {exc}"
            ) from exc
        item_id.append(str(row.ids))
        found.append(np.array(row.vectors, np.float32))
    if not found:
        raise ReplayError(f"{name}: holds no vectors")
    _check_lengths(name, vectors, np.array([len(vector) for vector in found]), len(found[0]))
    return np.array(item_id), np.stack(found)


def _lines(name: str) -> Iterator[tuple[int, bytes]]:
    try:
        with _open(name) as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield number, line
    except (OSError, EOFError) as exc:
        raise unreadable(name, exc) from exc


def _open(name: str) -> BinaryIO:
    return cast(BinaryIO, gzip.open(name, "rb")) if name.endswith(".gz") else Path(name).open("rb")


def _check_lengths(name: str, vectors: str, lengths: np.ndarray, side: int) -> None:
    other = np.flatnonzero(lengths != side)
    if len(other):
        raise ReplayError(
            f"{name}: {vectors} must all have one dimension, got {side} in row 0 and {lengths[other[0]]} in row "
            f"{other[0]}"
        )


Reader = Callable[[str, str, str], tuple[np.ndarray, np.ndarray]]

READERS: Final[dict[str, Reader]] = {
    ".npz": _npz,
    ".parquet": _parquet,
    ".safetensors": _safetensors,
    ".jsonl": _json_lines,
    ".jsonl.gz": _json_lines,
}
"""How a file's name ends, and what reads it."""
