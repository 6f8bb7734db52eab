from __future__ import annotations

import asyncio
import random
from functools import cache
from typing import Any
from uuid import uuid4

import pytest

from lis_online.checkpoints.store import CheckpointStore
from lis_online.events import windows_log
from lis_online.history.rows import HistoryRow
from lis_online.history.upsert import newest
from lis_online.settings import Settings
from tests.shards.village import feed, partitions, table
from tests.streams.plant import JOINS, Crashes, Part, Plant

SETTINGS = Settings.of(table(training={"embedding": 2, "hidden": [4], "user_bits": 6, "item_bits": 6, "batch": 64}))

STEPS = {
    "a turn": {"1 apply": 60, "2 send": 15, "3 keep": 1},
    "a checkpoint": {"4 begin": 8, "5 copy": 20, "6 data": 8, "7 manifest": 8, "8 commit": 6},
    "a tick": {"9 tick": 0, "10 save": 1},
    "a tick's payment": {"11 pay": 0},
    "a restore": {"11 pay": 0, "12 load": 5, "13 spend": 1, "14 pay": 0, "1 apply": 30},
    "a stop": {"15 stop": 4, "16 mark": 2, "12 load": 6},
}
"""Steps of `streams/host.py` -> how many times each may be passed at most before a crash at it."""


@cache
def parts() -> list[Part]:
    """Return the records of the joins' partitions. Feedback falls behind before it is passed over, and comes late."""
    found = []
    for part in partitions(feed()[:700], JOINS):
        begin, end = int(len(part) * 0.4), int(len(part) * 0.6)
        late = [record for record in part[begin:end] if record.topic == "feedback"]
        found.append(
            (
                part[:begin] + [record for record in part[begin:end] if record.topic != "feedback"],
                late + part[end:],
            )
        )
    return found


Outcome = tuple[dict[type[HistoryRow], set[HistoryRow]], dict[str, Any], dict[tuple[int, int, int], bytes]]


def run(url: str, seed: int, crashes: Crashes) -> Outcome:
    """Return what a run leaves: the history's rows, the summary, and the rank log's buckets."""
    plant = Plant(SETTINGS, parts(), url, seed, crashes)
    asyncio.run(plant.run())
    rows = {kind: set(kept) for kind, kept in newest(plant.rows).items()}
    return rows, plant.publish.summary(), buckets(plant)


def buckets(plant: Plant) -> dict[tuple[int, int, int], bytes]:
    """Return what rank sent, each once: what was sent again must be the same."""
    found: dict[tuple[int, int, int], bytes] = {}
    for record in plant.logs["windows"]:
        one = windows_log.decode(record.value or b"")
        if isinstance(one, windows_log.RankBucket):
            assert found.setdefault((one.group, one.sequence, one.part), record.value or b"") == record.value
    return found


@cache
def calm() -> Outcome:
    """Return what a run without a crash leaves."""
    return run(f"memory://{uuid4().hex}", 0, Crashes())


def test_turns_and_checkpoints_of_any_length_change_nothing() -> None:
    """The comparison is worth something only if two calm runs agree, and if there is something to compare."""
    rows, summary, sent = calm()
    assert run(f"memory://{uuid4().hex}", 1, Crashes()) == (rows, summary, sent)
    assert sum(map(len, rows.values())) > 500
    assert len(sent) >= 4


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("part", STEPS)
def test_crash_before_and_after_each_step_of(part: str, seed: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    """What the receivers have in the end is what they have of a run without any crash, number for number."""
    chance = random.Random(f"{part} {seed}")
    planned = {
        (step, when): chance.randint(0, most) for step, most in STEPS[part].items() for when in ("before", "after")
    }
    crashes = Crashes(planned)
    folder = str(tmp_path_factory.mktemp("checkpoints")) if chance.random() < 0.5 else f"memory://{uuid4().hex}"
    assert run(folder, chance.randint(0, 10**6), crashes) == calm()
    assert crashes.left == {}, f"these steps were not reached often enough, of {planned}"
    for partition in range(JOINS):
        store = CheckpointStore(folder, "join", partition, 2, {})
        last = store.newest()
        assert last is not None
        assert store.is_clean(last.position)
