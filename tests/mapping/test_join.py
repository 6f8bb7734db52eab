"""A join shard of messages in another format: the same slates, the same rules, the same dead letters."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from lis_online.backfill.beginning import records_from
from lis_online.events.wire import END_TICK
from lis_online.mapping.codec import Codec
from lis_online.records import Outgoing, Record
from lis_online.replay.routing import route
from lis_online.settings import Settings
from lis_online.shards.join import JoinShard
from tests.mapping.formats import MAPPING, json_of, served, tapped

START = 1573516800  # s
PLAIN: dict[str, Any] = {
    "variant": [{"name": "title", "preference": "coclick", "dimension": 2}],
    "preference": [{"name": "coclick"}, {"name": "search", "kind": "topic"}],
}
CODEC = Codec(Settings.of({"mapping": MAPPING}).mapping)


def log(requests: int = 60) -> list[tuple[str, bytes]]:
    """Return their messages: impressions 1 s apart, a tap on every third, and one of everything else."""
    found: list[tuple[str, bytes]] = []
    for n in range(requests):
        trace, viewer = f"r{n}", {"uid": n % 7}
        found.append(("impressions", json_of(served(trace={"id": trace}, viewer=viewer, served_at=START + n, ab={}))))
        if n % 3 == 0:
            at = (START + n) * 1_000_000 + 500_000
            found.append(("feedback", json_of(tapped(trace=trace, uid=n % 7, at=at))))
    found.append(("preferences", json_of({"pair": ["n12", 11], "at": START * 1000})))
    found.append(("representations", json_of({"model": "1", "note": 11, "at": START * 1000, "vec": [1, 0]})))
    return found


def translated(topic: str, value: bytes) -> bytes:
    """Return a message as the event schema has it."""
    (event,) = CODEC.events(topic, value)
    return msgspec.json.encode(event)


def records(events: list[tuple[str, bytes]], timestamp: int = -1) -> list[Record]:
    """Return records of one partition, and the end."""
    ended = [*events, ("impressions", END_TICK), ("feedback", END_TICK)]
    return [Record(topic, 0, offset, timestamp, value) for offset, (topic, value) in enumerate(ended)]


def fed(mapping: dict[str, Any], events: list[Record]) -> tuple[list[Outgoing], JoinShard]:
    """Return what a shard sends of records, and the shard."""
    shard = JoinShard(Settings.of({**PLAIN, "mapping": mapping}), 0)
    return shard.feed(events), shard


def test_slates_of_another_format_are_those_of_the_schema() -> None:
    """The mapping is where bytes become events and nowhere else: what comes out is the same to the last bit."""
    theirs, shard = fed(MAPPING, records(log()))
    ours, _ = fed({}, records([(topic, translated(topic, value)) for topic, value in log()]))
    assert theirs == ours
    assert shard.counts == {"accepted": 80}
    assert [one for one in theirs if one.topic == "samples"]


def test_what_is_skipped_is_counted_and_no_dead_letter() -> None:
    """Prefetches in the impressions' topic are nobody's mistake."""
    prefetch = ("impressions", json_of({"type": "prefetch"}))
    rules = {"preferences": {**MAPPING["preferences"], "skip": {"path": "$.bot", "values": [True]}}}
    pair = ("preferences", json_of({"bot": True}))
    sent, shard = fed({**MAPPING, **rules}, records([prefetch, *log(9), pair, prefetch]))
    assert shard.counts["skipped"] == 3
    assert not [one for one in sent if one.topic == "dead_letters"]


def test_what_cannot_be_mapped_is_a_dead_letter_as_it_came() -> None:
    """The raw bytes are kept, so that a better mapping can take them later."""
    value = json_of(served(viewer={"id": 7}))
    sent, shard = fed(MAPPING, records([("impressions", value)]))
    (letter,) = [one for one in sent if one.topic == "dead_letters"]
    assert letter.value == value
    assert dict(letter.headers)["detail"] == b"user_id must be at $.viewer.uid, got nothing"
    assert shard.counts == {"malformed": 1}


def test_time_ahead_of_its_record_is_refused_after_mapping() -> None:
    """A unit that is wrong by a thousand must not move a watermark."""
    wrong = {**MAPPING, "impressions": {**MAPPING["impressions"], "ts": {"path": "$.served_at", "unit": "ms"}}}
    late = served(served_at=START * 1_000_000)
    sent, _ = fed(wrong, records([("impressions", json_of(late))], timestamp=START * 1000))
    assert [dict(one.headers)["reason"] for one in sent if one.topic == "dead_letters"] == [b"too_far_ahead"]


@pytest.mark.parametrize("cut", [5, 28, 41])
def test_several_actions_of_a_message_survive_a_checkpoint(cut: int) -> None:
    """Records without a timestamp wait for their neighbours: each event of one comes back once.

    After 28 records one of a message's three events is settled and two of them wait.
    """
    mapping = {**MAPPING, "feedback": {**MAPPING["feedback"], "item_id": "$.notes[*]"}}
    events = [
        (topic, json_of({**msgspec.json.decode(value), "notes": ["n12", 11, "x"]}) if topic == "feedback" else value)
        for topic, value in log()
    ]
    whole, shard = fed(mapping, records(events))
    first = JoinShard(Settings.of({**PLAIN, "mapping": mapping}), 0)
    sent = first.feed(records(events)[:cut])
    second = JoinShard(Settings.of({**PLAIN, "mapping": mapping}), 0)
    second.restore(first.snapshot())
    sent += second.feed(records(events))
    assert second.counts == shard.counts == {"accepted": 120, "unattributed": 20}
    assert [one for one in sent if one.topic == "windows"] == [one for one in whole if one.topic == "windows"]


def test_backfill_reads_a_log_of_another_format_from_a_time_on() -> None:
    """The event time is looked for where the mapping says."""
    found = list(records_from(log(10), (START + 6) * 1000, CODEC.time))
    assert [record.topic for record in found] == ["impressions"] * 1 + ["feedback"] + ["impressions"] * 3 + [
        "feedback",
        "representations",
    ]


def test_replay_sends_a_user_of_another_format_to_one_partition() -> None:
    """The key is the mapped user id, in both topics."""
    shown = route("impressions", json_of(served(viewer={"uid": 7})), 8, CODEC)
    clicked = route("feedback", json_of(tapped(uid="7")), 8, CODEC)
    assert shown.key == clicked.key == b"7"
    assert shown.partition == clicked.partition
    assert (shown.ts, clicked.ts) == (1573516800250, 1573516803000)
    assert route("impressions", b"{", 8, CODEC).key.startswith(b"malformed-")
    assert route("preferences", b'{"pair":["a","b"],"at":5}', 8, CODEC).key == b"a"
