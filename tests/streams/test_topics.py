from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaAdminClient

from lis_online.errors import BrokerError, TopicError
from lis_online.settings import Settings
from streams.topics import check_topics, create_topics, needed_retention
from tests.fixtures.kafka import KafkaBroker, free_port, table_of

pytestmark = pytest.mark.kafka


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


@pytest.mark.timeout(30)
def test_dead_address_is_said_within_seconds(kafka_broker: KafkaBroker, tmp_path: Path) -> None:
    """No half minute of silence: the address, and what happened there."""
    table: dict[str, Any] = table_of(kafka_broker, tmp_path)
    table["kafka"]["bootstrap"] = f"127.0.0.1:{free_port()}"
    with pytest.raises(BrokerError, match=r"kafka.bootstrap must name a broker that answers, got 127.*refused"):
        check_topics(Settings.of(table))
