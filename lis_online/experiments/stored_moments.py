"""An arm's moments as the bytes of a row of the history: exact, with the names of their columns."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from itertools import combinations_with_replacement
from typing import Final

import msgspec

from lis_online.errors import BlockError
from lis_online.events.windows_log import ArmMoments
from lis_online.experiments.moments import UNIT

VERSION: Final = 1
MOST_BYTES: Final = 63
"""Of one whole number: 500 bits, where the square of a trillion users' lifetime of milliseconds has 250."""


class _Stored(msgspec.Struct, array_like=True):
    """What is stored. numbers: the columns' sums, then the products of columns q <= p, row by row, as `_pack`."""

    columns: tuple[str, ...]
    users: int
    crossed: int
    assigned: int
    positive: list[int]
    numbers: bytes


_decoder = msgspec.msgpack.Decoder(_Stored)


def encode(columns: Sequence[str], moments: ArmMoments) -> bytes:
    """Return an arm's moments as bytes. columns: the names behind their indices.

    A byte of version, then zlib. Measured on 3,000 users of a feed: 500 bytes for 11 columns, 1,130 for 20.
    """
    k = len(columns)
    products = [int(moments.products[q * k + p]) for q, p in _pairs(k)]
    numbers = _pack([*map(int, moments.sums), *products])
    stored = _Stored(tuple(columns), moments.users, moments.crossed, moments.assigned, list(moments.positive), numbers)
    return bytes([VERSION]) + zlib.compress(msgspec.msgpack.encode(stored), 9)


def decode(data: bytes, experiment: str, arm: str) -> tuple[tuple[str, ...], ArmMoments]:
    """Return the columns and the moments of `encode`. Raises BlockError on other bytes or another version."""
    if data[:1] != bytes([VERSION]):
        raise BlockError(f"stored moments must have version {VERSION}, got {list(data[:1])}")
    try:
        stored = _decoder.decode(zlib.decompress(data[1:]))
    except (zlib.error, msgspec.MsgspecError) as exc:
        raise BlockError(f"stored moments cannot be read: {exc}") from exc
    numbers, k = list(map(str, _unpack(stored.numbers))), len(stored.columns)
    if len(numbers) != k + k * (k + 1) // 2 or len(stored.positive) != k:
        raise BlockError(f"stored moments must have the sums and products of {k} columns, got {len(numbers)} numbers")
    products = [""] * k**2
    for (q, p), product in zip(_pairs(k), numbers[k:], strict=True):
        products[q * k + p] = products[p * k + q] = product
    moments = ArmMoments(
        experiment, arm, stored.users, stored.crossed, numbers[:k], products, stored.positive, stored.assigned
    )
    return stored.columns, moments


def _pairs(columns: int) -> Iterator[tuple[int, int]]:
    return combinations_with_replacement(range(columns), 2)


def _pack(numbers: Sequence[int]) -> bytes:
    """Return whole numbers as a byte each, size * 4 + units, and then their bytes.

    units: how often, up to twice, a million was divided out: counts are whole millions, their products millions of
    millions.
    """
    heads, bodies = bytearray(), bytearray()
    for number in numbers:
        units = 0
        while number and units < 2 and number % UNIT == 0:
            number, units = number // UNIT, units + 1
        size = (number.bit_length() + 8) // 8 if number else 0
        if size > MOST_BYTES:
            raise ValueError(f"a moment must be < 2^{8 * MOST_BYTES - 1}, got one of {number.bit_length()} bits")
        heads.append(size * 4 + units)
        bodies += number.to_bytes(size, "little", signed=True)
    return len(heads).to_bytes(4, "little") + bytes(heads + bodies)


def _unpack(data: bytes) -> Iterator[int]:
    """Yield the numbers of `_pack`."""
    count = int.from_bytes(data[:4], "little")
    at = 4 + count
    for head in data[4:at]:
        size, units = head >> 2, head & 3
        yield int.from_bytes(data[at : at + size], "little", signed=True) * UNIT**units
        at += size
