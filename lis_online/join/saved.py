"""Impressions as one array and back: a checkpoint holds hundreds of thousands of them."""

from __future__ import annotations

from array import array
from collections.abc import Iterable

import numpy as np

from lis_online.join.pending import EMPTY, Pending

_TIMED, _PLACED, _DESCRIBED, _ODD_ARM, _ODD_SURFACE = 1, 2, 4, 8, 16
"""Flags of an impression: it has times of its history, positions, authors and the like, an unknown arm or surface."""

_HEAD = 9
"""Numbers of an impression that are always there."""

_CODES = {
    "head": "q",
    "arms": "h",
    "counted": "h",
    "items": "q",
    "positions": "h",
    "authors": "q",
    "categories": "q",
    "ages": "q",
    "history": "q",
    "times": "q",
    "delays": "q",
}
"""The columns that are saved, one after the other."""

_WORD = 8  # bytes


def save(impressions: Iterable[Pending], delays: bool = True) -> np.ndarray:
    """Return impressions, in order: int64, the columns' sizes in bytes and the columns. delays: whether those too."""
    columns = {name: array(code) for name, code in _CODES.items()}
    for p in impressions:
        _append(columns, p, (p.delays or {}) if delays else {})
    sizes = array("q", [len(column) * column.itemsize for column in columns.values()])
    whole = b"".join(_padded(column.tobytes()) for column in (sizes, *columns.values()))
    return np.frombuffer(whole, np.int64)


def load(saved: np.ndarray, experiments: int) -> list[Pending]:
    """Return the impressions of `save`."""
    data, readers = saved.data.cast("B"), dict[str, _Reader]()
    at = _WORD * len(_CODES)
    for (name, code), size in zip(_CODES.items(), saved[: len(_CODES)].tolist(), strict=True):
        readers[name] = _Reader(array(code, bytes(data[at : at + size])))
        at += size + -size % _WORD
    return [_next(readers, experiments) for _ in range(readers["head"].count // _HEAD)]


class _Reader:
    """A column that is read piece by piece."""

    __slots__ = ("_at", "_column", "count")

    def __init__(self, column: array[int]) -> None:
        self.count = len(column)
        self._column = column
        self._at = 0

    def take(self, count: int) -> array[int]:
        start = self._at
        self._at = start + count
        return self._column[start : self._at]


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % _WORD)


def _append(columns: dict[str, array[int]], p: Pending, delays: dict[int, int]) -> None:
    flags = _ODD_ARM * p.odd_arm | _ODD_SURFACE * p.odd_surface
    columns["arms"].extend(p.arms)
    columns["counted"].extend(p.counted)
    columns["items"].extend(p.items)
    columns["history"].extend(p.history)
    if p.times:
        flags |= _TIMED
        columns["times"].extend(p.times)
    if p.positions is not None:
        flags |= _PLACED
        columns["positions"].extend(p.positions)
    if p.authors is not None and p.categories is not None and p.ages is not None:
        flags |= _DESCRIBED
        columns["authors"].extend(p.authors)
        columns["categories"].extend(p.categories)
        columns["ages"].extend(p.ages)
    for entry in delays.items():
        columns["delays"].extend(entry)
    head = (p.ts, p.request, p.user, p.surface, flags, len(p.items), len(p.history), len(delays), p.place)
    columns["head"].extend(head)


def _next(readers: dict[str, _Reader], experiments: int) -> Pending:
    ts, request, user, surface, flags, items, history, delays, place = readers["head"].take(_HEAD)
    p = Pending(ts, request, user, surface, readers["items"].take(items))
    p.arms, p.counted = (tuple(readers[name].take(experiments)) for name in ("arms", "counted"))
    p.place = place
    p.odd_arm, p.odd_surface = bool(flags & _ODD_ARM), bool(flags & _ODD_SURFACE)
    p.history = readers["history"].take(history)
    p.times = readers["times"].take(history) if flags & _TIMED else EMPTY
    if flags & _PLACED:
        p.positions = readers["positions"].take(items)
    if flags & _DESCRIBED:
        p.authors, p.categories, p.ages = (readers[name].take(items) for name in ("authors", "categories", "ages"))
    if delays:
        pairs = readers["delays"].take(2 * delays)
        p.delays = dict(zip(pairs[::2], pairs[1::2], strict=True))
    return p
