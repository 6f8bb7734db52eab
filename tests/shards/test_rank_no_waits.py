"""A whole rank shard on a device that shows no data: what its steps wait for, by name."""

from __future__ import annotations

from collections import Counter

import pytest

from lis_online.shards import rank
from lis_online.shards.rank import RankShard
from tests.no_data import DEVICE, NoData
from tests.shards.village import SETTINGS, blocks, rank_log

LOGITS = "group.py step: aten._to_copy.default"
COVER = "rank_features.py _covers: aten._to_copy.default"
OCCUPANCY = "sketch.py _used: aten._to_copy.default"


def test_a_step_waits_for_its_logits_and_then_takes_the_cover(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice a step, the second time for a copy alone; beside it the occupancy, an eighth of the memory apart."""
    monkeypatch.setattr(rank, "choose_device", lambda name: DEVICE)
    waits: list[str] = []
    step = RankShard._step
    steps = 0

    def watched(shard: RankShard, *arguments: object) -> None:
        nonlocal steps
        device.taken()
        step(shard, *arguments)  # type: ignore[arg-type]
        steps += 1
        waits.extend(device.taken())

    monkeypatch.setattr(RankShard, "_step", watched)
    with NoData() as device:
        shard = RankShard(SETTINGS)
        shard.feed(rank_log(blocks()[0][:13]))
    found = Counter(waits)
    assert steps > 5
    assert found[LOGITS] == found[COVER] == steps
    assert found.keys() - {OCCUPANCY} == {LOGITS, COVER}
