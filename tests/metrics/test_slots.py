"""Statistics of some slots of variants: what a time looks like at which only those are in use."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lis_online.errors import BlockError
from lis_online.metrics.blocks import Block
from lis_online.metrics.layout import Layout
from lis_online.metrics.scored import Scored
from lis_online.metrics.statistics import Statistics
from lis_online.metrics.windows import RollingWindow
from lis_online.settings import Settings
from tests.metrics.worlds import make_scored, make_statistics, same

VARIANTS = [{"name": n, "preference": "coclick", "dimension": 2, "versions": k} for n, k in (("v", 3), ("w", 2))]
LAYOUT = Layout.of(Settings.of({"variant": VARIANTS}))
SLOTS = st.lists(st.integers(0, 4), unique=True).map(sorted)


def batch(seed: int) -> Scored:
    """Return a random batch."""
    return make_scored(np.random.default_rng(seed), LAYOUT, slates=4)


def only(scored: Scored, slots: list[int]) -> Scored:
    """Return a batch with the rankers and vectors of some slots alone."""
    return replace(scored, logits=scored.logits[LAYOUT.places(slots)], vectors=scored.vectors[slots])


@settings(max_examples=25)
@given(st.integers(0, 10**6), SLOTS)
def test_taken_slots_are_what_those_rankers_alone_would_give(seed: int, slots: list[int]) -> None:
    """As if the others had never been there; bytes of them, read with all slots, have zeros for the others."""
    whole, part = make_statistics(LAYOUT, batch(seed)), make_statistics(LAYOUT.take(slots), only(batch(seed), slots))
    taken = whole.take(slots)
    assert taken.layout == part.layout and same(taken, part)
    spread = Statistics.decode(LAYOUT, part.encode())
    assert spread.layout == LAYOUT and same(spread.take(slots), part)
    others = [slot for slot in range(5) if slot not in slots]
    shared = 2 + 4
    gone = LAYOUT.places(others)[shared:]
    for name in ("fine", "fine_places", "coarse", "coarse_places", "sums"):
        assert not spread.arrays()[name][:, gone].any()
    assert not spread.vectors[:, others].any()
    for name in ("counts", "users", "cover", "left_out"):
        np.testing.assert_array_equal(spread.arrays()[name], whole.arrays()[name])
    assert same(whole, make_statistics(LAYOUT, batch(seed)))


@settings(max_examples=10)
@given(st.integers(0, 10**6), SLOTS)
def test_a_windows_slots_are_those_of_its_total_and_blocks(seed: int, slots: list[int]) -> None:
    """A window of some slots is the window of statistics of those slots."""
    windows = RollingWindow(LAYOUT, 20, 10), RollingWindow(LAYOUT.take(slots), 20, 10)
    for start in (100, 110):
        windows[0].update(start, make_statistics(LAYOUT, batch(seed + start)))
        windows[1].update(start, make_statistics(LAYOUT.take(slots), only(batch(seed + start), slots)))
    whole, part = windows[0].get(120), windows[1].get(120)
    taken = whole.take(slots)
    assert (taken.start, taken.end) == (100, 120) and same(taken.total, part.total)
    assert len(taken.blocks) == len(part.blocks) == 2
    for mine, theirs in zip(taken.blocks, part.blocks, strict=True):
        for name in ("coarse", "coarse_places", "sums", "counts"):
            np.testing.assert_array_equal(getattr(mine, name), getattr(theirs, name))


def test_all_slots_are_the_statistics_themselves() -> None:
    """Nothing is copied where nothing is left out."""
    whole = make_statistics(LAYOUT, batch(1))
    window = RollingWindow(LAYOUT, 10, 10)
    window.update(0, whole)
    assert whole.take([0, 1, 2, 3, 4]) is whole
    found = window.get(10)
    assert found.take([0, 1, 2, 3, 4]) is found and isinstance(found.blocks[0], Block)


def test_wide_counts_stay_wide_in_more_slots() -> None:
    """Counts beyond 32 bits survive being read with all slots."""
    part = make_statistics(LAYOUT.take([1]), only(batch(2), [1]))
    for _ in range(26):
        part.merge(Statistics.decode(part.layout, part.encode()))
    spread = Statistics.decode(LAYOUT, part.encode())
    assert part.fine.dtype == np.int64 and same(spread.take([1]), part)


def test_slots_of_other_names_are_refused() -> None:
    """Statistics of a variant that the settings do not know are not read as those of another."""
    other = {"variant": [{"name": "x", "preference": "coclick", "dimension": 2, "versions": 1}]}
    with pytest.raises(BlockError, match="the settings ask for"):
        Statistics.decode(LAYOUT, Statistics(Layout.of(Settings.of(other))).encode())
