"""Forgetting in the join shard: a function of the partitions' order, complete, and of no effect on anybody else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as tries
from hypothesis import strategies as st

from lis_online.events.forget_request import encode
from lis_online.events.hashing import id_hash
from lis_online.events.person_hashes import PersonHashes, key_digest
from lis_online.events.windows_log import UserTotalsBucket
from lis_online.events.wire import END_TICK
from lis_online.experiments.user_totals import decode as decode_totals
from lis_online.experiments.user_totals import hashed
from lis_online.records import Record
from lis_online.settings import Settings
from lis_online.shards.join import JoinShard
from lis_online.snapshots.contract import Snapshot
from tests.join.logs import EXPERIMENTS, Output, feedback, impression, interleaved, output, partitions, records
from tests.join.small_steps import small_steps
from tests.shards.test_join_snapshot import state

WHO = "u1"
HASH = id_hash(WHO)
REQUEST = encode([HASH], None)

Log = tuple[list[Any], list[Any]]


@st.composite
def logs(draw: st.DrawFn) -> Log:
    """Draw two partitions with requests to forget users anywhere in them."""
    shown, acted = draw(partitions())
    for part in (shown, acted):
        for _ in range(draw(st.integers(0, 2))):
            users = draw(st.lists(st.sampled_from(["u0", "u1", "stranger"]), min_size=1, max_size=2))
            part.insert(draw(st.integers(0, len(part))), encode(list(map(id_hash, users)), None))
    return shown, acted


def parts_of(log: Log, timestamps: bool = True) -> tuple[list[Record], list[Record]]:
    """Return both partitions, ended."""
    return records("impressions", log[0], True, timestamps), records("feedback", log[1], True, timestamps)


def run(log: Log) -> Output:
    """Feed both partitions, one after the other."""
    shard = JoinShard(EXPERIMENTS, 0)
    return output([sent for part in parts_of(log) for sent in shard.feed(part)])


@tries(max_examples=80, deadline=None)
@given(logs(), st.data(), st.booleans())
def test_interleaving_and_batching_change_nothing(log: Log, data: st.DataObject, timestamps: bool) -> None:
    """Whom a request meets does not depend on who is read first."""
    parts = parts_of(log, timestamps)
    calm, shard = JoinShard(EXPERIMENTS, 0), JoinShard(EXPERIMENTS, 0)
    wanted = output([sent for part in parts for sent in calm.feed(part)])
    found = output([sent for batch in data.draw(st.composite(interleaved)(*parts)) for sent in shard.feed(batch)])
    assert (found.slates, found.pairs, found.windows) == (wanted.slates, wanted.pairs, wanted.windows)
    assert shard.counts == calm.counts


@tries(max_examples=80, deadline=None)
@given(logs(), st.data(), st.booleans())
def test_a_restart_in_the_middle_changes_nothing(log: Log, data: st.DataObject, timestamps: bool) -> None:
    """A request that waits, or was applied, is in the checkpoint; one that was read after it is read again."""
    batches = data.draw(st.composite(interleaved)(*parts_of(log, timestamps)))
    cut = data.draw(st.integers(0, len(batches)))
    with small_steps():
        stepping, calm, restored = (JoinShard(EXPERIMENTS, 0) for _ in range(3))
        for batch in batches[:cut]:
            assert stepping.feed(batch) == calm.feed(batch)
        saved, saving = calm.snapshot(), stepping.begin_snapshot()
        rest = []
        for batch in batches[cut:]:
            rest.append(calm.feed(batch))
            assert stepping.feed(batch) == rest[-1]
            saving.step(0)
        while not saving.step(0):
            pass
        assert state(saving.get()) == state(saved)
        restored.restore(Snapshot(msgspec.msgpack.decode(msgspec.msgpack.encode(saved.meta)), saved.arrays))
        assert [restored.feed(batch) for batch in batches[cut:]] == rest
        assert state(restored.snapshot()) == state(calm.snapshot()) == state(stepping.snapshot())


def asked(log: Log) -> Log:
    """Return a log whose last records ask both partitions to forget, with just enough after them to pass that time."""
    shown, acted = ([*part] for part in log)
    later = max([0, *(event["ts"] for event in shown + acted)]) + EXPERIMENTS.events.allowed_lateness + 1
    shown += [REQUEST, impression("last", "u9", later)]
    acted += [REQUEST, feedback("last", "u9", later, action="like")]
    return shown, acted


@tries(max_examples=60, deadline=None)
@given(partitions())
def test_nothing_that_names_the_user_is_left(log: Log) -> None:
    """Neither the hash nor the name in users' totals is in any array of the state, while windows are still open."""
    shard = JoinShard(EXPERIMENTS, 0)
    shown, acted = asked(log)
    sent = shard.feed(records("impressions", shown)) + shard.feed(records("feedback", acted))
    assert shard.watermark >= max([0, *(event["ts"] for event in log[0] + log[1])])
    assert not numbers(shard.snapshot()) & NAMES
    before = output(sent)
    ends = ("impressions", len(shown)), ("feedback", len(acted))
    out = output(sent + shard.feed([Record(topic, 0, offset, -1, END_TICK) for topic, offset in ends]))
    assert HASH not in {slate[2] for slate in out.slates[len(before.slates) :]}
    later = out.totals[len(before.totals) :]
    assert not {name for bucket in later for name in decode_totals(bucket.data).users.tolist()} & NAMES


