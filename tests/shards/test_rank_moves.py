"""A rank shard that moves between devices by its checkpoint."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lis_online.records import Record
from lis_online.settings import Settings
from lis_online.shards.fingerprint import fingerprint
from lis_online.shards.rank import RankShard
from tests.shards.village import blocks, copied, frozen, rank_log, statistics, table

gpu = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no CUDA")]
DEVICES = ["cpu", pytest.param("cuda", marks=gpu)]


def settings_on(device: str) -> Settings:
    """Return the village's settings with a device."""
    return Settings.of(table(training={**table()["training"], "device": device}))


def halves() -> tuple[list[Record], list[Record]]:
    """Return the rank log in two parts."""
    log = rank_log(blocks()[0])
    return log[: len(log) // 2], log[len(log) // 2 :]


@pytest.mark.parametrize("onto", DEVICES)
@pytest.mark.parametrize("made_on", DEVICES)
def test_checkpoint_of_one_device_is_that_of_another_to_the_last_byte(made_on: str, onto: str) -> None:
    """Nothing in it says where it was made, and moving it changes no number: restored there, it is saved as it was."""
    shard, other = RankShard(settings_on(made_on)), RankShard(settings_on(onto))
    shard.feed(halves()[0])
    saved = shard.snapshot()
    assert all(type(array) is np.ndarray for array in saved.arrays.values())
    other.restore(copied(saved))
    assert frozen(other.snapshot()) == frozen(saved)


@pytest.mark.parametrize("onto", DEVICES)
@pytest.mark.parametrize("made_on", DEVICES)
def test_shard_that_moved_on_the_way_measures_what_one_that_stayed_does(made_on: str, onto: str) -> None:
    """The same samples in the same buckets; scores differ by the rounding of another device at most."""
    first, second = halves()
    stayed, made, moved = (RankShard(settings_on(device)) for device in ("cpu", made_on, onto))
    wanted = statistics(stayed.feed(first + second), stayed)
    sent = made.feed(first)
    moved.restore(copied(made.snapshot()))
    found = statistics([*sent, *moved.feed(second)], moved)
    assert [one.samples for one in found] == [one.samples for one in wanted]
    if {made_on, onto} == {"cpu"}:
        assert [one.encode() for one in found] == [one.encode() for one in wanted]
    for name in stayed.rankers.parameters:
        here, there = (shard.rankers.parameters[name].cpu() for shard in (stayed, moved))
        torch.testing.assert_close(there, here, rtol=1e-3, atol=1e-4)


def test_settings_of_another_device_take_the_same_checkpoints() -> None:
    """Which device it was is no part of what a checkpoint must fit, nor what happens when it fails."""
    tables = [{"training": {"device": "cpu"}}, {"training": {"device": "cuda:1", "on_device_failure": "stop"}}]
    first, second = (fingerprint(Settings.of(one)) for one in tables)
    assert first == second
