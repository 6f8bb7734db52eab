from __future__ import annotations

import asyncio
from pathlib import Path
from unittest.mock import AsyncMock

from aiokafka import ConsumerRecord
from aiokafka.cluster import ClusterMetadata
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from faust.types import TP
from hypothesis import given
from hypothesis import strategies as st

from lis_online.events.topics import INPUTS
from lis_online.settings import Settings
from streams.apps import new_app
from streams.roles import JOIN, RANK
from streams.transport import FETCH_WAIT, Fetched


class Cluster(ClusterMetadata):
    """Topics that all have as many partitions."""

    def __init__(self, partitions: int) -> None:
        super().__init__()
        self._count = partitions

    def partitions_for_topic(self, topic: str) -> set[int]:
        """Return the same for every topic."""
        return set(range(self._count))


@given(partitions=st.integers(1, 12), workers=st.integers(1, 5))
def test_partition_of_all_four_topics_lands_on_one_worker(partitions: int, workers: int) -> None:
    """A join shard reads partition p of each input topic: whatever the numbers, they come together."""
    members = {f"worker-{n}": RangePartitionAssignor.metadata(set(INPUTS)) for n in range(workers)}
    assigned = RangePartitionAssignor.assign(Cluster(partitions), members)
    owners: dict[int, set[str]] = {}
    for member, assignment in assigned.items():
        for _, numbers in assignment.assignment:
            for number in numbers:
                owners.setdefault(number, set()).add(member)
    assert {len(members) for members in owners.values()} == {1}
    assert len(owners) == partitions


def test_consumer_is_told_of_the_assignor(tmp_path: Path) -> None:
    """The private members that a Faust or aiokafka release may move are the ones that are used."""

    async def consumer_of() -> object:
        app = new_app(JOIN, Settings.of({}), tmp_path)
        thread = app.consumer._thread
        try:
            consumer = thread._create_worker_consumer(app.transport)
            await consumer.stop()
            return consumer
        finally:
            thread.thread_loop.close()

    consumer = asyncio.run(consumer_of())
    assert vars(consumer)["_partition_assignment_strategy"] == [RangePartitionAssignor]
    assert vars(consumer)["_fetch_max_wait_ms"] == FETCH_WAIT


async def handed_over(
    folder: Path, fetched: dict[TP, list[ConsumerRecord]], pausing: list[TP]
) -> tuple[list[Fetched], set[TP]]:
    """Return the messages of one fetch, these partitions being paused at the first of them, and who is active then."""
    consumer = new_app(JOIN, Settings.of({}), folder).consumer
    try:
        consumer.flow_active = True
        consumer._set_active_tps(set(fetched))
        consumer._getmany = AsyncMock(return_value=fetched)
        consumer.highwater = lambda tp: 3
        found: list[Fetched] = []
        async for tp, message in consumer.getmany(timeout=1.0):
            assert message.tp == tp
            found.append(message)
            consumer.pause_partitions(pausing)
        return found, set(consumer._get_active_partitions())
    finally:
        consumer._thread.thread_loop.close()


def records(tp: TP, *offsets: int) -> list[ConsumerRecord]:
    """Return records of a partition as aiokafka has them."""
    return [
        ConsumerRecord(tp.topic, tp.partition, offset, 1_000 + offset, 0, b"k", b"v", None, 1, 1, ())
        for offset in offsets
    ]


def test_fetch_of_a_partition_is_one_message(tmp_path: Path) -> None:
    """In the log's order, at the last one's offset; nothing where nothing came."""
    one, two, empty = TP("impressions", 0), TP("feedback", 0), TP("impressions", 1)
    fetched = {one: records(one, 4, 5, 8), two: records(two, 1), empty: []}
    messages, _ = asyncio.run(handed_over(tmp_path, fetched, []))
    assert {m.tp: (m.offset, [record.offset for record in m.records]) for m in messages} == {
        one: (8, [4, 5, 8]),
        two: (1, [1]),
    }


def test_partition_that_is_paused_keeps_what_was_fetched_of_it(tmp_path: Path) -> None:
    """Else the rest of a fetch is lost: the consumer's position lies behind it already."""
    one, two = TP("impressions", 0), TP("impressions", 1)
    messages, active = asyncio.run(handed_over(tmp_path, {one: records(one, 1, 2), two: records(two, 7)}, [one, two]))
    assert not active
    assert sorted((m.tp, len(m.records)) for m in messages) == [(one, 2), (two, 1)]


def test_app_serves_no_page_and_makes_no_topic(tmp_path: Path) -> None:
    """Faust's own web port stays shut, its topics unmade, its commits never due."""
    app = new_app(RANK, Settings.of({"kafka": {"prefix": "eu", "session_timeout": "9s"}}), tmp_path)
    assert app.conf.id == "eu-rank"
    assert not app.conf.web_enabled
    assert not app.conf.topic_allow_declare
    assert app.conf.topic_disable_leader
    assert app.conf.broker_session_timeout == 9
    assert app.conf.broker_commit_interval > 86_400
