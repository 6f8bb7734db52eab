"""The additive statistics of a bucket of time: whole numbers alone.

They add in any order, subtract exactly and merge across shards and buckets; every number that
is published comes from a sum of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec
import numpy as np

from lis_online.errors import BlockError
from lis_online.metrics.bins import COARSE, COARSE_PLACES, FINE, GROUPS, USER_CELLS
from lis_online.metrics.layout import Layout
from lis_online.metrics.scored import Scored
from lis_online.metrics.sparse import add_counts, decode_counts, encode_counts

VERSION: Final = 2
GAUC, LOG_LOSS, PREDICTED = 0, 1, 2
SAMPLES, POSITIVES, SLATES, MIXED = 0, 1, 2, 3
"""Columns of `counts`; MIXED: slates with both labels."""
COVERED, FALSE_COVER = 0, 1
_HISTOGRAMS: Final = ("fine", "fine_places", "coarse", "coarse_places")
_ARRAYS: Final = (*_HISTOGRAMS, "sums", "counts", "users", "cover", "vectors", "left_out")
_BY_RANKER: Final = (*_HISTOGRAMS, "sums")
_INT32_MAX = np.iinfo(np.int32).max


class Statistics:
    """Counts of one bucket, or of any sum of buckets, over S slices and R rankers.

    fine: logit histogram, [S, R, 2 labels, FINE]; coarse: the same per user group, [S, R, GROUPS, 2, COARSE];
    fine_places, coarse_places: for each bin the sum of its samples' places in it, 0 to FINE_PLACES - 1 and to
    COARSE_PLACES - 1 (all int32 until a bin could pass it, then int64).
    sums: int64 [S, R, GROUPS, 3] in fixed point: within-slate AUC, log loss, predicted probability.
    counts: int64 [S, GROUPS, 4]: samples, positives, slates, slates with both labels.
    users: int64 [S, USER_CELLS]: samples of each cell of users.
    cover: int64 [S, sources, 2]: samples that look covered; in fixed point, how many of them are expected to by
    collision alone. vectors: int64 [S, variants]: samples with vectors.
    left_out: int64 [2]: samples and slates beyond a user's cap, which are in nothing else here.

    >>> from lis_online.settings import Settings
    >>> Statistics(Layout.of(Settings.of({}))).samples
    0
    """

    __slots__ = (
        "coarse", "coarse_places", "counts", "cover", "fine", "fine_places", "layout", "left_out", "sums", "users",
        "vectors",
    )  # fmt: skip

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        slices, rankers = len(layout.slices), len(layout.rankers)
        self.fine = np.zeros((slices, rankers, 2, FINE), np.int32)
        self.fine_places = np.zeros_like(self.fine)
        self.coarse = np.zeros((slices, rankers, GROUPS, 2, COARSE), np.int32)
        self.coarse_places = np.zeros_like(self.coarse)
        self.sums = np.zeros((slices, rankers, GROUPS, 3), np.int64)
        self.counts = np.zeros((slices, GROUPS, 4), np.int64)
        self.users = np.zeros((slices, USER_CELLS), np.int64)
        self.cover = np.zeros((slices, len(layout.sources), 2), np.int64)
        self.vectors = np.zeros((slices, len(layout.variants)), np.int64)
        self.left_out = np.zeros(2, np.int64)

    @property
    def samples(self) -> int:
        """How many samples are in the slice "all"."""
        return int(self.counts[0, :, SAMPLES].sum())

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays by name, in the order they are written."""
        return {name: getattr(self, name) for name in _ARRAYS}

    def update(self, scored: Scored) -> None:
        """Add a batch of whole slates."""
        from lis_online.metrics.tally import add  # here: publish reads statistics on machines without numba

        scored.check(self.layout)
        self.widen(self.samples + len(scored.label))
        add(self.arrays(), scored)

    def leave_out(self, samples: int, slates: int) -> None:
        """Count what a user's cap kept out."""
        self.left_out += (samples, slates)

    def merge(self, other: Statistics) -> None:
        """Add another's counts."""
        self.widen(self.samples + other.samples)
        for mine, others in zip(self.arrays().values(), other.arrays().values(), strict=True):
            mine += others

    def subtract(self, other: Statistics) -> None:
        """Take back counts that were merged before: exact."""
        for mine, others in zip(self.arrays().values(), other.arrays().values(), strict=True):
            mine -= others

    def encode(self) -> bytes:
        """Return compressed bytes for `decode`."""
        body = {name: encode_counts(array) for name, array in self.arrays().items()}
        return msgspec.msgpack.encode({"version": VERSION, "axes": _axes(self.layout), "arrays": body})

    @classmethod
    def decode(cls, layout: Layout, data: bytes) -> Statistics:
        """Return the statistics of `encode`, with zeros for slots of variants that were not in use then.

        Raises BlockError on other bytes or another layout.
        """
        return cls.sum_of(layout, [data])

    @classmethod
    def sum_of(cls, layout: Layout, encoded: Iterable[bytes]) -> Statistics:
        """Return the sum of several statistics' bytes: `decode` and `merge`, in less time.

        Raises BlockError as `decode`.
        """
        sums: dict[tuple[int, ...], Statistics] = {}
        for data in encoded:
            table, slots = _opened(layout, data)
            if tuple(slots) not in sums:
                sums[tuple(slots)] = cls(layout.take(slots))
            part = sums[tuple(slots)]
            counts = decode_counts(table.arrays["counts"], part.counts.size).reshape(part.counts.shape)
            part.widen(part.samples + int(counts[0, :, SAMPLES].sum()))
            for name, array in part.arrays().items():
                add_counts(array.reshape(-1), table.arrays[name])
        everywhere = sums.pop(tuple(range(len(layout.variants))), None)
        total = cls(layout) if everywhere is None else everywhere
        for held, part in sums.items():
            total.widen(total.samples + part.samples)
            index = _index(layout, list(held))
            for name, array in total.arrays().items():
                array[(slice(None), index[name]) if name in index else ...] += getattr(part, name)
        return total

    def take(self, slots: list[int]) -> Statistics:
        """Return the counts of some slots of variants alone, ascending, and of all that is not a variant's."""
        if len(slots) == len(self.layout.variants):
            return self
        taken = Statistics.__new__(Statistics)
        taken.layout = self.layout.take(slots)
        index = _index(self.layout, slots)
        for name, array in self.arrays().items():
            setattr(taken, name, array[:, index[name]] if name in index else array)
        return taken

    def widen(self, samples: int) -> None:
        """Make room for bins that may hold as many samples: no bin holds more than there are."""
        if samples > _INT32_MAX // COARSE_PLACES and self.fine.dtype == np.int32:
            for name in _HISTOGRAMS:
                setattr(self, name, getattr(self, name).astype(np.int64))