NAMES = {HASH, int(hashed(np.array([HASH]))[0]), int(hashed(np.array([HASH])).view(np.int64)[0])}


def numbers(snapshot: Snapshot) -> set[int]:
    """Return every whole number of a snapshot, at whatever byte of an array it begins."""
    found = set(whole_numbers(snapshot.meta))
    for array in snapshot.arrays.values():
        raw = array.tobytes()
        for first in range(min(8, len(raw))):
            count = (len(raw) - first) // 8
            found |= set(np.frombuffer(raw, "<i8", count, first).tolist())
    return found


def whole_numbers(value: Any) -> Iterator[int]:
    """Yield the whole numbers in meta."""
    if isinstance(value, int):
        yield value
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from whole_numbers(key)
            yield from whole_numbers(one)
    elif isinstance(value, list):
        for one in value:
            yield from whole_numbers(one)


@tries(max_examples=80, deadline=None)
@given(partitions(), st.integers(0, 12), st.integers(0, 12))
def test_nobody_else_is_touched(log: Log, first: int, second: int) -> None:
    """Others' slates, pairs and totals are those of the log without a request."""
    with_requests = ([*log[0][:first], REQUEST, *log[0][first:]], [*log[1][:second], REQUEST, *log[1][second:]])
    calm, out = run(log), run(with_requests)
    assert [slate for slate in out.slates if slate[2] != HASH] == [slate for slate in calm.slates if slate[2] != HASH]
    assert [pair for pair in out.pairs if pair[4] != HASH] == [pair for pair in calm.pairs if pair[4] != HASH]
    assert totals_of_others(out) == totals_of_others(calm)


def totals_of_others(out: Output) -> list[Any]:
    """Return what others did, by bucket."""
    found = []
    for bucket in out.totals:
        assert isinstance(bucket, UserTotalsBucket)
        table = decode_totals(bucket.data)
        rows = zip(table.users.tolist(), table.arms.tolist(), table.flags.tolist(), table.totals.tolist(), strict=True)
        others = [row for row in rows if row[0] not in NAMES]
        if others:
            found.append((bucket.start, bucket.experiment, others))
    return found


@tries(max_examples=60, deadline=None)
@given(partitions())
def test_what_was_counted_stays_counted(log: Log) -> None:
    """The arms' moments, and every fate, of a user who does not come back are those of one who was never forgotten."""
    shown, acted = asked(log)
    ((_, last), (_, said)) = shown[-2:], acted[-2:]
    calm = run(([*log[0], last], [*log[1], said]))
    out = run(([*log[0], last, REQUEST], [*log[1], said, REQUEST]))
    assert out.reports[-1].arms == calm.reports[-1].arms
    forgotten = out.reports[-1].counts.pop("forgotten", 0)
    assert out.reports[-1].counts == calm.reports[-1].counts
    assert len(calm.slates) - len(out.slates) == forgotten


def test_who_comes_back_is_a_new_one() -> None:
    """Without a history, in an arm anew; what is acted on later from before is nobody's."""
    shown = [impression("r1", WHO, 1000, experiments={"e": "a"}), impression("r2", "u2", 1000, experiments={"e": "a"})]
    acted = [feedback("r1", WHO, 1010), feedback("r2", "u2", 1010)]
    again = [impression(f"{user}again", user, 1500, experiments={"e": "b"}) for user in (WHO, "u2")]
    late = [feedback("r1", WHO, 1290, "i2"), feedback("r2", "u2", 1290, "i2")]
    calm = run((shown + again, acted + late))
    out = run(([*shown, REQUEST, *again], [*acted, REQUEST, *late]))
    histories = [{slate[1]: slate[8] for slate in one.slates} for one in (calm, out)]
    mine, theirs = id_hash(f"{WHO}again"), id_hash("u2again")
    assert histories[0][mine] == histories[0][theirs] == [id_hash("i1"), id_hash("i2")]
    assert histories[1] == {id_hash("r2"): [], mine: [id_hash("i2")], theirs: [id_hash("i1"), id_hash("i2")]}
    assert [(arm.users, arm.crossed) for arm in calm.reports[-1].arms[:2]] == [(0, 2), (0, 2)]
    assert [(arm.users, arm.crossed) for arm in out.reports[-1].arms[:2]] == [(1, 1), (1, 1)]
    assert out.reports[-1].counts["forgotten"] == 1


