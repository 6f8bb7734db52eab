"""Whole numbers, mostly zeros, as bytes.

How many there are; then a bit map of what is not zero and the low bytes of that, and the same again for what
is left above the low byte.
"""

from __future__ import annotations

import zlib

import numpy as np

from lis_online.errors import BlockError


def encode_counts(values: np.ndarray) -> bytes:
    """Return non-negative whole numbers of any shape as compressed bytes.

    >>> decode_counts(encode_counts(np.array([0, 3, 0, 70_000])), 4).tolist()
    [0, 3, 0, 70000]
    """
    rest = np.ascontiguousarray(values).reshape(-1)
    if rest.size and rest.min() < 0:
        raise ValueError(f"values must be >= 0, got {rest.min()}")
    planes = [rest.size.to_bytes(8, "little")]
    while rest.size:
        present = rest != 0
        planes.append(np.packbits(present).tobytes())
        rest = rest[np.flatnonzero(present)]
        planes.append((rest & 0xFF).astype(np.uint8).tobytes())
        rest = rest >> 8
    return zlib.compress(b"".join(planes), 1)


def decode_counts(data: bytes, size: int) -> np.ndarray:
    """Return the int64 [size] of `encode_counts`. Raises BlockError on other bytes."""
    values = np.zeros(size, np.int64)
    add_counts(values, data)
    return values


def add_counts(values: np.ndarray, data: bytes) -> None:
    """Add the counts of `encode_counts` to whole numbers [size]: what is zero in them costs little.

    values: of a type that holds the sums. Raises BlockError on other bytes; values then hold anything.

    >>> values = np.array([1, 2, 3])
    >>> add_counts(values, encode_counts(np.array([0, 500, 0])))
    >>> values.tolist()
    [1, 502, 3]
    """
    try:
        raw = np.frombuffer(zlib.decompress(data), np.uint8)
    except zlib.error as exc:
        raise BlockError(f"counts cannot be read: {exc}") from exc
    held, size = int.from_bytes(raw[:8].tobytes(), "little"), len(values)
    if held != size:
        raise BlockError(f"counts cannot be read: they are {held} numbers, not {size}")
    cells: np.ndarray | None = None
    left, at, shift = size, 8, 0
    while left:
        bits = raw[at : at + (left + 7) // 8]
        at += len(bits)
        present = np.flatnonzero(np.unpackbits(bits)[:left].view(np.bool_))  # three times as fast as of bytes
        cells = present if cells is None else cells[present]
        low = raw[at : at + len(cells)]
        at += len(low)
        if len(bits) * 8 < left or len(low) < len(cells) or (len(cells) and shift > 56):
            raise BlockError(f"counts cannot be read: {len(raw)} bytes do not hold {size} numbers")
        values[cells] += (low.astype(np.int64) << shift).astype(values.dtype)
        left, shift = len(cells), shift + 8
    if at != len(raw):
        raise BlockError(f"counts cannot be read: {len(raw)} bytes hold more than {size} numbers")
