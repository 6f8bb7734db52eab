"""Large arrays, page by page."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

from lis_online.pages import LARGE, zeros


@pytest.mark.parametrize("rows", [0, 1, LARGE // 12, LARGE])
def test_small_and_large_arrays_are_zeros_that_can_be_written(rows: int) -> None:
    """Whoever takes one cannot tell which it is."""
    found = zeros((rows, 3), np.int32)

    assert (found.shape, found.dtype) == ((rows, 3), np.int32)
    assert found.flags.writeable and found.flags.c_contiguous and found.flags.aligned
    assert not found.any()
    found[:] = 7
    assert (found == 7).all()


def test_two_large_arrays_share_nothing() -> None:
    """Each has pages of its own."""
    one, other = zeros((LARGE,), np.uint8), zeros((LARGE,), np.uint8)
    one[:] = 1

    assert not other.any()
    assert not np.shares_memory(one, other)


def test_memory_goes_with_the_last_array_that_looks_at_it() -> None:
    """A part keeps the whole, and nothing else does."""
    whole = zeros((LARGE, 2), np.uint8)
    base = whole.base
    while isinstance(base, np.ndarray):
        base = base.base
    gone = weakref.ref(base)
    part = whole[5:9]
    del whole, base
    assert gone() is not None
    assert not part.any()
    del part
    gc.collect()
    assert gone() is None


def test_more_than_there_is_is_refused() -> None:
    """As numpy refuses it."""
    with pytest.raises(MemoryError):
        zeros((1 << 62, 2), np.int32)
    with pytest.raises(MemoryError, match="must be there"):
        zeros((1 << 50,), np.uint8)