def _index(layout: Layout, slots: list[int]) -> dict[str, list[int]]:
    """Return what some slots own of the second axis, of the arrays where that is rankers or slots."""
    if len(slots) == len(layout.variants):
        return {}
    return dict.fromkeys(_BY_RANKER, layout.places(slots)) | {"vectors": slots}


class _Encoded(msgspec.Struct):
    version: int
    axes: list[Any]
    arrays: dict[str, bytes]


def axes_of(data: bytes) -> list[list[str]]:
    """Return the names of rankers, slices, sources and slots in the bytes of statistics. Raises BlockError."""
    table = _table(data)
    if len(table.axes) != 4 or not all(isinstance(names, list) for names in table.axes):
        raise BlockError(f"statistics have the axes {table.axes}")
    return table.axes


def _opened(layout: Layout, data: bytes) -> tuple[_Encoded, list[int]]:
    """Return the table of `encode` and the slots of the layout that were in use."""
    table = _table(data)
    present = table.axes[-1] if table.axes and isinstance(table.axes[-1], list) else []
    slots = [slot for slot, name in enumerate(layout.variants) if name in present]
    if table.axes != _axes(layout.take(slots)):
        raise BlockError(f"statistics have the axes {table.axes}, the settings ask for {_axes(layout)}")
    if set(table.arrays) != set(_ARRAYS):
        raise BlockError(f"statistics have the arrays {sorted(table.arrays)}")
    return table, slots


def _table(data: bytes) -> _Encoded:
    try:
        table = msgspec.msgpack.decode(data, type=_Encoded)
    except (ValueError, RecursionError) as exc:
        raise BlockError(f"statistics cannot be read: {exc}") from exc
    if table.version != VERSION:
        raise BlockError(f"statistics have version {table.version}, this code reads {VERSION}")
    return table


def _axes(layout: Layout) -> list[Any]:
    return [list(names) for names in (layout.rankers, layout.slices, layout.sources, layout.variants)]
