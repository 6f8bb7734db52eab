"""Keys that were seen lately: how duplicates are known, in bounded memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)


class Remembered(Generic[Key]):
    """A set of keys that forgets each one `memory` ms (event time) after it was added.

    Times never decrease from call to call.

    >>> seen = Remembered[str](memory=10)
    >>> seen.update("a", 100), seen.update("a", 110), seen.update("a", 111)
    (True, False, True)
    """

    def __init__(self, memory: int) -> None:
        self._memory = memory
        self._keys: set[Key] = set()
        self._order: deque[tuple[int, Key]] = deque()

    def update(self, key: Key, now: int) -> bool:
        """Add a key at a time; say whether it is new."""
        if self.get(key, now):
            return False
        self._keys.add(key)
        self._order.append((now, key))
        return True

    def get(self, key: Key, now: int) -> bool:
        """Say whether a key is remembered at a time."""
        order, oldest = self._order, now - self._memory
        while order and order[0][0] < oldest:
            self._keys.discard(order.popleft()[1])
        return key in self._keys

    def __len__(self) -> int:
        return len(self._keys)

    def snapshot(self) -> list[tuple[int, Key]]:
        """Copy the keys with their times, oldest first."""
        return list(self._order)

    def restore(self, entries: Iterable[tuple[int, Key]]) -> None:
        """Replace the keys."""
        self._order = deque(entries)
        self._keys = {key for _, key in self._order}
