"""Stores of one shard, states to put into them, and a place's objects behind the store's back."""

from __future__ import annotations

import numpy as np

from lis_online.checkpoints.place import open_place
from lis_online.checkpoints.store import CheckpointStore
from lis_online.snapshots.contract import Snapshot


def store(url: str, keep: int = 3, **settings: object) -> CheckpointStore:
    """A store of join shard 0."""
    return CheckpointStore(url, "join", 0, keep, {"folds": 8, **settings})


def snapshot(number: int = 0) -> Snapshot:
    """A state that is told apart by its number."""
    return Snapshot({"number": number}, {"weights": np.arange(1000, dtype=np.float32) + number})


def number(found: tuple[Snapshot, int] | None) -> int | None:
    """The number of the state that was loaded."""
    return None if found is None else found[0].meta["number"]


def names(url: str, kind: str = "", folder: str = "") -> list[str]:
    """What lies in a place, of one kind."""
    return sorted(name for name in open_place(url).sizes(folder) if name.endswith(kind))


def overwrite(url: str, name: str, content: bytes) -> None:
    """Damage an object."""
    open_place(url).put(name, content)


def content(url: str, name: str) -> bytes:
    """An object's bytes."""
    return open_place(url).read(name)
