"""What a snapshot is: a shard's state as data, and one in the making."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np


@dataclass(slots=True)
class Snapshot:
    """A shard's whole state as data: msgpack-able `meta` and named arrays.

    meta holds None, bool, int, float, str, bytes, lists and str-keyed dicts only. Arrays are
    C-contiguous. The shard that restores it continues exactly as the one that took it.
    """

    meta: dict[str, Any]
    arrays: dict[str, np.ndarray] = field(default_factory=dict)


class Saving(Protocol):
    """A snapshot in the making: the state as it was when it began, whatever the shard applies meanwhile.

    Called in the shard's thread, between its turns.
    """

    def step(self, seconds: float) -> bool:
        """Copy on for about that long; return whether the snapshot is complete."""
        ...

    def get(self) -> Snapshot:
        """Return the complete snapshot."""
        ...


class Copied:
    """A snapshot that was copied at once: of a state small enough for one pause."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def step(self, seconds: float) -> bool:
        """Return True: nothing is left to copy."""
        del seconds
        return True

    def get(self) -> Snapshot:
        """Return the snapshot."""
        return self._snapshot
