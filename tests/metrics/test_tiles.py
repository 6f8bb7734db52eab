import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lis_online.metrics.statistics import Statistics
from lis_online.metrics.tiles import Tiles
from tests.metrics.raw import LAYOUT, RANKERS, Slate, statistics
from tests.metrics.worlds import same

POOL = [statistics([Slate(0, k + 1, k % 3, (k % 2, 1), np.full((RANKERS, 2), k - 2, np.float32))]) for k in range(5)]
BYTES = [one.encode() for one in POOL]


def total(kinds: list[int]) -> Statistics:
    """Return the sum of some of the pool."""
    made = Statistics(LAYOUT)
    for kind in kinds:
        made.merge(POOL[kind])
    return made


UPDATE = st.tuples(st.just("update"), st.integers(0, 3), st.integers(0, 4), st.booleans())
POP = st.tuples(st.just("pop"), st.integers(0, 3), st.just(0), st.just(False))


@settings(max_examples=80)
@given(st.lists(UPDATE | POP, max_size=14))
def test_a_stretch_holds_what_was_added_to_it(steps: list[tuple[str, int, int, bool]]) -> None:
    """Updates of any stretch in any order, with bytes at hand or not, and removals: a dictionary of sums."""
    tiles, known = Tiles(LAYOUT), dict[int, list[int]]()
    for step, start, kind, encoded in steps:
        if step == "update":
            tiles.update(start, POOL[kind], BYTES[kind] if encoded else None)
            known.setdefault(start, []).append(kind)
        elif start in known:
            assert same(tiles.pop(start), total(known.pop(start)))
        assert tiles.starts() == sorted(known)
    saved = tiles.snapshot()
    assert [start for start, _ in saved] == sorted(known)
    for start, data in saved:
        assert same(Statistics.decode(LAYOUT, data), total(known[start]))
    for start in sorted(known):
        assert same(tiles.pop(start), total(known[start]))
    assert tiles.starts() == [] and tiles.snapshot() == []


def test_what_is_added_stays_the_callers() -> None:
    """A stretch never holds the statistics that it was given: they may go on changing."""
    tiles, mine = Tiles(LAYOUT), total([1])
    tiles.update(0, mine)
    mine.merge(POOL[2])
    assert same(tiles.pop(0), total([1]))


def test_an_unknown_stretch_cannot_be_removed() -> None:
    """To forget what was never there is a bug, not an empty sum."""
    with pytest.raises(KeyError):
        Tiles(LAYOUT).pop(3)


def test_only_one_stretch_is_open() -> None:
    """Memory: statistics lie compressed, but for the stretch that is being added to."""
    tiles = Tiles(LAYOUT)
    for start in range(5):
        tiles.update(start, POOL[start])
    assert len(tiles._closed) == 4
    held = tiles._open
    tiles.update(4, POOL[0])
    assert tiles._open is held  # and is not compressed again for each bucket that is added to it
    tiles.update(1, POOL[0], BYTES[0])
    assert len(tiles._closed) == 4 and same(tiles.pop(1), total([1, 0]))
