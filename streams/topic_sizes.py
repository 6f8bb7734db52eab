"""What topics take on disk: measured from the logs, and worked out for a retention."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import OffsetSpec
from kafka.errors import KafkaError

logger = logging.getLogger(__name__)

HOUR: Final = 3_600_000
LEAST_SPAN: Final = 60_000
"""ms: a log that spans less says nothing of an hour."""


@dataclass(frozen=True)
class TopicSize:
    """A topic's logs, one replica of each partition.

    bytes: on disk now. records: there now. per_hour: bytes an hour, each partition's bytes over the time from its
    first record to its last, by their Kafka timestamps; None where no partition spans a minute. busiest: the most of
    one partition.
    """

    bytes: int
    records: int
    per_hour: float | None
    busiest: float | None

    def at(self, retention: int | None) -> int | None:
        """Return the bytes of one replica once retention, ms, is full; None where that is not known.

        Segments that are not full come on top: up to `segment.bytes` for each partition.
        """
        return None if retention is None or self.per_hour is None else round(self.per_hour * retention / HOUR)


def measure(admin: KafkaAdminClient, partitions: Mapping[str, int]) -> dict[str, TopicSize]:
    """Return each topic's size; none where the brokers do not tell (the right to describe the cluster is missing).

    partitions: how many each topic has.
    """
    places = [TopicPartition(name, number) for name, count in partitions.items() for number in range(count)]
    try:
        bytes_of = _bytes(admin, partitions)
        spans = _spans(admin, places) if bytes_of else {}
    except KafkaError as exc:
        logger.debug("sizes of topics are not known: %r", exc)
        return {}
    return {name: _size(name, count, bytes_of, spans) for name, count in partitions.items()} if bytes_of else {}


Spans = Mapping[TopicPartition, tuple[int, int]]
"""By partition: records there, and ms from the first one's Kafka timestamp to the highest."""


def _size(name: str, count: int, bytes_of: Mapping[TopicPartition, int], spans: Spans) -> TopicSize:
    places = [TopicPartition(name, number) for number in range(count)]
    rates = [bytes_of.get(place, 0) * HOUR / spans[place][1] for place in places if spans[place][1] >= LEAST_SPAN]
    return TopicSize(
        bytes=sum(bytes_of.get(place, 0) for place in places),
        records=sum(spans[place][0] for place in places),
        per_hour=sum(rates) if rates else None,
        busiest=max(rates) if rates else None,
    )


def _bytes(admin: KafkaAdminClient, partitions: Mapping[str, int]) -> dict[TopicPartition, int]:
    """Return the bytes of each partition's largest replica."""
    wanted = {name: list(range(count)) for name, count in partitions.items()}
    found: dict[TopicPartition, int] = defaultdict(int)
    for broker in admin.describe_log_dirs(wanted):
        for folder in broker["log_dirs"]:
            for topic in folder["topics"]:
                for partition in topic["partitions"]:
                    place = TopicPartition(topic["name"], partition["partition_index"])
                    found[place] = max(found[place], partition["partition_size"])
    return dict(found)


def _spans(admin: KafkaAdminClient, places: list[TopicPartition]) -> Spans:
    asked = {
        spec: admin.list_partition_offsets(dict.fromkeys(places, spec))
        for spec in (OffsetSpec.EARLIEST, OffsetSpec.LATEST, OffsetSpec.MAX_TIMESTAMP, 0)
    }
    spans = {}
    for place in places:
        begin, end, newest, oldest = (asked[spec][place] for spec in asked)
        known = oldest.timestamp >= 0 and newest.timestamp >= 0
        spans[place] = (end.offset - begin.offset, newest.timestamp - oldest.timestamp if known else 0)
    return spans
