"""The publish shard on versions, restarted rankers and pair alignment."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import msgspec
import numpy as np
import pytest

from lis_online.events.windows_log import RankBucket, SlotVersion, encode
from lis_online.metrics.alignment import PAIRS, ROWS
from lis_online.metrics.alignment import decode as decode_tallies
from lis_online.metrics.alignment import encode as encode_tallies
from lis_online.metrics.bins import GROUPS
from lis_online.metrics.diagnosis import FORKED_SAMPLES
from lis_online.metrics.layout import Layout
from lis_online.metrics.numbers import numbers
from lis_online.metrics.statistics import Statistics
from lis_online.metrics.whole_run import WholeRun
from lis_online.records import Record
from lis_online.settings import Settings
from lis_online.shards.publish import PublishShard
from lis_online.shards.view import OVERLAP, WHOLE_RUN, PublishView, VersionInfo
from tests.metrics.worlds import make_scored

MINUTE = 60_000
START = 1_700_000_040_000 // MINUTE * MINUTE
SETTINGS = Settings.of(
    {
        "leakage": {"horizon": "16m"},
        "metrics": {"windows": ["2m"], "warm_up": "1s", "min_effective_users": 2, "min_positives": 1},
        "variant": [{"name": "v", "preference": "coclick", "dimension": 4}],
    }
)
LAYOUT = Layout.of(SETTINGS)
FIRST = SlotVersion("v", "1", START - 5, 0, newest=True)
OLD = SlotVersion("v", "1", START - 5, 0, newest=False)
SWITCH = 3
NEW = SlotVersion("v#2", "2", START + SWITCH * MINUTE - 9, START + SWITCH * MINUTE, newest=True)
RETIRED = 6
"""The minutes at which version 2 begins and version 1 retires."""


def slots(minute: int) -> list[SlotVersion]:
    """Return what the slots in use hold in a minute."""
    return [FIRST] if minute < SWITCH else [OLD, NEW] if minute < RETIRED else [NEW]


@cache
def statistics(minute: int) -> Statistics:
    """Return a minute's statistics, of the rankers that there are."""
    layout = LAYOUT.take([LAYOUT.variants.index(held.slot) for held in slots(minute)])
    found = Statistics(layout)
    gains = {"aligned:v": 0.5, "aligned:v#2": 0.8}
    found.update(make_scored(np.random.default_rng(minute), layout, slates=40, users=40, gains=gains))
    return found


def tallies(minute: int) -> list[tuple[int, bytes]]:
    """Return the pair alignment of a minute sixteen minutes on, where version 2 has come a while before."""
    start = START + (minute + 16) * MINUTE
    rng = np.random.default_rng(minute)
    names = ["1", "2"] if minute + 16 >= SWITCH else ["1"]
    counts = {("v", name): rng.integers(1, 9, (ROWS, GROUPS)) for name in names}
    return [(start, encode_tallies(counts))]


def pairs_of(minute: int) -> int:
    """Return the pairs that version 2 was compared on in the pair time of a minute's record."""
    return int(decode_tallies(tallies(minute)[0][1])["v", "2"][PAIRS].sum())


def bucket(minute: int) -> RankBucket:
    """Return a minute's record. The past ranker is restarted in minute 4."""
    start = START + minute * MINUTE
    restarted = {"past:coclick": START + 5 * MINUTE} if minute >= 4 else {}
    return RankBucket(
        2, 0, minute, start, start + MINUTE, 0, 1, statistics(minute).encode(), False, START - MINUTE,
        {"aligned:v#2": "stalled", "twin": "exploded"} if minute == 5 else {}, 0, slots(minute), restarted,
        tallies(minute),
    )  # fmt: skip


@cache
def views() -> list[PublishView]:
    """Return the view after each of eight minutes."""
    shard, found = PublishShard(SETTINGS, LAYOUT), []
    for minute in range(8):
        shard.feed([Record("windows", 0, minute, -1, encode(bucket(minute)))])
        assert shard.current is not None
        found.append(shard.current)
    return found


def test_the_newest_version_goes_under_the_variants_name_and_an_older_one_under_its_own() -> None:
    """Keys of numbers, diagnoses, rankers and versions agree in every window."""
    for minute, keys in ((2, ["v"]), (4, ["v@1", "v"]), (7, ["v"])):
        view = views()[minute]
        for length, found in view.windows.items():
            assert list(found["all"].variants) == list(view.diagnoses[length]["all"]) == keys
            assert [name for name in found["all"].levels if "aligned" in name] == [f"aligned:{key}" for key in keys]
            versions = [(one.variant, one.version) for one in found["all"].variants.values()]
            assert versions == [("v", held.version) for held in slots(minute)]
    assert views()[4].versions == (
        VersionInfo("v", "1", FIRST.since, False, None),
        VersionInfo("v", "2", NEW.since, True, NEW.began),
    )


def test_a_version_has_numbers_in_windows_that_it_was_there_all_of() -> None:
    """None with the reason until then; the old version's numbers go on."""
    reason = "version 2 began within the window"
    for minute, length, there in (
        (3, 2 * MINUTE, False),
        (4, 2 * MINUTE, True),
        (4, WHOLE_RUN, False),
        (3, OVERLAP, True),
    ):
        found = views()[minute].windows[length]["all"]
        new, old = found.variants["v"], found.variants["v@1"]
        assert old.adjusted_ais.value is not None and found.levels["aligned:v@1"] is not None
        assert there or new.efficiency.reason == reason
        for estimate in (new.ais, new.adjusted_ais):
            assert (estimate.value is not None) if there else (estimate.reason == reason)
        assert (new.coverage is not None) == there == (found.levels["aligned:v"] is not None)


