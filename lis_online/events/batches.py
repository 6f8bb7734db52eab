"""Columns of slates, pairs and vectors: what travels in the rank log.

A batch is a struct of arrays. Per-item and per-history columns are ragged: slate k owns the
`n_items[k]` items that follow those of the slates before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Final, Self

import msgspec
import numpy as np

from lis_online.errors import BlockError

_NARROW: Final[dict[str, type[np.generic]]] = {
    "source": np.int16,
    "weight": np.int32,
    "vector": np.float16,
    "surface": np.int16,
    "arm": np.int16,
    "n_items": np.int32,
    "n_history": np.int32,
    "label": np.uint8,
    "position": np.int16,
}
"""Columns, of any batch, that are not int64."""

_WIDE: Final = ("vector", "arm")
"""Columns that have a second axis."""


def pack(columns: dict[str, np.ndarray]) -> bytes:
    """Return named arrays as msgpack: name -> (dtype, shape, little-endian bytes)."""
    return msgspec.msgpack.encode(
        {name: (a.dtype.str, a.shape, np.ascontiguousarray(a).tobytes()) for name, a in columns.items()}
    )


def unpack(data: bytes) -> dict[str, np.ndarray]:
    """Return the arrays of `pack`. Raises BlockError where they are not such."""
    try:
        raw = msgspec.msgpack.decode(data, type=dict[str, tuple[str, list[int], bytes]])
        return {name: np.frombuffer(b, np.dtype(d)).reshape(shape) for name, (d, shape, b) in raw.items()}
    except (ValueError, TypeError, OverflowError, SyntaxError, RecursionError) as exc:  # numpy parses a dtype's text
        raise BlockError(f"columns cannot be read: {exc}") from exc


@dataclass(slots=True)
class Columns:
    """A struct of arrays whose first axis counts rows, and its bytes."""

    def columns(self) -> dict[str, np.ndarray]:
        """Return the arrays by name."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    def encode(self) -> bytes:
        """Return the batch as bytes for `decode`."""
        return pack(self.columns())

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Return the batch of `encode`. Raises BlockError on other bytes or another version."""
        columns = unpack(data)
        if set(columns) != {f.name for f in fields(cls)}:
            raise BlockError(f"{cls.__name__} has columns {sorted(columns)}")
        batch = cls(**columns)
        batch._check()
        return batch

    def _check(self) -> None:
        """Raise BlockError where a column has another type, or another length than its rows."""
        lengths = self._lengths()
        for name, column in self.columns().items():
            dtype, ndim = np.dtype(_NARROW.get(name, np.int64)), 2 if name in _WIDE else 1
            if column.dtype != dtype or column.ndim != ndim:
                raise BlockError(
                    f"{type(self).__name__}.{name} must be {dtype} in {ndim} dimension(s), "
                    f"got {column.dtype} in {column.ndim}"
                )
            wanted = lengths.get(name, len(self))
            if len(column) != wanted:
                raise BlockError(f"{type(self).__name__}.{name} must have {wanted} rows, got {len(column)}")

    def _lengths(self) -> dict[str, int]:
        """Return the rows of the columns that have others than the batch."""
        return {}

    def __len__(self) -> int:
        return len(getattr(self, fields(self)[0].name))


@dataclass(slots=True)
class PairBatch(Columns):
    """Pairs of preference sources, one row each.

    source: index in the settings' order; item_a, item_b, user: id hashes (user 0: none);
    click: what the pair came from (pairs of one click share it); weight >= 1; ts in ms.
    """

    ts: np.ndarray  # int64
    source: np.ndarray  # int16
    item_a: np.ndarray  # int64
    item_b: np.ndarray  # int64
    user: np.ndarray  # int64
    click: np.ndarray  # int64
    weight: np.ndarray  # int32

    def take(self, rows: np.ndarray | slice) -> PairBatch:
        """Return some rows, in the order asked for."""
        return PairBatch(**{name: column[rows] for name, column in self.columns().items()})

    @classmethod
    def empty(cls) -> PairBatch:
        """Return no rows."""
        i64 = np.zeros(0, np.int64)
        return cls(i64, np.zeros(0, np.int16), i64, i64, i64, i64, np.zeros(0, np.int32))

    @classmethod
    def concatenate(cls, batches: Sequence[PairBatch]) -> PairBatch:
        """Return all rows, batch after batch."""
        if not batches:
            return cls.empty()
        return cls(*(np.concatenate([getattr(b, f.name) for b in batches]) for f in fields(cls)))


@dataclass(slots=True)
class VectorBatch(Columns):
    """Vectors of one variant, one row each.

    ts in ms; item: id hash; version: id hash of the version's name;
    vector: float16 [rows, dimension].
    """

    ts: np.ndarray  # int64
    item: np.ndarray  # int64
    version: np.ndarray  # int64
    vector: np.ndarray  # float16 [rows, dimension]

    def take(self, rows: np.ndarray | slice) -> VectorBatch:
        """Return some rows, in the order asked for."""
        return VectorBatch(**{name: column[rows] for name, column in self.columns().items()})

    @classmethod
    def concatenate(cls, batches: Sequence[VectorBatch]) -> VectorBatch:
        """Return all rows, batch after batch; at least one batch."""
        return cls(*(np.concatenate([getattr(b, f.name) for b in batches]) for f in fields(cls)))


_PER_ITEM = ("item", "label", "delay", "position", "author", "category", "age")
_PER_HISTORY = ("history", "history_age")


@dataclass(slots=True)
class SlateBatch(Columns):
    """Labelled slates: one row per slate, ragged columns per item and per history entry.

    ts: time of the impression, ms; request, user: id hashes; surface: index in the settings'
    order, or their number for a surface that is not among them; arm: int16 [slates, experiments],
    index of the arm, -1 where the impression carries none.
    Per item: item, author, category: id hashes (0: none); label: 0 or 1; delay: ms from impression to the label
    action, -1 without one; position; age: ms since the item was created, -1 unknown.
    Per history entry, oldest first: history: id hash; history_age: ms before ts, -1 unknown.
    """

    ts: np.ndarray  # int64 [slates]
    request: np.ndarray  # int64 [slates]
    user: np.ndarray  # int64 [slates]
    surface: np.ndarray  # int16 [slates]
    arm: np.ndarray  # int16 [slates, experiments]
    n_items: np.ndarray  # int32 [slates]
    n_history: np.ndarray  # int32 [slates]
    item: np.ndarray  # int64 [items]
    label: np.ndarray  # uint8 [items]
    delay: np.ndarray  # int64 [items]
    position: np.ndarray  # int16 [items]
    author: np.ndarray  # int64 [items]
    category: np.ndarray  # int64 [items]
    age: np.ndarray  # int64 [items]
    history: np.ndarray  # int64 [history entries]
    history_age: np.ndarray  # int64 [history entries]

    def take(self, rows: np.ndarray) -> SlateBatch:
        """Return some slates with their items and histories, in the order asked for."""
        items = ragged_rows(self.n_items, rows)
        entries = ragged_rows(self.n_history, rows)
        index: dict[str, Any] = dict.fromkeys(_PER_ITEM, items) | dict.fromkeys(_PER_HISTORY, entries)
        return SlateBatch(**{name: column[index.get(name, rows)] for name, column in self.columns().items()})

    def _lengths(self) -> dict[str, int]:
        items, entries = (int(counts.sum(dtype=np.int64)) for counts in (self.n_items, self.n_history))
        if min(self.n_items.min(initial=0), self.n_history.min(initial=0)) < 0:
            raise BlockError("SlateBatch.n_items and n_history must be >= 0")
        return dict.fromkeys(_PER_ITEM, items) | dict.fromkeys(_PER_HISTORY, entries)

    @classmethod
    def empty(cls, experiments: int) -> SlateBatch:
        """Return no slates."""
        columns = {f.name: np.zeros(0, _NARROW.get(f.name, np.int64)) for f in fields(cls)}
        return cls(**{**columns, "arm": np.zeros((0, experiments), np.int16)})

    @classmethod
    def concatenate(cls, batches: Sequence[SlateBatch]) -> SlateBatch:
        """Return all slates, batch after batch; at least one batch."""
        return cls(*(np.concatenate([getattr(b, f.name) for b in batches]) for f in fields(cls)))


def ragged_rows(counts: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return the positions, in a ragged column, of the entries of some rows.

    >>> ragged_rows(np.array([2, 1, 3]), np.array([2, 0])).tolist()
    [3, 4, 5, 0, 1]
    """
    starts = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])[:-1]
    taken = counts[rows].astype(np.int64)
    total = int(taken.sum())
    ends = np.cumsum(taken)
    positions: np.ndarray = np.arange(total) + np.repeat(starts[rows] - (ends - taken), taken)
    return positions
