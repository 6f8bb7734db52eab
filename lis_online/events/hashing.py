"""Stable hashes: ids become 64-bit integers once, in the join shard.

The same text gives the same integer in every process, version and machine, so folds,
jackknife groups and sketch cells are functions of the events.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from typing import Final

import numpy as np

from lis_online.events.kept_hashes import KeptHashes

NO_ID = 0
"""Stands for "no author", "no user" and the like; `id_hash` never returns it."""

GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def plain_hash(text: str) -> int:
    """Return the signed 64-bit integer of an id, never 0: of one that is seen once and must push no other out.

    >>> plain_hash("r1") == id_hash("r1")
    True
    """
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little", signed=True) or 1


_MASK = 2**64 - 1
_SAMPLE = 0x9E3779B97F4A7C15 * 21 & _MASK
"""As `mix` with salt 20, in Python's integers: for one user at a time."""


id_hash: Callable[[str], int] = KeptHashes(plain_hash, most=1 << 17).__getitem__
"""Returns `plain_hash` of an id, kept at hand.

>>> id_hash("u7") == id_hash("u7"), id_hash("u7") == id_hash("u8")
(True, False)
"""


def salt_of(name: str) -> int:
    """Return a small seed that belongs to a name, so that adding a source changes no other's permutation."""
    return id_hash(name) & 0xFFFF


def mix(values: np.ndarray, salt: int = 0) -> np.ndarray:
    """Return splitmix64 of each value: uint64, same shape.

    Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014), figure 13.
    """
    with np.errstate(over="ignore"):
        x = values.astype(np.int64).view(np.uint64) + GOLDEN * np.uint64(salt + 1)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return x ^ (x >> np.uint64(31))


def fold_of(users: np.ndarray, folds: int) -> np.ndarray:
    """Return each user's fold, 0 to folds - 1: int64."""
    return (mix(users, salt=1) % np.uint64(folds)).astype(np.int64)


def is_sampled(user: int, share: float) -> bool:
    """Say whether a user is in the sample of that share of all users, independent of fold and group.

    A user in a smaller share is in every larger one.

    >>> sum(is_sampled(id_hash(f"u{k}"), 0.25) for k in range(10_000))
    2482
    """
    x = user + _SAMPLE & _MASK
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 & _MASK
    x = (x ^ x >> 27) * 0x94D049BB133111EB & _MASK
    return x ^ x >> 31 < share * 2**64


GROUP_SALT: Final = 2


def group_of(users: np.ndarray, groups: int) -> np.ndarray:
    """Return each user's jackknife group, 0 to groups - 1: int64, independent of the fold."""
    return (mix(users, GROUP_SALT) % np.uint64(groups)).astype(np.int64)