def test_the_overlap_holds_the_buckets_since_the_newest_version_began() -> None:
    """It appears with the second version, and its numbers are those of a sum by hand."""
    assert OVERLAP not in views()[SWITCH - 1].windows and OVERLAP not in views()[SWITCH - 1].alignment
    whole = WholeRun(LAYOUT, MINUTE)
    for minute in range(SWITCH, 6):
        whole.update(START + minute * MINUTE, Statistics.decode(LAYOUT, statistics(minute).encode()))
    span, found = whole.get(), views()[5].windows[OVERLAP]
    assert span is not None and found["all"].samples == span.total.samples and found["all"].start == span.start
    every = numbers(span, replace(LAYOUT), presence=None)
    assert found["all"].sources["coclick"].lis == every["all"].sources["coclick"].lis
    first, second = found["all"].variants["v@1"].adjusted_ais, found["all"].variants["v"].adjusted_ais
    assert first == every["all"].variants["v"].adjusted_ais
    assert first.value is not None and second.value is not None and second.value > first.value > 0


def test_a_restarted_rankers_numbers_begin_anew() -> None:
    """What it takes part in is None in windows that reach back before, and there again in later ones."""
    for minute, length, there in (
        (3, WHOLE_RUN, True),
        (5, WHOLE_RUN, False),
        (5, 2 * MINUTE, False),
        (6, 2 * MINUTE, True),
    ):
        source = views()[minute].windows[length]["all"].sources["coclick"]
        for estimate in (source.past, source.future):
            assert (estimate.value is not None) if there else (estimate.reason == "restarted within the window")
        assert source.adjusted_lis.value is not None


def test_rankers_that_are_set_aside_are_named_as_in_the_numbers() -> None:
    """Slots are of no interest to who reads; the name is what `rankers reset` takes."""
    assert views()[5].set_aside == {"aligned:v": "stalled", "twin": "exploded"}
    assert views()[4].set_aside == views()[6].set_aside == {}


def test_a_version_that_came_later_is_judged_once_its_rankers_have_learnt() -> None:
    """Until then, and in windows that hold its learning, insufficient data; then the overlap begins anew."""
    shard, sizes = PublishShard(SETTINGS, LAYOUT), []
    needed = None
    for minute in range(60):
        body = statistics(min(minute, 5))
        big = Statistics(body.layout)
        for _ in range(32):
            big.merge(body)
        record = replace_bucket(bucket(min(minute, 5)), minute, big.encode())
        shard.feed([Record("windows", 0, minute, -1, encode(record))])
        view = shard.current
        assert view is not None
        if minute >= SWITCH:
            sizes.append(view.windows[OVERLAP]["all"].samples)
            sentence = view.diagnoses[OVERLAP]["all"]["v"].sentence
            if needed is None and sizes[-1] < max(sizes):
                needed = max(sizes)
            if needed is None:
                assert view.diagnoses[OVERLAP]["all"]["v"].diagnosis == "insufficient_data"
                assert "began like the unleaked one" in sentence
            else:
                assert "began like the unleaked one" not in sentence
            assert "began like the unleaked one" not in view.diagnoses[OVERLAP]["all"]["v@1"].sentence
    assert needed is not None and FORKED_SAMPLES <= needed < FORKED_SAMPLES + 40 * 12 * 32


def replace_bucket(record: RankBucket, minute: int, data: bytes) -> RankBucket:
    """Return a record moved to another minute with other statistics."""
    start = START + minute * MINUTE
    return msgspec.structs.replace(record, sequence=minute, start=start, end=start + MINUTE, data=data, restarted={})


def test_pair_alignment_is_keyed_like_the_numbers_and_runs_ahead_of_them() -> None:
    """A version that has come in pair time alone stands under its own name; one that ended is not shown."""
    early, both, late = (views()[minute].alignment for minute in (1, 4, 7))
    assert set(early[WHOLE_RUN]) == {"v", "v@2"} and early[WHOLE_RUN]["v"].version == "1"
    assert set(both[WHOLE_RUN]) == set(both[OVERLAP]) == {"v@1", "v"} and both[OVERLAP]["v"].version == "2"
    assert set(late[WHOLE_RUN]) == {"v"} and late[WHOLE_RUN]["v"].version == "2"
    assert early[WHOLE_RUN]["v"].end == START + 18 * MINUTE == views()[1].end + 16 * MINUTE
    assert late[2 * MINUTE]["v"].pairs == sum(pairs_of(minute) for minute in (6, 7))


@pytest.mark.parametrize("cut", [2, 4, 7])
def test_a_restored_shard_shows_the_same(cut: int) -> None:
    """Versions, overlap, learning, alignment and restarts are in the snapshot."""
    first, second = PublishShard(SETTINGS, LAYOUT), PublishShard(SETTINGS, LAYOUT)
    records = [Record("windows", 0, minute, -1, encode(bucket(minute))) for minute in range(8)]
    first.feed(records[:cut])
    saved = first.snapshot()
    second.restore(replace(saved, meta=msgspec.msgpack.decode(msgspec.msgpack.encode(saved.meta))))
    assert second.current == views()[cut - 1]
    second.feed(records[cut:])
    assert second.current == views()[-1]
