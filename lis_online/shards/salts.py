"""Seeds of permutations."""

from __future__ import annotations

from lis_online.events.hashing import id_hash


def salt_of(name: str) -> int:
    """Return a small seed that belongs to a name, so that adding a source changes no other's permutation."""
    return id_hash(name) & 0xFFFF
