import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lis_online.metrics.blocks import Block
from lis_online.metrics.statistics import Statistics
from lis_online.metrics.whole_run import WholeRun
from lis_online.metrics.windows import RollingWindow, Window
from lis_online.snapshots.steps import at_once
from tests.metrics.worlds import make_layout, make_scored, make_statistics, same

LAYOUT = make_layout()
POOL = [make_statistics(LAYOUT, make_scored(np.random.default_rng(k), LAYOUT, slates=2, size=3)) for k in range(7)]
DATA = [statistics.encode() for statistics in POOL]


def merged(starts: list[int]) -> Statistics:
    """Return the sum of the buckets that start at these times, by hand."""
    total = Statistics(LAYOUT)
    for start in starts:
        total.merge(POOL[start % len(POOL)])
    return total


def blocks_agree(window: Window, starts: list[int], width: int) -> bool:
    """Return whether a window's blocks are the sums of the buckets of each stretch of `width`."""
    keys = sorted({start // width for start in starts})
    expected = [Block.of(merged([s for s in starts if s // width == key])) for key in keys]
    arrays = [
        (a.coarse, b.coarse, a.sums, b.sums, a.counts, b.counts) for a, b in zip(expected, window.blocks, strict=True)
    ]
    return all(np.array_equal(c, d) and np.array_equal(e, f) and np.array_equal(g, h) for c, d, e, f, g, h in arrays)


@settings(max_examples=12, deadline=None)
@given(
    st.sampled_from([1, 5, 16, 40, 200]),
    st.lists(st.integers(1, 9), min_size=1, max_size=25),
    st.integers(0, 60),
    st.booleans(),
)
def test_window_equals_the_sum_of_its_buckets(length: int, gaps: list[int], silence: int, encoded: bool) -> None:
    """After any stream with gaps, and any silence, a window is the sum of its buckets, block by block."""
    window = RollingWindow(LAYOUT, length, 1)
    starts: list[int] = []
    for start in np.cumsum(gaps).tolist():
        starts.append(start)
        kind = start % len(POOL)
        window.update(start, POOL[kind], DATA[kind] if encoded else None)
        window.get(start + 1)
    found = window.get(starts[-1] + 1 + silence)
    kept = [start for start in starts if found.start <= start < found.end]
    assert found.end - length <= found.start <= found.end - length * 95 // 96 + 1
    assert same(found.total, merged(kept))
    assert blocks_agree(found, kept, window.width)
    assert len(found.blocks) <= 17


@settings(max_examples=10, deadline=None)
@given(st.permutations(range(12)), st.sampled_from([12, 200]))
def test_buckets_in_any_order_give_the_same_window(order: list[int], length: int) -> None:
    """A rolling window and a whole run do not depend on the order in which buckets come."""
    rolling, whole = RollingWindow(LAYOUT, length, 1), WholeRun(LAYOUT, 1)
    for start in order:
        rolling.update(start, POOL[start % len(POOL)])
        whole.update(start, POOL[start % len(POOL)])
    found = whole.get()
    assert found is not None and (found.start, found.end) == (0, 12)
    assert same(rolling.get(12).total, merged(list(range(12)))) and same(found.total, merged(list(range(12))))
    assert blocks_agree(found, list(range(12)), 1)


def test_silent_stream_empties_the_window() -> None:
    """A window expires when it is read, not when something newer comes."""
    window = RollingWindow(LAYOUT, 10, 1)
    window.update(0, POOL[0])
    assert window.get(10).total.samples > 0
    found = window.get(11)
    assert not any(array.any() for array in found.total.arrays().values()) and found.blocks == []


@pytest.mark.parametrize("length", [15, 200])
def test_memory_does_not_grow_with_the_stream(length: int) -> None:
    """However long the stream, a window keeps at most 96 tiles and 17 blocks."""
    window = RollingWindow(LAYOUT, length, 1)
    for start in range(220):
        window.update(start, POOL[start % 7], DATA[start % 7])
        assert len(window.get(start + 1).blocks) <= 17
    assert len(window.snapshot()) <= 97


def test_whole_run_keeps_16_to_31_blocks() -> None:
    """Blocks double their length when they reach 32, so a long run keeps between 16 and 31 equal ones."""
    whole = WholeRun(LAYOUT, 1)
    starts = list(range(150))
    for start in starts:
        whole.update(start, POOL[start % 7])
        found = whole.get()
        assert found is not None and min(start + 1, 16) <= len(found.blocks) <= 31
    assert blocks_agree(found, starts, 8)


@settings(max_examples=8, deadline=None)
@given(st.lists(st.integers(1, 30), min_size=1, max_size=20), st.sampled_from([16, 200]))
def test_restored_windows_go_on_exactly(gaps: list[int], length: int) -> None:
    """A window restored from a snapshot gives the same as the one it was taken of, now and later."""
    starts = np.cumsum(gaps).tolist()
    windows = [RollingWindow(LAYOUT, length, 1) for _ in range(2)]
    wholes = [WholeRun(LAYOUT, 1) for _ in range(2)]
    cut = len(starts) // 2
    for k, start in enumerate(starts):
        if k == cut:
            windows[1].restore(windows[0].snapshot())
            wholes[1].restore(at_once(wholes[0].copying()))
        for window, whole in list(zip(windows, wholes, strict=True))[: 1 + (k >= cut)]:
            window.update(start, POOL[start % 7], DATA[start % 7])
            whole.update(start, POOL[start % 7])
    one, two = (window.get(starts[-1] + 1) for window in windows)
    assert one.start == two.start and same(one.total, two.total)
    assert [b.counts.tolist() for b in one.blocks] == [b.counts.tolist() for b in two.blocks]
    assert at_once(wholes[0].copying()) == at_once(wholes[1].copying())


def test_length_of_parts_of_a_bucket_is_refused() -> None:
    """A window is a whole number of buckets."""
    with pytest.raises(ValueError, match="length must be a whole number of buckets of 60 ms, got 90"):
        RollingWindow(LAYOUT, 90, 60)


def test_restoring_replaces_what_was_there() -> None:
    """A window that takes over a checkpoint keeps nothing of its own, in its total, its blocks or its tiles."""
    window, other = RollingWindow(LAYOUT, 40, 1), RollingWindow(LAYOUT, 40, 1)
    window.update(5, POOL[5])
    other.update(3, POOL[3])
    other.restore(window.snapshot())
    assert same(other.get(6).total, POOL[5]) and len(other.get(6).blocks) == 1
    assert [start for start, _ in other.snapshot()] == [5]
    whole, another = WholeRun(LAYOUT, 1), WholeRun(LAYOUT, 1)
    whole.update(5, POOL[5])
    another.update(3, POOL[3])
    another.restore(at_once(whole.copying()))
    found = another.get()
    assert found is not None and (found.start, found.end) == (5, 6) and same(found.total, POOL[5])
    assert len(found.blocks) == 1


@pytest.mark.parametrize(
    ("length", "tile", "width"),
    [(1, 1, 1), (16, 1, 1), (17, 1, 2), (96, 1, 6), (97, 2, 8), (200, 3, 15), (960, 10, 60)],
)
def test_a_window_has_at_most_96_tiles_and_16_blocks(length: int, tile: int, width: int) -> None:
    """Tiles are the fewest buckets, blocks the fewest tiles, that keep a window within both."""
    window = RollingWindow(LAYOUT, length * 60, 60)
    assert (window.tile, window.width) == (tile * 60, width * 60)
