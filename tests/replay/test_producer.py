from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError
from kafka.partitioner.default import DefaultPartitioner

from lis_online.errors import BrokerError, TopicError
from lis_online.events.wire import END_TICK
from lis_online.replay.pacing import Pace
from lis_online.replay.producer import Replay, producer_of
from lis_online.replay.routing import partition_of, route
from lis_online.settings import Settings
from lis_online.settings.model import KafkaSettings
from streams.topics import create_topics


class Sent:
    """The future of one record."""

    def __init__(self, failure: BaseException | None) -> None:
        self._failure = failure

    def add_errback(self, function: Callable[[BaseException], None]) -> None:
        """Tell of a failure at once."""
        if self._failure is not None:
            function(self._failure)


class Producer:
    """Keeps what it is given. A topic that is not in `partitions` does not exist."""

    def __init__(self, partitions: dict[str, int], failure: BaseException | None = None) -> None:
        self._partitions = partitions
        self._failure = failure
        self.records: list[tuple[str, int, bytes | None, bytes | None]] = []

    def partitions_for(self, topic: str) -> set[int] | None:
        """Return the partitions' numbers."""
        return set(range(self._partitions[topic])) if topic in self._partitions else None

    def send(self, topic: str, value: bytes | None, key: bytes | None, partition: int) -> Sent:
        """Take a record."""
        self.records.append((topic, partition, key, value))
        return Sent(self._failure)

    def flush(self) -> None:
        """Note it, to see what is sent after."""
        self.records.append(("flush", 0, None, None))


def everything(count: int) -> dict[str, int]:
    """All input topics with so many partitions."""
    return dict.fromkeys(("impressions", "feedback", "representations", "preferences"), count)


def event(**fields: Any) -> bytes:
    """A record as JSON."""
    return msgspec.json.encode(fields)


@given(users=st.lists(st.text(min_size=1), min_size=1, max_size=20), partitions=st.integers(1, 7))
def test_user_has_one_partition_the_same_in_both_topics_and_as_kafkas_clients_choose(
    users: list[str], partitions: int
) -> None:
    """A user's events share a partition, whoever sends them: a replay or the platform's own producers."""

    class Cluster:
        def topics(self) -> set[str]:
            return {"impressions"}

        def partitions_for_topic(self, topic: str) -> set[int]:
            return set(range(partitions))

        available_partitions_for_topic = partitions_for_topic

    for user in users:
        shown = route("impressions", event(user_id=user, ts=1), partitions)
        clicked = route("feedback", event(user_id=user, item_id="i"), partitions)
        assert shown[:2] == clicked[:2]
        wanted = DefaultPartitioner().partition("impressions", None, user.encode(), None, None, Cluster())
        assert shown.partition == wanted


@pytest.mark.parametrize("value", [b"{", b"", None, b"7", b'{"user_id": 7}', b"\xff", b'{"user_id": ""}'])
@pytest.mark.parametrize("topic", ["impressions", "representations"])
def test_malformed_record_is_sent_with_a_key(topic: str, value: bytes | None) -> None:
    """It must reach the join, which says what is wrong; and a compacted topic takes none without a key."""
    assert route(topic, value, 4).key
    assert route(topic, value, 4) == route(topic, value, 4)


def test_versions_of_an_items_vector_share_a_key() -> None:
    """Compaction keeps the newest vector of each variant and item."""
    keys = {route("representations", event(variant="v", item_id="i", version=n), 4).key for n in ("1", "2")}
    assert keys == {b"v|i"}


def test_end_is_sent_to_every_partition_once_the_rest_is_there() -> None:
    """The end of a partition is behind everything else in it, and every watermark is told."""
    producer = Producer(everything(3))
    log = [("impressions", event(user_id=f"u{n}", ts=n)) for n in range(10)]
    replayed = Replay(KafkaSettings(), producer, Pace(None)).run(log, finish=True)
    assert replayed.records == {"impressions": 10}
    assert replayed.finished
    tail = producer.records[10:]
    assert tail[0][0] == "flush"
    ends = {(topic, partition) for topic, partition, _, value in tail if value == END_TICK}
    assert ends == {(topic, partition) for topic in ("impressions", "feedback") for partition in range(3)}


def test_order_in_a_partition_is_that_of_the_log() -> None:
    """What a shard makes of a log depends on each partition's own order."""
    producer = Producer(everything(3))
    log = [("impressions", event(user_id=f"u{n % 7}", ts=n)) for n in range(100)]
    Replay(KafkaSettings(), producer, Pace(None)).run(log)
    by_partition = defaultdict(list)
    for topic, partition, _, value in producer.records:
        if topic == "impressions":
            by_partition[partition].append(msgspec.json.decode(value or b"")["ts"])
    assert sum(len(times) for times in by_partition.values()) == 100
    assert all(times == sorted(times) for times in by_partition.values())


def test_record_that_kafka_refused_ends_the_replay_with_a_sentence() -> None:
    """A log that is only half in Kafka must not look like a whole one."""
    producer = Producer(everything(1), failure=KafkaError("the disk is full"))
    with pytest.raises(BrokerError, match=r"Kafka must take what was sent: .*the disk is full"):
        Replay(KafkaSettings(), producer, Pace(None)).run([("impressions", b"{}")])


def test_missing_topic_is_said() -> None:
    """The next step is in the sentence."""
    with pytest.raises(TopicError, match="topic feedback must exist: run `lis-online topics create`"):
        Replay(KafkaSettings(), Producer({}), Pace(None)).run([("feedback", b"{}")])


@pytest.mark.kafka
def test_log_is_in_kafka_byte_for_byte_with_the_time_of_sending(kafka_settings: Settings) -> None:
    """Values pass unchanged, malformed ones too; Kafka's timestamp is now, whatever the event time."""
    create_topics(kafka_settings)
    kafka = kafka_settings.kafka
    log = [("impressions", event(user_id=f"u{n}", ts=4_000_000_000_000)) for n in range(20)]
    log += [("representations", b"not json"), ("feedback", b'{"user_id":"u1"}')]
    producer = producer_of(kafka)
    Replay(kafka, producer, Pace(None)).run(log, finish=True)
    producer.close()
    consumer = KafkaConsumer(bootstrap_servers=kafka.bootstrap, consumer_timeout_ms=2_000)
    names = (kafka.impressions, kafka.feedback, kafka.representations)
    consumer.assign([TopicPartition(name, number) for name in names for number in range(2)])
    consumer.seek_to_beginning()
    found = list(consumer)
    consumer.close()
    ends = [record for record in found if record.value == END_TICK]
    assert len(ends) == 4
    assert sorted(r.value for r in found if r.value != END_TICK) == sorted(value for _, value in log)
    assert all(record.timestamp < 4_000_000_000_000 for record in found)
    users = {r.key: r.partition for r in found if r.topic == kafka.impressions and r.key}
    assert users == {key: partition_of(key, 2) for key in users}
