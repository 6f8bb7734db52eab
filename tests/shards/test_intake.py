"""The rank log's reader: every row once, nothing missing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lis_online.errors import BlockError
from lis_online.events.batches import PairBatch, SlateBatch, VectorBatch
from lis_online.events.names import Names
from lis_online.events.rank_log import VERSION, Block, Side
from lis_online.shards.intake import Intake

NAMES = Names(["s"], ["even", "odd"], [], [])


def slates(first: int, count: int) -> bytes:
    """Return slates whose request is their sequence number, of one item each."""
    i64 = np.arange(first, first + count)
    one, none = np.ones(count, np.int32), np.zeros(0, np.int64)
    zero = i64 * 0
    return SlateBatch(
        i64 * 10, i64, zero, zero.astype(np.int16), np.zeros((count, 0), np.int16), one, one * 0, i64,
        zero.astype(np.uint8), zero, zero.astype(np.int16), zero, zero, zero, none, none,
    ).encode()  # fmt: skip


def pairs(first: int, count: int) -> PairBatch:
    """Return pairs whose click is their sequence number."""
    i64 = np.arange(first, first + count)
    return PairBatch(i64, (i64 * 0).astype(np.int16), i64, i64, i64, i64, (i64 * 0 + 1).astype(np.int32))


def side(variant: int, offsets: list[int]) -> Side:
    """Return side records whose click, or item, is their offset."""
    rows = np.array(offsets, np.int64)
    data = pairs(0, 0) if variant < 0 else VectorBatch(rows, rows, rows, np.zeros((len(rows), 2), np.float16))
    if variant < 0:
        data = PairBatch(rows, (rows * 0).astype(np.int16), rows, rows, rows, rows, (rows * 0 + 1).astype(np.int32))
    return Side(variant, rows.astype("<i8").tobytes(), data.encode())


def block(shard: int = 0, slate: tuple[int, int] = (0, 0), pair: tuple[int, int] = (0, 0), **more: Any) -> Block:
    """Return a block with (first, count) of slates and pairs; more: sides, watermark."""
    return Block(
        VERSION,
        shard,
        slate[0],
        slates(*slate) if slate[1] else b"",
        pair[0],
        pairs(*pair).encode() if pair[1] else b"",
        more.get("sides", []),
        more.get("watermark", 0),
    )


class Seen:
    """All that an intake has given out, by kind."""

    def __init__(self, shards: int = 1) -> None:
        self.intake = Intake(shards, NAMES)
        self.slates: list[int] = []
        self.pairs: list[int] = []
        self.vectors: list[tuple[int, int]] = []

    def feed(self, block: Block) -> None:
        """Feed a block and note what is new."""
        arrivals = self.intake.feed(block)
        if arrivals.slates is not None:
            self.slates += arrivals.slates.request.tolist()
            assert arrivals.slates.item.tolist() == arrivals.slates.request.tolist()
        for batch in arrivals.pairs:
            self.pairs += batch.click.tolist()
        for variant, vectors, _ in arrivals.vectors:
            self.vectors += [(variant, item) for item in vectors.item.tolist()]


@pytest.mark.parametrize("kind", ["slate", "pair"])
def test_a_gap_is_refused_and_names_shard_and_sequence(kind: str) -> None:
    """A lost record of the rank log stops the shard: a hole would be a silently wrong number."""
    intake = Intake(3, NAMES)
    intake.feed(block(shard=2, **{kind: (0, 4)}))
    with pytest.raises(BlockError, match=rf"join shard 2: {kind} 4 must come next, got 6: records .* are missing"):
        intake.feed(block(shard=2, **{kind: (6, 1)}))


@pytest.mark.parametrize("shard", [2, -1])
def test_an_unknown_shard_is_refused(shard: int) -> None:
    """More join shards than the settings have partitions: users have moved."""
    with pytest.raises(BlockError, match=rf"join shard must be < 2 \(partitions of the settings\), got {shard}"):
        Intake(2, NAMES).feed(block(shard=shard))


def test_overlapping_rows_are_taken_once() -> None:
    """A sender that was set back cuts its rows in other places; the receiver takes what follows what it has."""
    seen = Seen()
    for slate, pair in (((0, 5), (0, 2)), ((3, 4), (0, 2)), ((2, 3), (1, 4)), ((7, 1), (5, 1)), ((0, 8), (0, 6))):
        seen.feed(block(slate=slate, pair=pair))
    assert seen.slates == list(range(8))
    assert seen.pairs == list(range(6))


def test_side_offsets_are_kept_for_each_topic_and_shard() -> None:
    """Preferences, and the vectors of each variant, have one sequence each in every partition."""
    seen = Seen(shards=2)
    seen.feed(block(sides=[side(-1, [0, 1]), side(0, [0, 3]), side(1, [1, 2])]))
    seen.feed(block(sides=[side(-1, [1, 2]), side(1, [2, 4])]))
    seen.feed(block(shard=1, sides=[side(-1, [0]), side(0, [0])]))
    assert seen.pairs == [0, 1, 2, 0]
    assert seen.vectors == [(0, 0), (0, 3), (1, 1), (1, 2), (1, 4), (0, 0)]


def test_a_variant_that_is_read_from_the_beginning_later_is_taken_once() -> None:
    """Its offsets begin below those of the other variants, and are known apart from them."""
    seen = Seen()
    seen.feed(block(sides=[side(0, [2, 4, 6])]))
    for _ in range(2):
        seen.feed(block(sides=[side(1, [1, 3])]))
        seen.feed(block(sides=[side(0, [2, 8]), side(1, [3, 5, 7])]))
    assert seen.vectors == [(0, 2), (0, 4), (0, 6), (1, 1), (1, 3), (0, 8), (1, 5), (1, 7)]


def test_the_watermark_is_the_slowest_shards_and_never_falls() -> None:
    """Nothing is known before every join shard has spoken; a block that comes again takes nothing back."""
    intake = Intake(2, NAMES)
    intake.feed(block(shard=0, watermark=500))
    assert intake.watermark < 0
    intake.feed(block(shard=1, watermark=300))
    assert intake.watermark == 300
    intake.feed(block(shard=1, watermark=200))
    assert intake.watermark == 300
    intake.feed(block(shard=1, watermark=900))
    assert intake.watermark == 500


@given(st.data())
def test_any_resending_gives_every_row_once_and_in_order(data: st.DataObject) -> None:
    """Whatever a sender repeats, and wherever the receiver is restored from its snapshot."""
    seen = Seen()
    reached = [0, 0, 0]
    for _ in range(data.draw(st.integers(1, 12))):
        firsts = [data.draw(st.integers(0, to)) for to in reached]
        counts = [data.draw(st.integers(0, 4)) for _ in reached]
        offsets = list(range(firsts[2], firsts[2] + counts[2]))
        both = [[offset for offset in offsets if offset % 2 == variant] for variant in (0, 1)]
        sides = [side(variant, mine) for variant, mine in enumerate(both) if mine]
        seen.feed(block(slate=(firsts[0], counts[0]), pair=(firsts[1], counts[1]), sides=sides))
        reached = [max(to, first + count) for to, first, count in zip(reached, firsts, counts, strict=True)]
        if data.draw(st.booleans()):
            again = Intake(1, NAMES)
            again.restore(seen.intake.snapshot())
            seen.intake = again
    assert seen.slates == list(range(reached[0]))
    assert seen.pairs == list(range(reached[1]))
    for variant in (0, 1):
        assert [item for of, item in seen.vectors if of == variant] == list(range(variant, reached[2], 2))


OTHER = Names(["new", "s"], ["odd", "gone", "even"], [], [])


def test_indices_are_those_of_the_blocks_own_names() -> None:
    """After a change of the settings' order, and where something has left them."""
    seen = Seen()
    made = block(pair=(0, 2), sides=[side(-1, [0]), side(0, [1]), side(1, [2]), side(2, [3])])
    made.names = Names(["gone", "s"], OTHER.variants, [], []).encode()
    seen.feed(made)
    assert seen.pairs == []  # of a source that is not there any more
    assert seen.vectors == [(1, 1), (0, 3)]


def test_names_that_are_not_there_yet_are_refused() -> None:
    """A sender under newer settings: what this shard left out now would never come again."""
    intake = Intake(1, NAMES)
    old, own, newer = (block(sides=[side(0, [at])]) for at in range(3))
    old.names, own.names, newer.names = (one.encode() for one in (OTHER, NAMES, OTHER))
    intake.feed(old)  # before the sender has written under the shard's names: a past configuration
    intake.feed(own)
    with pytest.raises(BlockError, match="join shard 0 sends preference source 'new', which these settings do not"):
        intake.feed(newer)
    again = Intake(1, NAMES)
    again.restore(intake.snapshot(), renamed=True)
    again.feed(newer)  # the shard has just left these names behind
