"""Hashes of ids, kept at hand."""

from __future__ import annotations

from collections.abc import Callable


class KeptHashes(dict[str, int]):
    """A hash function that remembers its last values: what is looked up costs a dictionary's look-up and no more.

    function: from an id to its hash. most: ids that are kept; of those before them, as many again as long as they have
    not been pushed out by newer ones. (`functools.lru_cache` keeps an order, which costs as much again.)

    >>> kept = KeptHashes(len, most=2)
    >>> list(map(kept.__getitem__, ["a", "bc", "def", "a"])), len(kept)
    ([1, 2, 3, 1], 2)
    """

    __slots__ = ("_before", "_function", "_most")

    def __init__(self, function: Callable[[str], int], most: int) -> None:
        super().__init__()
        self._function = function
        self._most = most
        self._before: dict[str, int] = {}

    def __missing__(self, text: str) -> int:
        """Return the hash of an id that is not at hand, and keep it."""
        found = self._before.get(text)
        if found is None:
            found = self._function(text)
        if len(self) >= self._most:
            self._before = dict(self)  # a copy, in one go: the shards of a process share it, each in its thread
            self.clear()
        self[text] = found
        return found
