"""The index from item hashes to rows, against a dictionary."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lis_online.representation.index import MISSING, ItemIndex

ITEM = st.integers(-5, 5) | st.integers(-(2**63), 2**63 - 1)
STEP = st.tuples(st.booleans(), st.lists(ITEM, max_size=6, unique=True))


@given(st.lists(STEP, max_size=12), st.lists(ITEM, max_size=12))
def test_the_index_is_a_dictionary(steps: list[tuple[bool, list[int]]], asked: list[int]) -> None:
    """Items added and removed in any order: each look-up gives the row, or MISSING, in the shape asked for."""
    index, known, row = ItemIndex(), dict[int, int](), 0
    for add, items in steps:
        if add:
            new = [item for item in items if item not in known]
            rows = list(range(row, row + len(new)))
            index.update(np.array(new, np.int64), np.array(rows, np.int64))
            known.update(zip(new, rows, strict=True))
            row += len(new)
        else:
            gone = [known.pop(item) for item in items if item in known]
            index.remove(np.array(gone, np.int64))
        every = [*known, *asked]
        assert index.get(np.array(every, np.int64)).tolist() == [known.get(item, -1) for item in every]
        items, held = index.content()
        assert items.tolist() == sorted(known) and held.tolist() == [known[item] for item in sorted(known)]
        assert len(index) == len(known)


def test_an_empty_index_misses_everything_in_the_shape_asked_for() -> None:
    """Usable while empty."""
    found = ItemIndex().get(np.zeros((2, 3), np.int64))
    assert found.shape == (2, 3) and (found == MISSING).all() and found.dtype == np.int64 and MISSING == -1
