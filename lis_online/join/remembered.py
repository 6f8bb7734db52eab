"""Keys that were seen lately: how duplicates are known, in bounded memory."""

from __future__ import annotations

from array import array
from collections import deque
from typing import Final, Generic, TypeVar, cast

import numpy as np

from lis_online.snapshots.steps import Steps

Key = TypeVar("Key", int, tuple[int, int, int, int])

_ENTRIES: Final = 8192
"""Entries that are copied, and dropped, together."""

_NEVER: Final = 2**62


class Remembered(Generic[Key]):
    """A set of keys that forgets each one `memory` ms (event time) after it was added.

    Times never decrease from call to call. width: how many numbers of 64 bits a key is; a tuple where more than 1.

    >>> seen = Remembered[int](memory=10)
    >>> seen.update(7, 100), seen.update(7, 110), seen.update(7, 111)
    (True, False, True)
    """

    def __init__(self, memory: int, width: int = 1) -> None:
        self._memory = memory
        self._stride = 1 + width
        self._clear()

    def _clear(self) -> None:
        self._keys: set[Key] = set()
        self._pieces = deque([array("q")])  # time and key of each, oldest first; appended to at the end alone
        self._head = 0
        self._oldest = _NEVER

    def update(self, key: Key, now: int) -> bool:
        """Add a key at a time; say whether it is new."""
        if self.get(key, now):
            return False
        self._add(key, now)
        return True

    def get(self, key: Key, now: int) -> bool:
        """Say whether a key is remembered at a time."""
        if self._oldest < now - self._memory:
            self._forget(now - self._memory)
        return key in self._keys

    def __len__(self) -> int:
        return len(self._keys)

    def begin_snapshot(self) -> Steps[np.ndarray]:
        """Begin to copy the keys with their times, oldest first: int64 [keys, 1 + width]."""
        spans = [(piece, 0, len(piece)) for piece in self._pieces]
        spans[0] = (self._pieces[0], self._head, len(self._pieces[0]))
        return _copied(spans, self._stride)

    def restore(self, entries: np.ndarray) -> None:
        """Replace the keys."""
        self._clear()
        for now, *parts in entries.tolist():
            key = cast(Key, parts[0] if self._stride == 2 else tuple(parts))
            self._add(key, now)

    def _add(self, key: Key, now: int) -> None:
        self._keys.add(key)
        piece = self._pieces[-1]
        if len(piece) >= _ENTRIES * self._stride:
            piece = array("q")
            self._pieces.append(piece)
        piece.append(now)
        if isinstance(key, int):
            piece.append(key)
        else:
            piece.extend(key)
        if self._oldest == _NEVER:
            self._oldest = now

    def _forget(self, oldest: int) -> None:
        piece, at = self._pieces[0], self._head
        while True:
            if at == len(piece):
                if len(self._pieces) == 1:
                    self._head, self._oldest = at, _NEVER
                    return
                self._pieces.popleft()
                piece, at = self._pieces[0], 0
            elif piece[at] < oldest:
                end = at + self._stride
                self._keys.discard(cast(Key, piece[at + 1] if self._stride == 2 else tuple(piece[at + 1 : end])))
                at = end
            else:
                self._head, self._oldest = at, piece[at]
                return


def _copied(spans: list[tuple[array[int], int, int]], stride: int) -> Steps[np.ndarray]:
    """Copy what lies between two places of each piece; more may be appended meanwhile."""
    copy = np.empty(sum(end - start for _, start, end in spans), np.int64)
    yield
    at = 0
    for piece, start, end in spans:
        copy[at : at + end - start] = np.frombuffer(piece, np.int64)[start:end] if piece else ()
        at += end - start
        yield
    return copy.reshape(-1, stride)
