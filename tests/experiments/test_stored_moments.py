"""Moments as the history keeps them."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lis_online.errors import BlockError
from lis_online.events.windows_log import ArmMoments
from lis_online.experiments.columns import Columns
from lis_online.experiments.moments import UNIT, Moments
from lis_online.experiments.stored_moments import decode, encode
from tests.experiments.arms import COLUMNS, METRICS, QUANTITIES, arm_of, users

whole = st.integers(-(10**60), 10**60) | st.integers(-5, 5).map(lambda n: n * UNIT**3)


@given(st.lists(st.lists(whole, min_size=3, max_size=3), max_size=5), st.integers(0, 2**40), st.integers(0, 2**40))
def test_moments_come_back_as_they_were(totals: list[list[int]], crossed: int, assigned: int) -> None:
    """Whole numbers of any size and sign, with and without millions to divide out, and of no user at all."""
    moments = Moments(3)
    for user in totals:
        moments.add(user)
    given = moments.get("e", "a")
    given.crossed, given.assigned = crossed, assigned
    assert decode(encode(["x", "y", "z"], given), "e", "a") == (("x", "y", "z"), given)


def test_the_names_of_the_columns_are_kept() -> None:
    """Moments outlive the settings that say what their indices are; names of experiment and arm are the row's."""
    arm = arm_of(users(np.random.default_rng(0), 50))
    columns, found = decode(encode(COLUMNS.names, arm), "other", "b")
    assert columns == COLUMNS.names
    assert (found.experiment, found.arm, found.products) == ("other", "b", arm.products)


def test_a_row_is_small() -> None:
    """Kept for each arm and bucket: the text of the same moments has several times as many bytes."""
    columns = Columns(QUANTITIES, METRICS, pre_period=True)
    totals = users(np.random.default_rng(0), 1000)
    arm = arm_of(totals, columns=columns, before=totals / 3)
    assert len(encode(columns.names, arm)) < len("".join([*arm.sums, *arm.products])) / 3


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", r"must have version 1, got \[\]"),
        (b"\x02rest", r"must have version 1, got \[2\]"),
        (b"\x01rest", "cannot be read"),
        (b"\x01" + zlib.compress(b"\xc0"), "cannot be read"),
        (encode(["x"], ArmMoments("e", "a", 1, 0, ["1", "2"], ["1"], [1])), "of 1 columns, got 3 numbers"),
    ],
)
def test_other_bytes_are_refused(data: bytes, message: str) -> None:
    """A row of a later release is named as such, a damaged one as damaged."""
    with pytest.raises(BlockError, match=message):
        decode(data, "e", "a")


def test_a_number_that_does_not_fit_is_refused() -> None:
    """More than 500 bits is no total of anybody: it is said, not cut off."""
    with pytest.raises(ValueError, match="must be < 2\\^503, got one of 600 bits"):
        encode(["x"], ArmMoments("e", "a", 1, 0, [str(2**600 - 1)], ["1"], [1]))
