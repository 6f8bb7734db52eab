"""Sends control records to the rank shards."""

from __future__ import annotations

from typing import Any

from kafka.errors import KafkaError

from lis_online.errors import BrokerError, TopicError
from lis_online.events.rank_log import VERSION, Control
from lis_online.events.topics import topic_names
from lis_online.replay.connection import admin_client
from lis_online.settings.model import KafkaSettings

SECONDS = 30.0
"""How long the broker may take to acknowledge a record."""


def count_shards(kafka: KafkaSettings) -> int:
    """Return how many partitions the rank log has: one for each rank shard. Raises TopicError where there is none."""
    topic = topic_names(kafka)["samples"]
    with admin_client(kafka) as admin:
        # a producer that is asked for a missing topic waits a minute for it to come
        found = [described for described in admin.describe_topics() if described["name"] == topic]
    if not found:
        raise TopicError(f"topic {topic} must exist: run `lis-online topics create`")
    return len(found[0]["partitions"])


def send_reset(kafka: KafkaSettings, producer: Any, shards: int, rankers: list[str]) -> str:
    """Ask every rank shard to start rankers again. Return the topic of their log once it has what was asked.

    producer: `lis_online.replay.producer.producer_of`, or anything with its `send`. shards: as `count_shards` counts
    them. rankers: names as in `Layout.rankers`. Raises BrokerError when a record was not taken.
    """
    topic = topic_names(kafka)["samples"]
    value = Control(VERSION, rankers).encode()
    try:
        for sent in [producer.send(topic, value, partition=partition) for partition in range(shards)]:
            sent.get(SECONDS)
    except KafkaError as exc:
        raise BrokerError(f"{topic} must take a control record, got {exc}") from exc
    return topic
