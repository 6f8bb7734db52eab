import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lis_online.metrics.user_cap import UserCap


def test_whole_slates_beyond_the_limit_stay_out() -> None:
    """A slate that would pass the limit stays out whole; a smaller one may still fit."""
    cap = UserCap(10)
    users, sizes = np.array([1, 1, 1, 2]), np.array([6, 5, 4, 10])
    assert cap.update(users, sizes).tolist() == [True, False, True, True]
    assert cap.update(users, np.array([1, 1, 1, 1])).tolist() == [False] * 4


def test_restored_cap_goes_on_where_it_was() -> None:
    """A snapshot carries what every user has had."""
    cap, other = UserCap(10), UserCap(10)
    cap.update(np.array([-3, 5]), np.array([9, 4]))
    other.restore(cap.snapshot())
    users, sizes = np.array([-3, 5]), np.array([2, 6])
    assert other.update(users, sizes).tolist() == cap.update(users, sizes).tolist() == [False, True]


def test_limit_of_nothing_is_refused() -> None:
    """A cap of 0 would measure nothing."""
    with pytest.raises(ValueError, match="limit must be >= 1, got 0"):
        UserCap(0)


@given(st.integers(1, 12), st.lists(st.tuples(st.integers(0, 3), st.integers(1, 5)), max_size=30), st.integers(0, 30))
def test_the_cap_is_a_sum_per_user(limit: int, slates: list[tuple[int, int]], cut: int) -> None:
    """Slate by slate: measured where the user's total with it stays within the limit, and only then part of it."""
    cap, totals = UserCap(limit), dict[int, int]()
    for place, (user, size) in enumerate(slates):
        if place == cut:
            saved, cap = cap.snapshot(), UserCap(limit)
            assert saved.shape == (len(totals), 2) and saved.dtype == np.int64
            cap.restore(saved)
        fits = totals.get(user, 0) + size <= limit
        assert cap.update(np.array([user]), np.array([size])).tolist() == [fits]
        if fits:
            totals[user] = totals.get(user, 0) + size
