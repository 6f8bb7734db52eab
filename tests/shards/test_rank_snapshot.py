"""A rank shard's snapshot is its state when it began, whatever is fed until it is complete."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import pytest

from lis_online.preference import sketch
from lis_online.records import Record
from lis_online.shards import delay_line
from lis_online.shards.rank import RankShard
from lis_online.snapshots import held_rows, packing
from lis_online.snapshots.contract import Snapshot
from tests.shards.test_rank_versions import SWITCH, blocks_of, republished, two
from tests.shards.village import SETTINGS, copied, frozen, rank_log


@contextmanager
def small_pieces(size: int) -> Iterator[None]:
    """Make a step's piece that many bytes long for as long as this lasts."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (held_rows, packing, sketch, delay_line):
            patch.setattr(module, "PIECE", size)
        yield


@cache
def three() -> list[Record]:
    """Return the log of a feed whose variant "good" has a second and a third version, in two slots."""
    return rank_log(blocks_of(republished(SWITCH + 8, "3", stop=True, base=lambda: two(True)), size=20)[0])


def same(one: Snapshot, other: Snapshot) -> bool:
    """Say whether two snapshots are the same bytes: megabytes, of which pytest would tell the differences."""
    return frozen(one) == frozen(other)


@pytest.mark.parametrize("seed", range(3))
def test_feeding_between_the_steps_changes_nothing(seed: int) -> None:
    """It equals one that was copied at once, continues as that does, and what the shard sends is not touched."""
    chance, log = random.Random(seed), three()
    first, second = sorted(chance.sample(range(len(log) // 4, len(log) - 4), 2))
    stepping, calm, complete = RankShard(SETTINGS), RankShard(SETTINGS), False
    with small_pieces(chance.choice([200, 2000, 20_000])):
        for place, record in enumerate(log):
            if place in (first, second):
                at_once, following = copied(calm.snapshot()), place
                making, complete = stepping.begin_snapshot(), False
            assert stepping.feed([record]) == calm.feed([record])
            for _ in range(chance.randrange(30) if place >= first and not complete else 0):
                complete = making.step(0)
        while not making.step(0):
            pass
        assert same(making.get(), at_once)
        assert same(stepping.snapshot(), calm.snapshot())
    one, other = RankShard(SETTINGS), RankShard(SETTINGS)
    one.restore(copied(making.get()))
    other.restore(copied(at_once))
    assert one.feed(log[following:]) == other.feed(log[following:])


def test_all_that_changes_with_a_step_is_set_aside() -> None:
    """A snapshot that is begun early and copied at the end of the log alone."""
    log = three()
    stepping, calm = RankShard(SETTINGS), RankShard(SETTINGS)
    for shard in (stepping, calm):
        shard.feed(log[: len(log) // 2])
    making, at_once = stepping.begin_snapshot(), copied(calm.snapshot())
    stepping.feed(log[len(log) // 2 :])
    assert not same(stepping.snapshot(), at_once)
    with pytest.raises(ValueError, match="before another one is begun, got one that was given up"):
        making.step(0)
    again = RankShard(SETTINGS)
    again.restore(copied(at_once))
    making = again.begin_snapshot()
    again.feed(log[len(log) // 2 :])
    assert making.step(3600) and same(making.get(), at_once)
