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
            permutation.update(np.array([row]))
            live.add(row)
        elif not add and row in live:
            permutation.remove(np.array([row]))
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
        permutation.update(np.array([row]))
    distance = np.abs(permutation.donor - np.arange(BLOCK)).mean()
    assert abs(distance - BLOCK / 3) < 5 * BLOCK / np.sqrt(18 * BLOCK)


def test_donors_are_the_same_for_ever() -> None:
    """They depend on the salt and on the rows as they came and went, on every machine and in every version."""
    permutation = GrowingPermutation(salt=5)
    permutation.grow(520)
    permutation.update(np.array([0, 1, 2, 3, 4, 5, 512, 513, 514]))
    permutation.remove(np.array([2]))
    permutation.update(np.array([7]))
    assert permutation.donor[[0, 1, 3, 4, 5, 7, 512, 513, 514]].tolist() == [7, 3, 0, 5, 1, 4, 513, 514, 512]
    assert BLOCK == 512 and FREE == -1


def test_growing_keeps_what_is_there() -> None:
    """Room is made for the rows asked for, no more, and never taken away."""
    permutation = GrowingPermutation(salt=1)
    permutation.grow(3)
    permutation.update(np.array([1]))
    permutation.grow(2)
    assert permutation.donor.tolist() == [FREE, 1, FREE]
    permutation.grow(5)
    assert permutation.donor.tolist() == [FREE, 1, FREE, FREE, FREE]
