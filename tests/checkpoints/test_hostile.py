"""Bytes of a checkpoint that nobody wrote: damage, said in words, never another error."""

from __future__ import annotations

import io
from random import Random
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as tries
from hypothesis import strategies as st

from fuzz.hostile import Hostile
from lis_online.checkpoints import manifest, tensors
from lis_online.checkpoints.manifest import DamagedError
from lis_online.errors import CheckpointError
from lis_online.snapshots.contract import Snapshot


def stream(header: Any, body: bytes) -> tuple[io.BytesIO, int, tensors.Digest]:
    """Return what `tensors.read` takes."""
    start = msgspec.json.encode(header)
    data = len(start).to_bytes(8, "little") + start + body
    return io.BytesIO(data), len(data), tensors.Digest()


def meta(shape: list[int], end: int, dtype: str = "U8") -> dict[str, Any]:
    """Return a header with the record alone."""
    return {"meta": {"dtype": dtype, "shape": shape, "data_offsets": [0, end]}}


@pytest.mark.parametrize(
    ("header", "body"),
    [
        (meta([0, 2**62], 0, "I64"), b""),
        (meta([0] * 100, 0, "I64"), b""),
        (meta([2**70, 0], 0, "I64"), b""),
        (meta([5000], 5000), b"\x91" * 4999 + b"\x90"),
        (meta([1], 1), b"\x05"),
        (meta([2], 2), b"\xa1\xff"),
    ],
)
def test_a_header_or_record_that_lies_is_damage(header: Any, body: bytes) -> None:
    """Shapes beyond numpy's, a record nested beyond Python's stack, one that is no table, one that is not UTF-8."""
    with pytest.raises(DamagedError):
        tensors.read(*stream(header, body))


def test_a_manifest_nested_beyond_the_stack_is_damage() -> None:
    """With a seal that fits or without."""
    fields = b'{"schema":2,"fingerprint":' + b'{"a":' * 5000 + b"1" + b"}" * 5000 + b"}"
    sealed = b'{"manifest":%b,"seal":"%b"}' % (fields, manifest._seal(fields).encode())
    for content in (sealed, b'{"manifest":' + b"[" * 100_000):
        with pytest.raises(DamagedError, match="cannot be read"):
            manifest.decode(content, "join-0-1")


SNAPSHOT = Snapshot({"a": [1, "b", None], "c": {"d": 2.5}}, {"x": np.arange(6.0).reshape(2, 3), "y": np.zeros(0, "i2")})


@tries(max_examples=500)
@given(st.integers(0, 2**64 - 1))
def test_a_checkpoint_with_bytes_changed_is_read_or_damaged(seed: int) -> None:
    """The digest would show it; but the layout is read first, and must not stumble."""
    hostile = Hostile(Random(seed))
    data = hostile.changed(b"".join(bytes(piece) for piece in tensors.pieces(SNAPSHOT, tensors.Digest())))
    try:
        found = tensors.read(io.BytesIO(data), len(data), tensors.Digest())
        assert isinstance(found.meta, dict)
    except (DamagedError, CheckpointError):
        pass
