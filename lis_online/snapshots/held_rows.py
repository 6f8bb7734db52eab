"""Rows of arrays as they were at one moment, copied in steps while their owner goes on writing to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from lis_online.pages import zeros
from lis_online.snapshots.steps import Steps

if TYPE_CHECKING:
    from torch import Tensor

PIECE: Final = 1 << 20
"""Bytes that are copied in a step: 1 MiB, a part of a millisecond."""


class HeldRows:
    """The rows of arrays that are written together, as they are when this is made.

    Whoever writes to a row says so first (`keep`): a row that was not copied yet is then set aside. An array that its
    owner replaces by another one stays as it is, and needs nothing. sources: of one number of rows; on any device.

    >>> from lis_online.snapshots.steps import at_once
    >>> table = np.zeros(3)
    >>> held = HeldRows(table)
    >>> held.keep(np.array([1]))
    >>> table[1] = 7
    >>> at_once(held.copying())[0].tolist()
    [0.0, 0.0, 0.0]
    """

    def __init__(self, *sources: np.ndarray | Tensor) -> None:
        self._sources = [_viewed(source) for source in sources]
        self._rows = len(sources[0])
        self._copied = 0
        self._is_aside = np.zeros(self._rows, bool)
        self._aside: list[tuple[np.ndarray, list[np.ndarray | Tensor]]] = []

    def keep(self, rows: np.ndarray) -> None:
        """Set rows aside before they change. rows: int64, in any order, also twice; new ones are passed over."""
        rows = rows[(rows >= self._copied) & (rows < self._rows)]
        rows = np.unique(rows[~self._is_aside[rows]])
        if len(rows):
            self._is_aside[rows] = True
            self._aside.append((rows, [source[rows] for source in self._sources]))

    def copying(self) -> Steps[list[np.ndarray]]:
        """Return the arrays as they were, C-contiguous and in plain memory."""
        found = [zeros(tuple(source.shape), _plain(source[:0]).dtype) for source in self._sources]
        together = max(1, PIECE // max(1, sum(array[:1].nbytes for array in found)))
        for first in range(0, self._rows, together):
            last = min(self._rows, first + together)
            for array, source in zip(found, self._sources, strict=True):
                array[first:last] = _plain(source[first:last])
            self._copied = last
            yield
        for rows, values in self._aside:
            for array, value in zip(found, values, strict=True):
                array[rows] = _plain(value)
            yield
        return found


def _viewed(source: np.ndarray | Tensor) -> np.ndarray | Tensor:
    """Return an array that shares its memory, where it lies in plain memory: torch takes longer over small pieces."""
    if isinstance(source, np.ndarray) or source.device.type != "cpu":
        return source
    view: np.ndarray = source.detach().numpy()
    return view


def _plain(source: np.ndarray | Tensor) -> np.ndarray:
    if isinstance(source, np.ndarray):
        return source
    array: np.ndarray = source.detach().cpu().numpy()
    return array
