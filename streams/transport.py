"""Faust's Kafka transport with four changes: the join's four topics are assigned together, fetches end sooner, what
was fetched of a partition travels as one message, and pausing a partition loses nothing.

Faust hands out partitions round robin over *all* topics of an app without tables: with 4 partitions
and 3 workers, partition 0 of `impressions` and partition 0 of `feedback` land on different workers.
Kafka's range assignor gives partition p of every topic to one worker, where all topics have
equally many. There is no setting for it (faust-streaming 0.15.3), so the consumer is told after it was
built and before it joins; `tests/streams/test_transport.py` notices when a release moves that.

A fetch waits at the broker until there is something or its time is up, 1.5 s in Faust, and whatever else
goes to that broker (end offsets) waits in line behind it. Here it is FETCH_WAIT.

Faust hands over what a fetch brought one record after the other: two tasks, a queue, an event and a look at the flow
for each, some 60 µs, more than a join shard takes to apply it. Here a message is all that a fetch brought of one
partition, and `Fetched.records` has the records.

It also looks each time whether the partition is paused: one that is paused while the fetch is handed over it drops, and
reads on behind it. Here a pause holds from the next fetch on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer, Transport
from faust.types import TP
from faust.types.tuples import ConsumerMessage

FETCH_WAIT = 250
"""Milliseconds a fetch waits for the first record."""


class Fetched(ConsumerMessage):
    """What one fetch brought of a partition, in order. offset: of the last record; records: aiokafka's, never none."""

    __slots__ = ("records",)

    records: Sequence[Any]


class _Thread(AIOKafkaConsumerThread):
    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._partition_assignment_strategy = [RangePartitionAssignor]
        consumer._fetch_max_wait_ms = FETCH_WAIT
        return consumer


class _Consumer(Consumer):
    def _new_consumer_thread(self) -> Any:
        return _Thread(self, loop=self.loop, beacon=self.beacon)

    async def _wait_next_records(self, timeout: float) -> tuple[Any, set[TP] | None]:
        records, active = await super()._wait_next_records(timeout)
        fetched = {tp: [some] for tp, some in (records or {}).items() if some}
        return fetched, None if active is None else set(fetched)

    def _to_message(self, tp: TP, record: Any) -> Fetched:
        generation = self.app.consumer_generation_id
        message = Fetched(
            tp.topic, tp.partition, record[-1].offset, 0.0, 0, None, None, b"", None, tp=tp, generation_id=generation
        )
        message.records = record
        return message


class CopartitionedTransport(Transport):
    """Kafka through aiokafka, with partition p of all of an app's topics on one worker."""

    Consumer: ClassVar[Any] = _Consumer
