"""Faust's Kafka transport with three changes: the join's four topics are assigned together, fetches end sooner, and
pausing a partition loses nothing.

Faust hands out partitions round robin over *all* topics of an app without tables: with 4 partitions
and 3 workers, partition 0 of `impressions` and partition 0 of `feedback` land on different workers.
Kafka's range assignor gives partition p of every topic to one worker, where all topics have
equally many. There is no setting for it (faust-streaming 0.15.3), so the consumer is told after it was
built and before it joins; `tests/streams/test_transport.py` notices when a release moves that.

A fetch waits at the broker until there is something or its time is up, 1.5 s in Faust, and whatever else
goes to that broker (end offsets) waits in line behind it. Here it is FETCH_WAIT.

Faust hands over what a fetch brought one record after the other, and looks each time whether the partition is paused:
the rest of a partition that is paused meanwhile it drops, and reads on behind it. Here a pause holds from the next
fetch on.
"""

from __future__ import annotations

from typing import Any, ClassVar

from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer, Transport
from faust.types import TP

FETCH_WAIT = 250
"""Milliseconds a fetch waits for the first record."""


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
        return records, None if active is None else set(records or ())


class CopartitionedTransport(Transport):
    """Kafka through aiokafka, with partition p of all of an app's topics on one worker."""

    Consumer: ClassVar[Any] = _Consumer