def test_a_record_that_comes_again_does_not_bring_the_user_back() -> None:
    """A duplicate is known by its request, which is kept for as long as always."""
    shown = [impression("r1", WHO, 1000), REQUEST, impression("r2", "u2", 1001), impression("r1", WHO, 1001)]
    acted = [feedback("r9", "u9", 999)]
    shard = JoinShard(EXPERIMENTS, 0)
    shard.feed(records("impressions", [*shown, impression("r3", "u2", 1200)]))
    shard.feed(records("feedback", [*acted, feedback("r3", "u2", 1200)]))
    assert shard.counts == {"accepted": 3, "duplicate": 1, "forgotten": 1, "unattributed": 1}
    assert not numbers(shard.snapshot()) & NAMES


def test_a_request_waits_for_what_was_read_before_it() -> None:
    """It takes effect once the shard has passed the highest time of its partition, not at once."""
    shard = JoinShard(EXPERIMENTS, 0)
    shard.feed(records("impressions", [impression("r1", WHO, 1000), REQUEST]))
    shard.feed(records("feedback", [feedback("r1", WHO, 1001)]))
    assert HASH in numbers(shard.snapshot())
    later = [impression("r2", "u2", 1101), impression("r3", "u2", 1102)]
    for offset, event in enumerate(later, start=2):
        shard.feed([Record("impressions", 0, offset, -1, msgspec.json.encode(event))])
    shard.idle("impressions")
    shard.feed([Record("feedback", 0, 1, 1102, msgspec.json.encode(feedback("r2", "u2", 1102)))])
    assert shard.watermark == 1001
    assert shard.counts["forgotten"] == 1


def test_requests_at_the_ends_of_a_partition() -> None:
    """Before anything there is nobody to forget; after the end the shard forgets when both partitions have ended."""
    assert len(run(([REQUEST, impression("r1", WHO, 1000)], [REQUEST])).slates) == 1
    shard = JoinShard(EXPERIMENTS, 0)
    shard.feed(records("impressions", [impression("r1", WHO, 1000), END_TICK, REQUEST]))
    shard.feed(records("feedback", [feedback("r1", WHO, 1000), END_TICK, REQUEST]))
    assert not numbers(shard.snapshot()) & NAMES


def test_late_feedback_that_was_read_before_a_request_is_forgotten_too() -> None:
    """It waits for the first place that was not passed: in a partition that was passed over, after its own times."""
    shard = JoinShard(EXPERIMENTS, 0)
    shard.feed(records("impressions", [impression("r1", "u2", 5000)]))
    shard.idle("feedback")
    shard.feed(records("feedback", [feedback("r0", WHO, 100), REQUEST]))
    assert shard.watermark == 4899 and numbers(shard.snapshot()) & NAMES
    shard.feed([Record("impressions", 0, 1, 5200, msgspec.json.encode(impression("r2", "u2", 5200)))])
    shard.idle("feedback")
    assert not numbers(shard.snapshot()) & NAMES


def test_records_that_wait_for_a_verdict_come_before_a_request() -> None:
    """Without a Kafka timestamp a record is held until others show whether its clock is right; the request is not."""
    shown = records("impressions", [impression("r1", WHO, 1000), REQUEST], end=True, timestamps=False)
    shard = JoinShard(EXPERIMENTS, 0, "median")
    out = output(shard.feed(shown) + shard.feed(records("feedback", [], end=True)))
    assert out.slates == [] and shard.counts == {"accepted": 1, "forgotten": 1}


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (encode([HASH], "another key's digest"), b"invalid"),
        (b'{"schema_version":1,"control":"forget","users":["u1"]}', b"malformed"),
    ],
)
def test_a_request_that_cannot_be_meant_is_a_dead_letter_and_forgets_nobody(request_: bytes, reason: bytes) -> None:
    """Made under another key it would forget nobody, in silence, or somebody else."""
    log = [impression("r1", WHO, 1000), request_], []
    out = run(log)
    assert [dict(letter.headers)["reason"] for letter in out.letters] == [reason]
    assert [slate[2] for slate in out.slates] == [HASH]


def test_a_request_under_the_workers_key_is_obeyed() -> None:
    """By the shard's own hash, with the digest of its key."""
    settings = Settings.of({"privacy": {"user_key": "a key of twenty-four byt"}})
    name = PersonHashes(settings.privacy).user(WHO)
    shown = [impression("r1", WHO, 1000), encode([name], key_digest(settings.privacy))]
    shard = JoinShard(settings, 0)
    out = output(shard.feed(records("impressions", shown, end=True)) + shard.feed(records("feedback", [], end=True)))
    assert (out.slates, out.letters) == ([], [])
    assert shard.counts == {"accepted": 1, "forgotten": 1}
