"""Rows that are copied in steps are those of the beginning, whatever is written meanwhile."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import settings as tries
from hypothesis import strategies as st

from lis_online.snapshots import held_rows
from lis_online.snapshots.held_rows import HeldRows
from lis_online.snapshots.steps import at_once

ROWS = 12


@tries(max_examples=200, deadline=None)
@given(st.lists(st.lists(st.integers(0, ROWS + 3), max_size=5), max_size=20), st.integers(1, 60))
def test_what_is_written_between_steps_is_not_copied(writes: list[list[int]], piece: int) -> None:
    """In numpy's memory and torch's, rows written twice and rows that came later included."""
    table, sums = np.arange(3.0 * ROWS).reshape(ROWS, 3), torch.arange(ROWS)
    before = table.copy(), sums.tolist()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(held_rows, "PIECE", piece)
        held = HeldRows(table, sums)
        copying = held.copying()
        found: Any = None
        for rows in writes:
            held.keep(np.array(rows, np.int64))
            there = [row for row in rows if row < ROWS]
            table[there], sums[there] = -1.0, -1
            try:
                next(copying)
            except StopIteration as done:
                found = done.value
                break
        copied, of_sums = at_once(copying) if found is None else found
    assert np.array_equal(copied, before[0]) and of_sums.tolist() == before[1]
    assert copied.flags.c_contiguous and not np.shares_memory(copied, table)


def test_an_array_without_rows_is_copied() -> None:
    """A store that has no vector yet is in the snapshot too."""
    (copied,) = at_once(HeldRows(torch.zeros((0, 4), dtype=torch.float16)).copying())
    assert copied.shape == (0, 4) and copied.dtype == np.float16
