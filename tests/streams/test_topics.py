from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaAdminClient, KafkaProducer

from lis_online.errors import BrokerError, TopicError
from lis_online.settings import Settings
from streams.topic_sizes import HOUR, TopicSize
from streams.topics import check_topics, create_topics, needed_retention, report_topics
from tests.fixtures.kafka import KafkaBroker, free_port, settings_of, table_of

pytestmark = pytest.mark.kafka

DAY = 24 * HOUR


def make(broker: KafkaBroker, name: str, partitions: int = 2, **configs: str) -> None:
    """Create a topic as somebody else would."""
    admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap)
    options = {"num_partitions": partitions, "replication_factor": 1, "configs": configs}
    admin.create_topics({name: options}, wait_for_metadata=True)
    admin.close()


def test_created_topics_pass_the_check_and_creating_again_changes_nothing(kafka_settings: Settings) -> None:
    """Idempotent: a deployment may run it every time."""
    with pytest.raises(TopicError, match="must exist: run `lis-online topics create`"):
        check_topics(kafka_settings)
    assert len(create_topics(kafka_settings)) == 7
    check_topics(kafka_settings)
    assert create_topics(kafka_settings) == []


def test_inputs_that_are_there_stay_as_they_are(kafka_broker: KafkaBroker, kafka_settings: Settings) -> None:
    """Input topics are the platform's own: what fits is used as it is."""
    make(kafka_broker, kafka_settings.kafka.impressions, **{"retention.ms": "-1"})
    created = create_topics(kafka_settings)
    assert kafka_settings.kafka.impressions not in created
    assert len(created) == 6


@pytest.mark.parametrize(
    ("logical", "partitions", "configs", "sentence"),
    [
        ("feedback", 3, {}, r"topic \S+feedback must have 2 partition\(s\) \(kafka.partitions\), got 3"),
        (
            "feedback",
            3,
            {},
            r"the input topics must have the same number of partitions, got .*impressions 2, .*feedback 3",
        ),
        ("samples", 2, {}, r"topic \S+samples must have 1 partition\(s\) \(one rank group\), got 2"),
        ("representations", 2, {}, r"representations must have cleanup.policy compact .*, got delete"),
        (
            "impressions",
            2,
            {"cleanup.policy": "compact"},
            r"impressions must have cleanup.policy delete .*, got compact",
        ),
        ("impressions", 2, {"retention.ms": "60000"}, r"impressions must have retention.ms >= \d+ .*, got 60000"),
        ("samples", 1, {"retention.ms": "60000"}, r"samples must have retention.ms >= \d+ .*, got 60000"),
        ("windows", 1, {"retention.bytes": "99999"}, r"windows must have retention.bytes -1 .*, got 99999"),
        ("samples", 1, {}, r"samples must have max.message.bytes >= 16777216 .*, got 1048588"),
        (
            "representations",
            2,
            {"cleanup.policy": "compact"},
            r"representations must have min.compaction.lag.ms >= \d+ .*, got 0",
        ),
    ],
)
def test_wrong_shape_is_named_with_its_rule_and_value(
    kafka_broker: KafkaBroker,
    kafka_settings: Settings,
    logical: str,
    partitions: int,
    configs: dict[str, str],
    sentence: str,
) -> None:
    """A topic that exists with the wrong shape is a clear error: the topic, the rule, the value."""
    prefix = kafka_settings.kafka.prefix
    make(kafka_broker, f"{prefix}.{logical}", partitions, **configs)
    with pytest.raises(TopicError, match=sentence):
        create_topics(kafka_settings)


def test_retention_must_outlast_checkpoints_and_horizon() -> None:
    """A record must be there as long as a restored shard may want to read it again."""
    plain = needed_retention(Settings.of({}))
    for change in ({"leakage": {"horizon": "1d", "placebo_bucket": "1h"}}, {"checkpoints": {"every": "1h"}}):
        assert needed_retention(Settings.of(change)) > plain


def test_topics_that_are_made_give_no_warning_but_for_one_replica(kafka_settings: Settings) -> None:
    """Retention, segments and letters are made as they should be."""
    create_topics(kafka_settings)
    report = report_topics(kafka_settings)
    assert report.problems == report.warnings == []
    assert report.retention["dead_letters"] == 3 * DAY
    assert report.retention["impressions"] == 7 * DAY
    assert report.away == 7 * DAY - needed_retention(kafka_settings)


def test_too_short_a_retention_is_refused_before_a_topic_is_made(kafka_broker: KafkaBroker, tmp_path: Path) -> None:
    """Else the topics are there, and wrong."""
    settings = settings_of(kafka_broker, tmp_path, kafka={"retention": "40m"})
    with pytest.raises(TopicError, match=r"^kafka.retention must be >= \S+ \(.*\), got 40m$"):
        create_topics(settings)
    with pytest.raises(TopicError, match="must exist"):
        check_topics(settings)


def test_more_replicas_than_brokers_is_told_in_the_brokers_own_sentence(
    kafka_broker: KafkaBroker, tmp_path: Path
) -> None:
    """And no more than that: the request and the answer in full would hide it."""
    settings = settings_of(kafka_broker, tmp_path, kafka={"replication": 3})
    with pytest.raises(TopicError, match=r"^topic \S+ cannot be created: Unable to replicate .* 1 broker\(s\)[^']*$"):
        create_topics(settings)


def test_bytes_by_the_hour_are_measured_from_the_logs(kafka_broker: KafkaBroker, kafka_settings: Settings) -> None:
    """Each partition's bytes over the time that its records span; a log of less than a minute says nothing."""
    create_topics(kafka_settings)
    name, hours = kafka_settings.kafka.impressions, 2
    now = round(time.time() * 1000)
    producer = KafkaProducer(bootstrap_servers=kafka_broker.bootstrap)
    for number in range(200):
        sent = now - hours * HOUR * (199 - number) // 199
        producer.send(name, os.urandom(1000), partition=0, timestamp_ms=sent)
        producer.send(name, b"young", partition=1, timestamp_ms=now)
    producer.flush()
    producer.close()
    size = report_topics(kafka_settings).sizes["impressions"]
    assert size.records == 400
    assert size.per_hour == size.busiest
    assert size.per_hour == pytest.approx(200 * 1000 / hours, rel=0.2)
    assert size.at(48 * HOUR) == pytest.approx(48 * size.per_hour, abs=1)
    assert size.at(None) is None
    assert report_topics(kafka_settings).sizes["feedback"] == TopicSize(0, 0, None, None)


@pytest.mark.timeout(30)
def test_dead_address_is_said_within_seconds(kafka_broker: KafkaBroker, tmp_path: Path) -> None:
    """No half minute of silence: the address, and what happened there."""
    table: dict[str, Any] = table_of(kafka_broker, tmp_path)
    table["kafka"]["bootstrap"] = f"127.0.0.1:{free_port()}"
    with pytest.raises(BrokerError, match=r"kafka.bootstrap must name a broker that answers, got 127.*refused"):
        check_topics(Settings.of(table))
