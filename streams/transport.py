"""Faust's Kafka transport with two changes: the join's four topics are assigned together, and fetches end sooner.

Faust hands out partitions round robin over *all* topics of an app without tables: with 4 partitions
and 3 workers, partition 0 of `impressions` and partition 0 of `feedback` land on different workers.
Kafka's range assignor gives partition p of every topic to one worker, where all topics have
equally many. There is no setting for it (faust-streaming 0.15.3), so the consumer is told after it was
built and before it joins; `tests/streams/test_transport.py` notices when a release moves that.

A fetch waits at the broker until there is something or its time is up, 1.5 s in Faust, and whatever else
goes to that broker (end offsets) waits in line behind it. Here it is FETCH_WAIT.
"""

from __future__ import annotations

from typing import Any, ClassVar

from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer, Transport

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


class CopartitionedTransport(Transport):
    """Kafka through aiokafka, with partition p of all of an app's topics on one worker."""

    Consumer: ClassVar[Any] = _Consumer
