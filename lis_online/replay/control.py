"""Sends control records to the rank shards."""

from __future__ import annotations

from typing import Any

from kafka.errors import KafkaError

from lis_online.errors import BrokerError, TopicError
from lis_online.events.rank_log import VERSION, Control
from lis_online.events.topics import topic_names
from lis_online.settings.model import KafkaSettings

SECONDS = 30.0
"""How long the broker may take to acknowledge a record."""


def send_reset(kafka: KafkaSettings, producer: Any, rankers: list[str]) -> tuple[str, int]:
    """Ask every rank shard to start rankers again. Return the rank log's topic and how many partitions were told.

    producer: `lis_online.replay.producer.producer_of`, or anything with its `send` and `partitions_for`. rankers: names
    as in `Layout.rankers`. Raises TopicError where there is no rank log, BrokerError where it takes no record.
    """
    topic = topic_names(kafka)["samples"]
    try:
        partitions = sorted(producer.partitions_for(topic) or ())
        if not partitions:
            raise TopicError(f"topic {topic} must exist: run `lis-online topics create`")
        value = Control(VERSION, rankers).encode()
        for sent in [producer.send(topic, value, partition=partition) for partition in partitions]:
            sent.get(SECONDS)
    except KafkaError as exc:
        raise BrokerError(f"{topic} must take a control record, got {exc}") from exc
    return topic, len(partitions)
