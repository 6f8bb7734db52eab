"""Pairs of the `preferences` topic behave exactly as built-in ones."""

from __future__ import annotations

import msgspec
import pytest

from lis_online.events.batches import PairBatch
from lis_online.events.hashing import id_hash
from lis_online.settings import Settings
from lis_online.shards.join import JoinShard
from lis_online.shards.rank import RankShard
from tests.shards.village import (
    SETTINGS,
    Log,
    blocks,
    buckets,
    calm,
    decoded,
    feed,
    joined,
    partitions,
    rank_log,
    shuffled,
    table,
)

SOURCE = [source.name for source in SETTINGS.preference].index("coclick")


def as_records() -> Log:
    """Return the pairs of the built-in source of co-clicks as records of the topic, in the order of their time."""
    names: dict[int, str] = {}
    for _, value in feed():
        event = msgspec.json.decode(value or b"")
        known = [event.get("user_id"), event.get("item_id"), *event.get("items", []), *event.get("history", [])]
        names |= {id_hash(name): name for name in known if name}
    found = PairBatch.concatenate([PairBatch.decode(block.pairs) for block in map(decoded, blocks()[0]) if block.pairs])
    found = found.take(found.source == SOURCE)
    rows = zip(*(c.tolist() for c in (found.ts, found.item_a, found.item_b, found.user, found.weight)), strict=True)
    return [
        ("preferences", msgspec.json.encode({
            "schema_version": 1, "source": "coclick", "item_a": names[a], "item_b": names[b], "user_id": names[user],
            "weight": weight, "ts": ts,
        }))
        for ts, a, b, user, weight in rows
    ]  # fmt: skip


@pytest.mark.parametrize("shards", [1, 2])
def test_the_pairs_of_a_built_in_source_read_from_the_topic_give_the_same_records(shards: int) -> None:
    """Same users, times and weights: the same past, leaked, placebo and thinned rankers, to the last byte.

    What a user did to an item makes one click with all its pairs, built in or read: the placebo keeps those apart.
    """
    pairs = as_records()
    assert len(pairs) > 100 and len({msgspec.json.decode(v or b"")["ts"] for _, v in pairs}) < len(pairs)
    external = [
        {"name": source["name"], "kind": "topic"} if source["name"] == "coclick" else source
        for source in table()["preference"]
    ]
    settings = Settings.of(table(preference=external))
    parts = partitions([*pairs, *feed()], shards)
    log = [joined(part, 150, JoinShard(settings, shard)) for shard, part in enumerate(parts)]
    assert RankShard(settings, shards=shards).feed(rank_log(shuffled(log, 1))) == calm()
    assert len(buckets(calm())) > 5
