import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lis_online.metrics.bins import COARSE
from lis_online.metrics.blocks import Block, merge_block
from tests.metrics.raw import LAYOUT, RANKERS, Slate, bins, statistics


def made(seed: int, count: int) -> list[Slate]:
    """Return random slates."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 4, count)
    return [
        Slate(0, int(rng.integers(1, 9)), int(rng.integers(0, 3)), tuple(rng.integers(0, 2, n).tolist()),
              rng.normal(0, 3, (RANKERS, n)).astype(np.float32))
        for n in sizes
    ]  # fmt: skip


def same(one: Block, two: Block) -> bool:
    """Return whether two blocks are equal, number for number and in type."""
    parts = [
        (one.coarse, two.coarse),
        (one.coarse_places, two.coarse_places),
        (one.sums, two.sums),
        (one.counts, two.counts),
    ]
    return all(a.dtype == b.dtype and np.array_equal(a, b) for a, b in parts)


@settings(max_examples=30)
@given(st.integers(0, 10**6), st.integers(0, 12))
def test_a_block_is_the_loop_over_its_samples(seed: int, count: int) -> None:
    """Coarse histogram by label, sums and counts, over all users."""
    slates = made(seed, count)
    block = Block.of(statistics(slates))
    coarse = np.zeros_like(block.coarse)
    counts = np.zeros_like(block.counts)
    for slate in slates:
        for index in (0, 1 + slate.surface):
            mixed = len(set(slate.labels)) == 2
            counts[index] += (len(slate.labels), sum(slate.labels), 1, mixed)
            for ranker in range(RANKERS):
                for place, label in zip(bins(slate.logits[ranker], COARSE), slate.labels, strict=True):
                    coarse[index, ranker, label, place] += 1
    assert np.array_equal(block.coarse, coarse) and np.array_equal(block.counts, counts)
    assert np.array_equal(block.coarse_places, statistics(slates).coarse_places.sum(axis=2))
    assert np.array_equal(block.sums, statistics(slates).sums.sum(axis=2))
    assert block.coarse.shape == (len(LAYOUT.slices), RANKERS, 2, 128)


@settings(max_examples=20)
@given(st.integers(0, 10**6), st.integers(0, 6), st.integers(0, 6))
def test_blocks_add_subtract_and_survive_bytes(seed: int, one: int, two: int) -> None:
    """The sum of two is the block of both; taking one back leaves the other; bytes keep every number."""
    first, second = made(seed, one), made(seed + 1, two)
    whole = Block.of(statistics(first + second))
    block = Block.empty(LAYOUT)
    block.merge(Block.of(statistics(first)))
    block.merge(Block.of(statistics(second)))
    assert same(block, whole)
    assert same(Block.restore(LAYOUT, block.snapshot()), whole)
    block.subtract(Block.of(statistics(first)))
    assert same(block, Block.of(statistics(second)))


def test_blocks_of_one_key_are_summed() -> None:
    """The first is kept as it is, the next are added."""
    blocks: dict[int, Block] = {}
    parts = [made(k, 4) for k in range(3)]
    for part, key in zip(parts, (7, 8, 7), strict=True):
        merge_block(blocks, key, Block.of(statistics(part)))
    assert sorted(blocks) == [7, 8]
    assert same(blocks[7], Block.of(statistics(parts[0] + parts[2]))) and same(
        blocks[8], Block.of(statistics(parts[1]))
    )
