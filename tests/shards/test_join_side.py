"""Side records in the join shard: preferences and vectors are passed on at once, in the order of their topic."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

from lis_online.events.batches import PairBatch, VectorBatch
from lis_online.events.hashing import id_hash, salt_of
from lis_online.join.coengagement import click_hash
from lis_online.records import Record
from lis_online.shards.join import JoinShard
from tests.join.logs import SETTINGS, output, preference, records, representation, run


def test_preferences_are_forwarded_at_once_with_their_offsets() -> None:
    """A pair never waits; a null user is 0."""
    given = [preference(weight=3), b"{", preference(user_id=None, ts=1)]
    out = run(records("preferences", given))
    (side,) = out.blocks[0].side
    batch = PairBatch.decode(side.data)
    assert np.frombuffer(side.offsets, "<i8").tolist() == [0, 2] and side.variant == -1
    assert batch.source.tolist() == [3, 3] and batch.user.tolist() == [id_hash("u1"), 0]
    assert batch.weight.tolist() == [3, 1] and len(set(batch.click.tolist())) == 2
    assert batch.ts.tolist() == [900, 1] and len(out.letters) == 1


def test_a_preference_has_the_same_click_wherever_it_is_read() -> None:
    """Placebo and thinning go by the click: it must not depend on how many partitions the topic has."""
    clicks = []
    for partition, offset in ((0, 5), (3, 0)):
        record = Record("preferences", partition, offset, -1, msgspec.json.encode(preference()))
        ((side,),) = (block.side for block in run([record]).blocks)
        clicks.append(PairBatch.decode(side.data).click.tolist())
    assert clicks[0] == clicks[1]


def test_pairs_of_one_action_share_its_click_as_built_in_ones_do() -> None:
    """What a user did to the second item at a time is one click; pairs without a user are each their own."""
    common = [preference(item_a=a, item_b="i9") for a in ("i1", "i2")]
    others = [preference(item_b="i8"), preference(item_b="i9", ts=901), preference(item_b="i9", user_id="u2")]
    nobody = [preference(item_a=a, item_b="i9", user_id=None) for a in ("i1", "i2")]
    out = run(records("preferences", [*common, *others, *nobody]))
    clicks = PairBatch.decode(out.blocks[0].side[0].data).click.tolist()
    assert clicks[0] == clicks[1] == click_hash(id_hash("u1"), id_hash("i9"), 900, salt_of("search"))
    assert len(set(clicks)) == len(clicks) - 1


def test_vectors_are_forwarded_by_variant() -> None:
    """Each variant's rows are a batch of float16 with the offsets of the topic; tombstones are counted."""
    given = [representation(), representation([1, 2, 3], variant="image"), None, representation([2, 4], version="2")]
    shard = JoinShard(SETTINGS, 0)
    (block,) = output(shard.feed(records("representations", given))).blocks
    title, image = block.side
    batch = VectorBatch.decode(title.data)
    assert np.frombuffer(title.offsets, "<i8").tolist() == [0, 3] and (title.variant, image.variant) == (0, 1)
    assert batch.vector.dtype == np.float16 and batch.vector.tolist() == [[0.5, -1], [2, 4]]
    assert batch.version.tolist() == [id_hash("1"), id_hash("2")] and shard.counts == {"tombstone": 1}


def test_side_records_over_many_blocks_keep_the_order_of_their_topic() -> None:
    """Variants take turns in one topic: no block holds an offset below one that an earlier block held."""
    names = ("title", "image")
    given = [representation([1] * (2 + k % 2), variant=names[k % 2], item_id=f"i{k}") for k in range(30_000)]
    given[7] = None  # type: ignore[call-overload]
    out = run(records("representations", given), records("preferences", [preference()] * 9000))
    assert len(out.blocks) > 3 and all(len(block.encode()) < 450_000 for block in out.blocks)
    seen: dict[bool, list[int]] = {True: [], False: []}
    for block in out.blocks:
        for is_pairs in (True, False):
            sides = [side for side in block.side if (side.variant < 0) == is_pairs]
            new = sorted(int(o) for side in sides for o in np.frombuffer(side.offsets, "<i8"))
            assert not new or not seen[is_pairs] or new[0] > seen[is_pairs][-1]
            seen[is_pairs] += new
    assert seen[False] == [k for k in range(30_000) if k != 7] and seen[True] == list(range(9000))


@pytest.mark.parametrize(
    ("topic", "value", "reason"),
    [
        ("preferences", preference(source="clicks"), "unknown_source"),
        ("preferences", preference(ts=1600), "too_far_ahead"),
        ("representations", representation(variant="x"), "unknown_variant"),
        ("representations", representation([1, 2, 3]), "wrong_dimension"),
        ("representations", representation(ts=1600), "too_far_ahead"),
    ],
)
def test_side_records_that_do_not_fit_the_settings_are_refused(topic: str, value: Any, reason: str) -> None:
    """A built-in source, an unknown variant, a wrong dimension or a broken clock is a dead letter and a count."""
    shard = JoinShard(SETTINGS, 0)
    (letter,) = shard.feed([Record(topic, 0, 0, 1000, msgspec.json.encode(value))])
    assert dict(letter.headers)["reason"] == reason.encode() and shard.counts == {reason: 1}
