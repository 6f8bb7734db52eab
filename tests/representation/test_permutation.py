"""The permuted ranker's donors."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lis_online.representation.permutation import BLOCK, FREE, GrowingPermutation


@given(st.lists(st.tuples(st.booleans(), st.integers(0, BLOCK + 40)), max_size=120))
def test_donors_are_one_to_one_without_fixed_points_at_every_moment(steps: list[tuple[bool, int]]) -> None:
    """The permuted variant has the same vectors and coverage; nobody is his own donor in company."""
    permutation = GrowingPermutation(salt=1)
    permutation.grow(BLOCK + 41)
    live: set[int] = set()
    for add, row in steps:
        if add and row not in live:
            permutation.update(row)
            live.add(row)
        elif not add and row in live:
            permutation.remove(row)
            live.remove(row)
        donors = permutation.donor[sorted(live)]
        assert sorted(donors.tolist()) == sorted(live)
        for block in (0, 1):
            mine = [r for r in live if r // BLOCK == block]
            fixed = [r for r in mine if permutation.donor[r] == r]
            assert len(fixed) == (1 if len(mine) == 1 else 0)
    assert (np.delete(permutation.donor, sorted(live)) == FREE).all()


def test_donors_are_spread_over_the_block() -> None:
    """A donor tells nothing of the item: distances in a block of 512 are those of a random permutation."""
    permutation = GrowingPermutation(salt=3)
    permutation.grow(BLOCK)
    for row in range(BLOCK):
        permutation.update(row)
    distance = np.abs(permutation.donor - np.arange(BLOCK)).mean()
    assert abs(distance - BLOCK / 3) < 5 * BLOCK / np.sqrt(18 * BLOCK)
