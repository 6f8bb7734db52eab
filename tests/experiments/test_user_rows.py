"""Rows of users."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lis_online.experiments import user_rows
from lis_online.experiments.user_rows import UserRows

groups = st.lists(st.sets(st.integers(0, 60), max_size=12), max_size=12)


@pytest.mark.parametrize("few", [0, 10_000])
@given(groups)
def test_a_user_keeps_the_row_of_the_first_time(few: int, seen: list[set[int]]) -> None:
    """Whether it is still among the latest or was moved on: the rows are those of a dict."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(user_rows, "_FEW", few)
        rows, oracle = UserRows(), dict[int, int]()
        for users in seen:
            new = sorted(users - set(oracle))
            oracle.update({user: len(oracle) + k for k, user in enumerate(new)})
            rows.update(np.array(new, np.uint64))
            found = rows.get(np.arange(62, dtype=np.uint64)).tolist()
            assert found == [oracle.get(user, -1) for user in range(62)] and len(rows) == len(oracle)
