import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lis_online.errors import BlockError
from lis_online.metrics.sparse import decode_counts, encode_counts


@settings(max_examples=100, deadline=None)
@given(st.lists(st.one_of(st.just(0), st.integers(0, 300), st.integers(0, 2**62)), max_size=60))
def test_decoded_counts_equal_the_encoded_ones(values: list[int]) -> None:
    """Bytes carry every whole number exactly, up to 62 bits."""
    array = np.array(values, np.int64)
    assert decode_counts(encode_counts(array), len(values)).tolist() == values


def test_mostly_zeros_are_small() -> None:
    """A million cells with a hundred counts take less than two kilobytes."""
    array = np.zeros(1_000_000, np.int32)
    array[::10_000] = 7
    assert len(encode_counts(array)) < 2_000


def test_negative_count_is_refused() -> None:
    """What is not a count is a bug, and named."""
    with pytest.raises(ValueError, match=r"values must be >= 0, got -1"):
        encode_counts(np.array([-1]))


@pytest.mark.parametrize("size", [1, 5, 16, 100])
def test_bytes_of_another_size_are_refused(size: int) -> None:
    """Counts of 10 cells are not read as those of another number of cells."""
    with pytest.raises(BlockError, match="counts cannot be read"):
        decode_counts(encode_counts(np.arange(10)), size)


def test_damaged_bytes_are_refused() -> None:
    """Bytes that are not compressed counts are named as such."""
    with pytest.raises(BlockError, match="counts cannot be read"):
        decode_counts(b"nonsense", 4)
