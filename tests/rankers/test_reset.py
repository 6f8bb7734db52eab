"""A control record in the rank log: at its own offset, for the rankers it names, and for nobody else."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from lis_online.events.rank_log import VERSION, Control
from lis_online.shards.rank import RankShard
from tests.shards.village import SETTINGS, blocks, buckets, calm, copied, rank_log, statistics

AT = len(blocks()[0]) * 2 // 3
NAMED = ["leaked:full", "aligned:good"]


def log(names: list[str]) -> list[bytes]:
    """Return the village's log with a control record two thirds in."""
    values = blocks()[0]
    return [*values[:AT], Control(VERSION, names).encode(), *values[AT:]]


@cache
def histograms(*names: str) -> np.ndarray:
    """Return the logit histograms of every bucket: [buckets, rankers, ...]; no names: of the calm log."""
    shard = RankShard(SETTINGS)
    sent = shard.feed(rank_log(log(list(names)))) if names else calm()
    return np.stack([one.fine[0] for one in statistics(sent, shard)])


def test_a_reset_changes_the_rankers_it_names_from_its_offset_on() -> None:
    """Before it nothing differs, after it the named rankers alone do."""
    before, after = histograms(), histograms(*NAMED)
    ranker = RankShard(SETTINGS).layout.rankers
    changed = {ranker[r] for r in range(len(ranker)) if not np.array_equal(before[:, r], after[:, r])}
    assert changed == set(NAMED)
    first = min(b for b in range(len(before)) if not np.array_equal(before[b], after[b]))
    assert 0 < first < len(before) - 1


@pytest.mark.parametrize("name", ["unleaked", "twin"])
def test_unleaked_and_twin_can_be_reset_too(name: str) -> None:
    """No other ranker looks at them when it learns."""
    before, after = histograms(), histograms(name)
    place = RankShard(SETTINGS).layout.rankers.index(name)
    assert not np.array_equal(before[:, place], after[:, place])
    assert np.array_equal(np.delete(before, place, axis=1), np.delete(after, place, axis=1))


def test_names_that_a_shard_does_not_have_are_passed_over() -> None:
    """One log may serve groups of other settings."""
    assert np.array_equal(histograms(), histograms("leaked:elsewhere", "aligned:good@7", ""))


def test_a_shard_restored_beside_the_record_goes_on_the_same() -> None:
    """The record takes effect once: neither lost nor done again when the log is read again from before it."""
    records = rank_log(log(NAMED))
    whole = RankShard(SETTINGS)
    expected = whole.feed(records)
    for cut in (AT, AT + 1):
        first, second = RankShard(SETTINGS), RankShard(SETTINGS)
        sent = first.feed(records[:cut])
        second.restore(copied(first.snapshot()))
        assert sent + second.feed(records[AT - 3 :]) == expected
    assert buckets(expected)[-1].set_aside == {}
