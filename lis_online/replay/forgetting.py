"""Sends requests to forget users to the join shards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kafka.errors import KafkaError

from lis_online.errors import BrokerError, TopicError
from lis_online.events.forget_request import MOST_USERS, encode
from lis_online.events.topics import MAIN, topic_names
from lis_online.replay.connection import admin_client
from lis_online.replay.control import SECONDS
from lis_online.settings.model import KafkaSettings


def count_partitions(kafka: KafkaSettings) -> dict[str, int]:
    """Return how many partitions the topics of impressions and of feedback have, by Kafka's name.

    Raises TopicError where one is missing.
    """
    names = [topic_names(kafka)[topic] for topic in MAIN]
    with admin_client(kafka) as admin:
        found = {described["name"]: len(described["partitions"]) for described in admin.describe_topics()}
    missing = [name for name in names if name not in found]
    if missing:
        raise TopicError(f"topic {missing[0]} must exist: run `lis-online topics create`")
    return {name: found[name] for name in names}


def send_requests(producer: Any, partitions: dict[str, int], users: Sequence[int], key: str | None) -> None:
    """Ask every partition of the topics to forget users; return once Kafka has what was asked.

    To all of them: which one has a user's records is known to whoever produced them, and a shard that does not know a
    user has nothing to forget. producer: `lis_online.replay.producer.producer_of`, or anything with its `send`.
    partitions: as `count_partitions` counts them. users: id hashes; key: the digest of their key. Raises BrokerError
    when a request was not taken; asking again is harmless.
    """
    values = [encode(users[start : start + MOST_USERS], key) for start in range(0, len(users), MOST_USERS)]
    try:
        for topic, count in partitions.items():
            sent = [producer.send(topic, value, partition=p) for value in values for p in range(count)]
            for one in sent:
                one.get(SECONDS)
    except KafkaError as exc:
        raise BrokerError(f"{topic} must take a request to forget users, got {exc}") from exc
