"""A snapshot as one stream of bytes: the safetensors layout, written and read without a second copy of the state.

8 bytes with the header's length, the header (JSON: name -> dtype, shape, place), then the arrays. The record `meta` is
msgpack in an array of bytes. Data only, never code. https://huggingface.co/docs/safetensors
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Protocol

import msgspec
import numpy as np
import xxhash

from lis_online.checkpoints.manifest import DamagedError
from lis_online.collector import without_collector
from lis_online.errors import CheckpointError
from lis_online.pages import zeros
from lis_online.snapshots.contract import Snapshot

PIECE = 1 << 20
"""Bytes that are digested while they are still in the processor's cache: 1 MiB."""

DTYPES = {
    name: np.dtype(code).newbyteorder("<")
    for name, code in {
        "BOOL": "?", "U8": "u1", "I8": "i1", "U16": "u2", "I16": "i2", "F16": "f2", "U32": "u4", "I32": "i4",
        "F32": "f4", "U64": "u8", "I64": "i8", "F64": "f8",
    }.items()
}  # fmt: skip
_NAMES = {dtype: name for name, dtype in DTYPES.items()}
_META = "meta"
_ARRAY = "array:"


class Source(Protocol):
    """Bytes that are read from their beginning."""

    def readinto(self, into: memoryview, /) -> int:
        """Fill from the front; return how many bytes, 0 at the end."""
        ...


class Digest:
    """Length and xxh3-128 of a stream.

    It guards against damage, not against an attacker: whoever can write the data can write the manifest.
    A gigabyte takes xxh3 0.1 s where blake2b takes 2 s (`bench/checkpoints.py`).
    """

    def __init__(self) -> None:
        self.bytes = 0
        self._state = xxhash.xxh3_128()

    def update(self, piece: memoryview) -> None:
        """Take in what follows."""
        self.bytes += piece.nbytes
        self._state.update(piece)

    def get(self) -> str:
        """Return the digest so far, hexadecimal."""
        return self._state.hexdigest()


def pieces(snapshot: Snapshot, digest: Digest) -> Iterator[memoryview]:
    """Return a snapshot's bytes, piece by piece, each told to the digest.

    Raises CheckpointError before the first where an array is of a kind that the layout does not have.
    """
    packed = np.frombuffer(msgspec.msgpack.encode(snapshot.meta), np.uint8)
    arrays = {_META: packed, **{_ARRAY + name: array for name, array in snapshot.arrays.items()}}
    # widest first: whoever maps the file finds every array aligned
    names = sorted(arrays, key=lambda name: (-arrays[name].dtype.itemsize, name))
    header: dict[str, Any] = {}
    end = 0
    for name in names:
        begin, end = end, end + arrays[name].nbytes
        header[name] = {
            "dtype": _dtype_name(name, arrays[name].dtype),
            "shape": arrays[name].shape,
            "data_offsets": [begin, end],
        }
    encoded = msgspec.json.encode(header)
    encoded += b" " * (-len(encoded) % 8)
    start = memoryview(len(encoded).to_bytes(8, "little") + encoded)
    return _pieces(start, (arrays[name] for name in names), digest)


def read(file: Source, size: int, digest: Digest) -> Snapshot:
    """Return the snapshot of a stream of that many bytes; the caller compares the digest.

    Raises DamagedError where it is not of this layout. Nothing larger than `size` is allocated, whatever it says.
    """
    try:
        length = int.from_bytes(_take(file, 8, digest), "little")
        if length > size - 8:
            raise DamagedError(f"its header must be within its {size} bytes, got {length}")
        header = msgspec.json.decode(bytes(_take(file, length, digest)), type=dict[str, _Entry])
    except (ValueError, RecursionError) as exc:
        raise DamagedError(f"its header cannot be read: {exc}") from exc
    arrays: dict[str, np.ndarray] = {}
    end = 0
    for name, entry in header.items():
        array = entry.empty(name, end, size - 8 - length)
        end = entry.data_offsets[1]
        _fill(file, _bytes_of(array), digest)
        arrays[name] = array
    if 8 + length + end != size or _META not in arrays:
        raise DamagedError(f"it must have {size} bytes and a record, got {8 + length + end}")
    try:
        with without_collector():
            meta = msgspec.msgpack.decode(arrays.pop(_META).data, type=dict[str, Any])
    except (ValueError, RecursionError) as exc:
        raise DamagedError(f"its record cannot be read: {exc}") from exc
    return Snapshot(meta, {name.removeprefix(_ARRAY): array for name, array in arrays.items()})


class _Entry(msgspec.Struct):
    dtype: str
    shape: list[int]
    data_offsets: tuple[int, int]

    def empty(self, name: str, begin: int, most: int) -> np.ndarray:
        """Return the array to fill. begin: where the one before it ends; most: bytes that all of them have."""
        if self.dtype not in DTYPES or min(self.shape, default=0) < 0:
            raise DamagedError(f"{name} must be an array of a known kind, got {self.dtype} {self.shape}")
        bytes_ = DTYPES[self.dtype].itemsize
        for side in self.shape:
            bytes_ *= side
        if tuple(self.data_offsets) != (begin, begin + bytes_) or begin + bytes_ > most:
            raise DamagedError(f"{name} must lie at {begin} to {begin + bytes_}, got {self.data_offsets}")
        try:
            return zeros(self.shape, DTYPES[self.dtype])
        except ValueError as exc:  # of no bytes, but of a side or of axes beyond what numpy has
            raise DamagedError(f"{name} cannot be an array: {exc}") from exc


def _dtype_name(name: str, dtype: np.dtype) -> str:
    try:
        return _NAMES[dtype.newbyteorder("<")]
    except KeyError:
        raise CheckpointError(f"{name.removeprefix(_ARRAY)} must be of one of {list(DTYPES)}, got {dtype}") from None


def _bytes_of(array: np.ndarray) -> memoryview:
    little = np.asarray(array, array.dtype.newbyteorder("<"), order="C")
    return little.reshape(-1).view(np.uint8).data


def _pieces(start: memoryview, arrays: Iterable[np.ndarray], digest: Digest) -> Iterator[memoryview]:
    yield from _in_pieces(start, digest)
    for array in arrays:
        yield from _in_pieces(_bytes_of(array), digest)


def _in_pieces(whole: memoryview, digest: Digest) -> Iterator[memoryview]:
    for begin in range(0, whole.nbytes, PIECE):
        piece = whole[begin : begin + PIECE]
        digest.update(piece)
        yield piece


def _take(file: Source, size: int, digest: Digest) -> bytearray:
    taken = bytearray(size)
    _fill(file, memoryview(taken), digest)
    return taken


def _fill(file: Source, into: memoryview, digest: Digest) -> None:
    while into.nbytes:
        taken = file.readinto(into[:PIECE])
        if not taken:
            raise DamagedError(f"{into.nbytes} bytes are missing at its end")
        digest.update(into[:taken])
        into = into[taken:]
