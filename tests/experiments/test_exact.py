"""Cross products of whole numbers."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lis_online.experiments import exact
from lis_online.experiments.exact import cross_products

whole = st.one_of(st.integers(-(2**63), 2**63 - 1), st.integers(-3, 3), st.sampled_from([2**16, -(2**16), 2**32 - 1]))


@given(st.integers(1, 4).flatmap(lambda k: st.lists(st.lists(whole, min_size=k, max_size=k), min_size=1, max_size=6)))
def test_products_are_those_of_pythons_numbers(rows: list[list[int]]) -> None:
    """Of any sign and size."""
    places = range(len(rows[0]))
    expected = [[sum(row[q] * row[p] for row in rows) for p in places] for q in places]
    assert cross_products(np.array(rows, np.int64)).tolist() == expected


def test_a_full_block_of_the_largest_limbs_is_exact() -> None:
    """Its sums stay whole numbers that a float64 holds, and blocks add up."""
    values = np.full((exact.ROWS + 3, 2), 2**62 - 1)
    assert cross_products(values).tolist() == [[(exact.ROWS + 3) * (2**62 - 1) ** 2] * 2] * 2


def test_no_rows_are_zeros() -> None:
    """An arm without users."""
    assert cross_products(np.zeros((0, 2), np.int64)).tolist() == [[0, 0], [0, 0]]
