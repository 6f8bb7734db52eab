"""Control records on their way to the rank shards."""

from __future__ import annotations

from typing import Any

import pytest
from kafka.errors import KafkaError, KafkaTimeoutError

from lis_online.errors import BrokerError
from lis_online.events.rank_log import VERSION, Control, decode
from lis_online.replay.control import send_reset
from lis_online.settings.model import KafkaSettings

KAFKA = KafkaSettings(prefix="eu")


class Sent:
    """A record on its way, delivered or not."""

    def __init__(self, failure: KafkaError | None) -> None:
        self.failure = failure

    def get(self, timeout: float) -> None:
        """Wait for the broker's answer."""
        if self.failure is not None:
            raise self.failure


class Producer:
    """A producer that notes what it is given. failing: the partition that takes nothing."""

    def __init__(self, failing: int | None = None) -> None:
        self.failing = failing
        self.sent: list[tuple[str, int, bytes]] = []

    def send(self, topic: str, value: bytes, partition: int) -> Any:
        """Note a record."""
        self.sent.append((topic, partition, value))
        return Sent(KafkaTimeoutError("too slow") if partition == self.failing else None)


def test_every_partition_is_told_once() -> None:
    """Each ranker group has a partition of its own."""
    producer = Producer()
    assert send_reset(KAFKA, producer, 3, ["twin"]) == "eu.samples"
    assert [(topic, partition) for topic, partition, _ in producer.sent] == [("eu.samples", k) for k in range(3)]
    assert {value for _, _, value in producer.sent} == {Control(VERSION, ["twin"]).encode()}
    assert decode(producer.sent[0][2]) == Control(VERSION, ["twin"])


def test_a_record_that_is_not_taken_is_an_error() -> None:
    """A reset that reached some of the shards alone must not look like one that worked."""
    with pytest.raises(BrokerError, match=r"eu\.samples must take a control record, got .*too slow"):
        send_reset(KAFKA, Producer(failing=1), 2, ["twin"])
