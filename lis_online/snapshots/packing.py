"""The bytes of batches, made in steps: what `Columns.encode` returns at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

import msgspec
import numpy as np

from lis_online.events.batches import Columns
from lis_online.snapshots.held_rows import PIECE
from lis_online.snapshots.steps import Steps


def packing(batches: Sequence[Columns]) -> Steps[bytearray]:
    """Return the bytes of all rows of some batches, batch after batch; at least one batch, all of one kind.

    They are those of their `concatenate(...).encode()`, and `decode` reads them.
    """
    names = [field.name for field in fields(batches[0])]
    columns = [[np.ascontiguousarray(getattr(batch, name)) for batch in batches] for name in names]
    heads = [_head(name, parts) for name, parts in zip(names, columns, strict=True)]
    start = _map_head(len(names))
    found = bytearray(len(start) + sum(len(head) for head in heads) + sum(p.nbytes for parts in columns for p in parts))
    found[: len(start)] = start
    view, at = memoryview(found), len(start)
    for head, parts in zip(heads, columns, strict=True):
        view[at : at + len(head)] = head
        at += len(head)
        for part in parts:
            content = part.reshape(-1).view(np.uint8).data
            for first in range(0, content.nbytes, PIECE):
                piece = content[first : first + PIECE]
                view[at : at + piece.nbytes] = piece
                at += piece.nbytes
                yield
    return found


def _head(name: str, parts: Sequence[np.ndarray]) -> bytes:
    """Return what stands before a column's numbers: name -> [dtype, shape, so many bytes]."""
    encode = msgspec.msgpack.encode
    shape = (sum(len(part) for part in parts), *parts[0].shape[1:])
    of_three = b"\x93"
    return (
        encode(name) + of_three + encode(parts[0].dtype.str) + encode(shape) + _bin_head(sum(p.nbytes for p in parts))
    )


def _map_head(count: int) -> bytes:
    """Return the head of a map (https://github.com/msgpack/msgpack/blob/master/spec.md)."""
    return bytes([0x80 | count]) if count < 16 else b"\xde" + count.to_bytes(2, "big")


def _bin_head(count: int) -> bytes:
    """Return the head of so many bytes, in the shortest form."""
    for code, width in ((b"\xc4", 1), (b"\xc5", 2)):
        if count < 1 << 8 * width:
            return code + count.to_bytes(width, "big")
    return b"\xc6" + count.to_bytes(4, "big")
