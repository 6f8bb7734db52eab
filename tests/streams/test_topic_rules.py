from __future__ import annotations

import pytest

from lis_online.settings import Settings
from streams.topic_rules import Found, kept, problems, warnings
from streams.topic_sizes import HOUR, TopicSize
from streams.topics import TopicReport, needed_retention, topic_shapes

SETTINGS = Settings.of({"kafka": {"replication": 3}})
SHAPES = {shape.logical: shape for shape in topic_shapes(SETTINGS)}


def said(logical: str, replicas: int = 3, size: TopicSize | None = None, **configs: str) -> list[str]:
    """Return the warnings of one topic that has these configs beside those it is made with."""
    shape = SHAPES[logical]
    told = {"min.insync.replicas": "2", **shape.configs, **{key.replace("_", "."): v for key, v in configs.items()}}
    found = {shape.name: Found(shape.partitions, replicas, told)}
    return warnings([shape], found, {} if size is None else {logical: size})


@pytest.mark.parametrize("logical", SHAPES)
def test_topic_as_it_is_made_is_right(logical: str) -> None:
    """What `topics create` sets is what `topics check` asks for."""
    shape = SHAPES[logical]
    assert said(logical) == []
    assert problems([shape], {shape.name: Found(shape.partitions, 3, shape.configs)}) == []


def test_broker_that_tells_no_configuration_is_not_judged_by_it() -> None:
    """A broker for demos has partitions, and tells nothing else."""
    for shape in SHAPES.values():
        found = {shape.name: Found(shape.partitions, 1)}
        assert problems([shape], found) == []
        assert kept(shape, {}) is None


@pytest.mark.parametrize(
    ("logical", "configs", "sentence"),
    [
        ("windows", {"replicas": 1}, "lis.windows should have 3 replicas (kafka.replication), got 1"),
        ("windows", {"min_insync_replicas": "1"}, "lis.windows should have min.insync.replicas >= 2 with 3 replicas"),
        (
            "impressions",
            {"unclean_leader_election_enable": "true"},
            "impressions should have unclean.leader.election.enable false",
        ),
        ("dead_letters", {"retention_ms": "604800000"}, "lis.dead-letters should have retention.ms <= 259200000 (3d:"),
        ("dead_letters", {"retention_ms": "-1"}, "lis.dead-letters should have retention.ms <= 259200000 (3d:"),
        ("feedback", {"segment_ms": "700000000"}, "feedback should have segment.ms <= retention.ms 604800000"),
        (
            "feedback",
            {"message_timestamp_type": "CreateTime", "message_timestamp_after_max_ms": str(2**63 - 1)},
            "feedback should have message.timestamp.after.max.ms <= 86400000",
        ),
        ("feedback", {"retention_bytes": "1000"}, "feedback should have retention.bytes -1"),
    ],
)
def test_what_may_lose_records_or_disk_is_one_sentence(
    logical: str, configs: dict[str, str | int], sentence: str
) -> None:
    """The topic, the rule, the value, and why."""
    (only,) = said(logical, **configs)  # type: ignore[arg-type]
    assert only.startswith(f"topic {sentence}")
    assert ", got " in only


def test_deletion_by_size_of_an_input_is_judged_by_its_busiest_partition() -> None:
    """A platform's own topic may have a limit, as long as what is needed fits below it."""
    needed = needed_retention(SETTINGS)
    size = TopicSize(bytes=10_000, records=10, per_hour=5_000.0, busiest=4_000.0)
    enough = round(4_000 * needed / HOUR)
    assert said("feedback", size=size, retention_bytes=str(enough)) == []
    (sentence,) = said("feedback", size=size, retention_bytes=str(enough - 1))
    assert sentence.startswith(f"topic feedback should have retention.bytes >= {enough} (its busiest partition takes")


def test_how_long_workers_may_be_away_is_the_least_of_the_topics_they_read() -> None:
    """Nobody reads dead letters again; a topic that is kept for ever limits nothing."""
    assert TopicReport(10, [], [], {"impressions": 50, "windows": None, "dead_letters": 20}).away == 40
    assert TopicReport(10, [], [], {"impressions": None}).away is None
