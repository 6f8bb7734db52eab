from __future__ import annotations

import contextlib
import gc
import io
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from safetensors.numpy import load

from lis_online.checkpoints.manifest import DamagedError
from lis_online.checkpoints.tensors import DTYPES, PIECE, Digest, pieces, read
from lis_online.errors import CheckpointError
from lis_online.pages import LARGE
from lis_online.snapshots.contract import Snapshot
from tests.checkpoints.stores import snapshot, store

ARRAYS = st.sampled_from(list(DTYPES.values())).flatmap(
    lambda dtype: arrays.arrays(dtype, arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
)
META = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
SNAPSHOTS = st.builds(
    Snapshot, st.dictionaries(st.text(), META, max_size=3), st.dictionaries(st.text(), ARRAYS, max_size=3)
)


def encoded(state: Snapshot) -> bytes:
    """Return a snapshot's bytes."""
    return b"".join(pieces(state, Digest()))


def decoded(data: bytes) -> Snapshot:
    """Return the snapshot of these bytes."""
    return read(io.BytesIO(data), len(data), Digest())


@given(state=SNAPSHOTS)
def test_what_is_read_is_what_was_written(state: Snapshot) -> None:
    """A shard continues exactly from a checkpoint: every dtype, shape (none, empty) and meta value comes back."""
    found = decoded(encoded(state))
    assert found.meta == state.meta
    assert found.arrays.keys() == state.arrays.keys()
    for name, array in state.arrays.items():
        assert found.arrays[name].dtype == array.dtype
        assert found.arrays[name].shape == array.shape
        assert found.arrays[name].tobytes() == array.tobytes()
        assert found.arrays[name].flags.writeable


@given(state=SNAPSHOTS)
def test_it_is_the_safetensors_layout(state: Snapshot) -> None:
    """Whoever has the format's own library reads the same arrays: no lock-in, and no layout of our own invention."""
    found = load(encoded(state))
    assert msgspec.msgpack.decode(found.pop("meta").tobytes()) == state.meta
    assert {name: array.tobytes() for name, array in found.items()} == {
        f"array:{name}": array.tobytes() for name, array in state.arrays.items()
    }


def test_array_that_lies_otherwise_comes_back_in_its_own_order() -> None:
    """Transposed or of the other byte order: saved by its elements, not by its memory."""
    matrix = np.arange(6).reshape(2, 3).T
    found = decoded(encoded(Snapshot({}, {"transposed": matrix, "big": matrix.astype(">i4"), "steps": matrix[::2]})))
    np.testing.assert_array_equal(found.arrays["transposed"], matrix)
    np.testing.assert_array_equal(found.arrays["big"], matrix)
    np.testing.assert_array_equal(found.arrays["steps"], matrix[::2])


def test_large_array_goes_through_in_pieces() -> None:
    """The state is never in memory a second time: what is written are views of it."""
    state = Snapshot({}, {"large": np.arange(PIECE, dtype=np.float32)})
    found = list(pieces(state, Digest()))
    assert max(piece.nbytes for piece in found) == PIECE
    assert all(np.shares_memory(np.frombuffer(piece, np.uint8), state.arrays["large"]) for piece in found[1:5])


def test_array_of_an_unknown_kind_is_refused() -> None:
    """Objects would need pickle; complex numbers nobody has."""
    with pytest.raises(CheckpointError, match=r"odd must be of one of .* got complex128"):
        encoded(Snapshot({}, {"odd": np.zeros(2, np.complex128)}))


@given(data=st.binary(max_size=200) | st.binary(max_size=200).map(lambda tail: encoded(snapshot())[:90] + tail))
def test_whatever_the_bytes_are_they_are_refused_in_words(data: bytes) -> None:
    """No bytes bring anything but a snapshot or DamagedError: no traceback, no gigabytes for a lie about a size."""
    with pytest.raises(DamagedError):
        decoded(data)


@pytest.mark.parametrize(
    "header",
    [
        {"meta": {"dtype": "U8", "shape": [2**40], "data_offsets": [0, 2**40]}},
        {"meta": {"dtype": "U8", "shape": [-1, -1], "data_offsets": [0, 1]}},
        {"meta": {"dtype": "U8", "shape": [1], "data_offsets": [1, 2]}},
        {"meta": {"dtype": "BF16", "shape": [1], "data_offsets": [0, 2]}},
        {"other": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}},
        {},
        [],
    ],
)
def test_header_that_lies_is_refused(header: object) -> None:
    """Places are checked against the size that the manifest vouches for, before anything is allocated."""
    text = msgspec.json.encode(header)
    with pytest.raises(DamagedError):
        decoded(len(text).to_bytes(8, "little") + text + b"\xc0")


def test_restored_arrays_are_the_shards_own(tmp_path: Path) -> None:
    """A shard writes into what it restored; the next one restores the same."""
    store(str(tmp_path)).save(snapshot(1), 1)
    for _ in range(2):
        found = store(str(tmp_path)).load_latest()
        assert found is not None
        assert found[0].arrays["weights"][0] == 1
        found[0].arrays["weights"][:] = 0


@pytest.mark.parametrize("data", [encoded(snapshot()), encoded(Snapshot({}))[:-1] + b"\xc1"])
def test_garbage_collection_goes_on_after_a_restore(data: bytes) -> None:
    """It is off while a record is read, whole or not, and no longer."""
    with contextlib.suppress(DamagedError):
        decoded(data)
    assert gc.isenabled()


@given(state=SNAPSHOTS)
def test_every_array_lies_where_it_can_be_mapped(state: Snapshot) -> None:
    """Whoever maps the file reads each array in place: it begins at a multiple of its items' size."""
    data = encoded(state)
    length = int.from_bytes(data[:8], "little")
    for entry in msgspec.json.decode(data[8 : 8 + length]).values():
        assert (8 + length + entry["data_offsets"][0]) % DTYPES[entry["dtype"]].itemsize == 0


def test_what_was_loaded_is_of_whoever_loaded_it(tmp_path: Path) -> None:
    """A shard takes the arrays over and writes into them; what becomes of the file does not matter to it."""
    numbers = np.arange(LARGE, dtype=np.int32)
    state = Snapshot({}, {"large": numbers, "small": numbers[:9].copy(), "none": np.zeros((0, 3), np.float16)})
    store(str(tmp_path)).save(state, 1)
    one, other = store(str(tmp_path)).load_latest(), store(str(tmp_path)).load_latest()
    assert one is not None and other is not None
    (data,) = tmp_path.glob("*.safetensors")
    data.write_bytes(bytes(data.stat().st_size))
    data.write_bytes(b"")
    for name, array in one[0].arrays.items():
        assert array.flags.writeable and array.flags.aligned and array.flags.c_contiguous
        assert np.array_equal(array, state.arrays[name])
        array[...] = 1
        assert np.array_equal(other[0].arrays[name], state.arrays[name])
