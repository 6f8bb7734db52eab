"""Vectors of items from a file, as representation records."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from lis_online.errors import ReplayError
from lis_online.events.decode import MAX_ID
from lis_online.events.wire import SCHEMA_VERSION, PackedVector, Representation
from lis_online.replay.vector_files import IDS, VECTORS, Table, read_table

NAMED: Final = 5
"""So many of the rows that break a rule are named."""


@dataclass(frozen=True, slots=True)
class Vectors:
    """Vectors of items, each item once. item_id: text [items]; vector: float16 [items, dimension], finite."""

    item_id: np.ndarray
    vector: np.ndarray

    @property
    def dimension(self) -> int:
        """The length of a vector."""
        return int(self.vector.shape[1])

    def take(self, rows: np.ndarray) -> Vectors:
        """Return the vectors of some rows: whole numbers, or a mask."""
        return Vectors(self.item_id[rows], self.vector[rows])

    def records(self, variant: str, ts: int, version: str = "1") -> Iterator[tuple[str, bytes]]:
        """Yield one (topic, value) for each item, all valid from ts, ms since 1970."""
        encoder = msgspec.json.Encoder()
        for item, vector in zip(self.item_id.tolist(), self.vector, strict=True):
            packed = PackedVector("float16", b64encode(vector.tobytes()).decode())
            record = Representation(SCHEMA_VERSION, variant, version, item, ts, packed)
            yield "representations", encoder.encode(record)


def read_vectors(path: str | Path, ids: str = IDS, vectors: str = VECTORS) -> Vectors:
    """Return the vectors of a file; the kinds of files and the names in them are those of `vector_files.read_table`.

    Raises ReplayError where the file is missing, is not such, or breaks a rule of `checked`.
    """
    return checked(read_table(path, ids, vectors))


def checked(table: Table) -> Vectors:
    """Return the vectors of a table, of an item that is there more than once with the same vector the first.

    Raises ReplayError, naming the first five, where vectors are not finite as float16, ids are empty or too long, or
    an item is there with different vectors.
    """
    narrow = narrowed(table)
    bad = table.item_id[not_finite(narrow)]
    if len(bad):
        raise ReplayError(f"{table.path}: {table.vectors} must be finite as float16, got {_some(bad)} that are not")
    length = np.char.str_len(table.item_id)
    if (length == 0).any():
        raise ReplayError(f"{table.path}: {table.ids} must not be empty, row {np.flatnonzero(length == 0)[0]} is")
    if (length > MAX_ID).any():
        row = int(np.flatnonzero(length > MAX_ID)[0])
        raise ReplayError(
            f"{table.path}: {table.ids} must be at most {MAX_ID} characters, got {length[row]} in row {row}"
        )
    first, contradicting = repeated(table, narrow)
    if len(contradicting):
        raise ReplayError(
            f"{table.path}: each item must have one vector, got different ones for {_some(contradicting)}"
        )
    return Vectors(table.item_id, narrow).take(first)


def narrowed(table: Table) -> np.ndarray:
    """Return the vectors as they travel: float16, little endian; what is too large becomes infinite."""
    with np.errstate(over="ignore", invalid="ignore"):
        narrow: np.ndarray = table.vector.astype("<f2")
    return narrow


def not_finite(narrow: np.ndarray) -> np.ndarray:
    """Return the rows with a number that is not finite."""
    return np.flatnonzero(~np.isfinite(narrow).all(axis=1))


def repeated(table: Table, narrow: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the row of each item's first vector, in order, and the ids of items that have another one as well."""
    _, first, item = np.unique(table.item_id, return_index=True, return_inverse=True)
    origin = first[item]
    again = np.flatnonzero(origin != np.arange(len(origin)))
    different = again[(narrow[again].view("<u2") != narrow[origin[again]].view("<u2")).any(axis=1)]
    return np.sort(first), np.unique(table.item_id[different])


def _some(items: np.ndarray) -> str:
    return named(items.tolist())


def named(items: Sequence[str]) -> str:
    """Return how many items there are and the names of the first few.

    >>> named(["a", "b"]), named([f"i{n}" for n in range(7)])
    ('2 (a, b)', '7 (i0, i1, i2, i3, i4, ...)')
    """
    more = ", ..." if len(items) > NAMED else ""
    return f"{len(items):,} ({', '.join(item[:60] for item in items[:NAMED])}{more})"
