"""A snapshot that is not complete: of any shard that copies its own in steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from lis_online.shards.join import JoinShard
from lis_online.shards.rank import RankShard
from lis_online.snapshots.contract import Snapshot
from tests.join.logs import EXPERIMENTS, impression, records
from tests.join.small_steps import small_steps
from tests.shards.test_join_snapshot import state
from tests.shards.test_rank_snapshot import small_pieces
from tests.shards.village import SETTINGS, blocks, copied, frozen, rank_log


@contextmanager
def rank() -> Iterator[RankShard]:
    """Return a shard that has been fed and copies little at a time."""
    shard = RankShard(SETTINGS)
    shard.feed(rank_log(blocks()[0][:3]))
    with small_pieces(2000):
        yield shard


@contextmanager
def join() -> Iterator[JoinShard]:
    """Return a shard that has been fed and copies little at a time."""
    shard = JoinShard(EXPERIMENTS, 0)
    shard.feed(records("impressions", [impression(f"r{k}", f"u{k}", 1000 + k) for k in range(9)]))
    with small_steps():
        yield shard


@pytest.mark.parametrize(("fed", "content"), [(rank, frozen), (join, state)])
def test_a_snapshot_that_is_not_complete_is_not_given(fed: Any, content: Callable[[Snapshot], Any]) -> None:
    """Its step says when it is; another one may be begun instead, and a restored shard begins anew."""
    with fed() as shard:
        given_up, making = shard.begin_snapshot(), shard.begin_snapshot()
        assert not making.step(0)
        with pytest.raises(ValueError, match="a snapshot must be complete before it is taken, got one in the making"):
            making.get()
        while not making.step(0):
            pass
        with pytest.raises(ValueError, match="before another one is begun, got one that was given up"):
            given_up.step(0)
        left = shard.begin_snapshot()
        shard.restore(copied(making.get()))
        with pytest.raises(ValueError, match="got one that was given up"):
            left.step(0)
        assert content(making.get()) == content(shard.snapshot())
