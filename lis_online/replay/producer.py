"""Replays a recorded log into Kafka's input topics."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from kafka import KafkaProducer
from kafka.errors import KafkaError

from lis_online.errors import BrokerError, ReplayError, TopicError
from lis_online.events.topics import MAIN, topic_names
from lis_online.events.wire import END_TICK
from lis_online.mapping.codec import Codec
from lis_online.replay.connection import broker_errors, check_connection, client_arguments
from lis_online.replay.pacing import Pace
from lis_online.replay.routing import route
from lis_online.settings.model import KafkaSettings

LINGER = 20
"""Milliseconds a record waits for others of its partition: a batch costs what one record does."""


@dataclass
class Replayed:
    """What was sent. records: by logical topic; behind: seconds the last one was late; finished: end ticks sent."""

    records: dict[str, int] = field(default_factory=dict)
    behind: float = 0.0
    finished: bool = False

    @property
    def total(self) -> int:
        """All records, end ticks aside."""
        return sum(self.records.values())


def producer_of(kafka: KafkaSettings) -> KafkaProducer:
    """Return a producer whose records come once and in order. Raises BrokerError naming the address."""
    check_connection(kafka)
    with broker_errors(kafka):
        return KafkaProducer(**client_arguments(kafka), linger_ms=LINGER, allow_auto_create_topics=False)


class Replay:
    """A recorded log on its way into Kafka.

    producer: `producer_of`, or anything with its `send`, `flush` and `partitions_for`. Event time stays in
    the value: Kafka's own timestamp is the time of sending, because a broker refuses one from the future and
    deletes by it. codec: how topics are read that are not of the event schema.
    """

    def __init__(self, kafka: KafkaSettings, producer: Any, pace: Pace, codec: Codec | None = None) -> None:
        self._names = topic_names(kafka)
        self._producer = producer
        self._pace = pace
        self._codec = codec
        self._partitions: dict[str, int] = {}
        self._failure: BaseException | None = None

    def run(
        self,
        log: Iterable[tuple[str, bytes | None]],
        finish: bool = False,
        progress: Callable[[Replayed], None] = lambda replayed: None,
    ) -> Replayed:
        """Send every record of the log, malformed ones too; return once Kafka has them.

        finish: then send an end tick to every partition of impressions and feedback, which drains the
        pipeline. progress: called now and then. Raises BrokerError when a record could not be delivered.
        """
        replayed = Replayed()
        for topic, value in log:
            self._send(topic, value, replayed)
            if replayed.total % 50 == 0:
                progress(replayed)
        self._flush()
        if finish:
            self._finish()
            replayed.finished = True
        progress(replayed)
        return replayed

    def _send(self, topic: str, value: bytes | None, replayed: Replayed) -> None:
        if topic not in self._names:
            raise ReplayError(f"topic must be one of {', '.join(self._names)}, got {topic!r}")
        target = route(topic, value, self._count(topic), self._codec)
        replayed.behind = self._pace.wait(target.ts)
        self._deliver(topic, value, target.partition, target.key)
        replayed.records[topic] = replayed.records.get(topic, 0) + 1

    def _finish(self) -> None:
        for topic in MAIN:
            for partition in range(self._count(topic)):
                self._deliver(topic, END_TICK, partition, None)
        self._flush()

    def _deliver(self, topic: str, value: bytes | None, partition: int, key: bytes | None) -> None:
        self._raise_failure()
        try:
            sent = self._producer.send(self._names[topic], value, key=key, partition=partition)
        except KafkaError as exc:
            raise BrokerError(f"{self._names[topic]} must take a record of {len(value or b'')} bytes: {exc}") from exc
        sent.add_errback(self._note_failure)

    def _flush(self) -> None:
        try:
            self._producer.flush()
        except KafkaError as exc:
            raise BrokerError(f"Kafka must take what was sent: {exc}") from exc
        self._raise_failure()

    def _note_failure(self, exc: BaseException) -> None:
        self._failure = self._failure or exc

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise BrokerError(f"Kafka must take what was sent: {self._failure}") from self._failure

    def _count(self, topic: str) -> int:
        if topic not in self._partitions:
            name = self._names[topic]
            found = self._producer.partitions_for(name)
            if not found:
                raise TopicError(f"topic {name} must exist: run `lis-online topics create`")
            self._partitions[topic] = len(found)
        return self._partitions[topic]
