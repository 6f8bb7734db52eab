"""The topics' shapes: create what is missing, and read what is there (`topic_rules.py` judges it)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaError, TopicAlreadyExistsError

from lis_online.errors import TopicError
from lis_online.events.topics import INPUTS, topic_names
from lis_online.replay.connection import admin_client
from lis_online.settings import Settings
from lis_online.settings.durations import format_duration
from streams import topic_rules
from streams.topic_rules import Found, TopicShape
from streams.topic_sizes import TopicSize, measure

MAX_MESSAGE_BYTES: Final = 16 * 2**20
"""Largest record of an internal topic: a refused record of 1 MiB and its reason fit, and so do blocks."""

DEAD_LETTERS_RETENTION: Final = 3 * 86_400_000
"""ms: no worker reads dead letters again, and they hold raw bytes with users' ids in clear."""

LONGEST_SEGMENT: Final = 86_400_000
"""ms: Kafka deletes, and compacts, whole segments alone, and only those that are not written to any more."""


def needed_retention(settings: Settings) -> int:
    """Return how long a record must stay, ms: as long as a restored shard may want to read it again.

    The oldest checkpoint kept (one more interval passes while the next is written), the delay of H,
    and what the join waits. While no worker runs, or no checkpoint can be written, the oldest gets older than that:
    what retention is more than this is how long that may last (`TopicReport.away`).
    """
    checkpoints = settings.checkpoints.every * (settings.checkpoints.keep + 1)
    events = settings.events
    return checkpoints + settings.leakage.horizon + events.attribution_window + events.allowed_lateness


def topic_shapes(settings: Settings) -> list[TopicShape]:
    """Return every topic as it should be: inputs with equally many partitions, internal ones with one."""
    kafka, needed = settings.kafka, needed_retention(settings)
    shapes = []
    for logical, name in topic_names(kafka).items():
        compacted, inner, letters = logical == "representations", logical not in INPUTS, logical == "dead_letters"
        retention = min(kafka.retention, DEAD_LETTERS_RETENTION) if letters else kafka.retention
        configs = {"cleanup.policy": "compact" if compacted else "delete"}
        # a compacted topic keeps the newest vector for ever, and the ones before it as long as H may ask for them
        configs["min.compaction.lag.ms" if compacted else "retention.ms"] = str(retention)
        configs["segment.ms"] = str(min(retention, LONGEST_SEGMENT))
        if inner:
            configs |= {"max.message.bytes": str(MAX_MESSAGE_BYTES), "retention.bytes": "-1"}
        shapes.append(
            TopicShape(
                logical,
                name,
                1 if inner else kafka.partitions,
                compacted,
                needed=None if letters else needed,
                longest=DEAD_LETTERS_RETENTION if letters else None,
                least_message=MAX_MESSAGE_BYTES if inner else None,
                replication=kafka.replication,
                configs=configs,
            )
        )
    return shapes


@dataclass(frozen=True)
class TopicReport:
    """What is there, judged. problems: refused; warnings: what a person should know; both one sentence each.

    needed: how long a record must stay, ms. retention: how long it does, by logical topic, ms; None for ever.
    sizes: bytes by logical topic; empty where the brokers do not tell.
    """

    needed: int
    problems: list[str]
    warnings: list[str]
    retention: Mapping[str, int | None] = field(default_factory=dict)
    sizes: Mapping[str, TopicSize] = field(default_factory=dict)

    @property
    def away(self) -> int | None:
        """How long workers may be away, or checkpoints fail, before records are gone that they need, ms.

        None: for ever. Dead letters do not count: no worker reads them.
        """
        kept = [kept for logical, kept in self.retention.items() if logical != "dead_letters" and kept is not None]
        return min(kept) - self.needed if kept else None


def create_topics(settings: Settings) -> list[str]:
    """Create the topics that are missing and return their names; those that are there stay as they are.

    Raises TopicError when, after that, one has the wrong shape (`check_topics`) and BrokerError when
    no broker answers.
    """
    shapes, needed = topic_shapes(settings), needed_retention(settings)
    if settings.kafka.retention < needed:
        raise TopicError(
            f"kafka.retention must be >= {format_duration(needed)} ({topic_rules.REASON}), "
            f"got {format_duration(settings.kafka.retention)}"
        )
    with admin_client(settings.kafka) as admin:
        existing = set(admin.list_topics())
        missing = {
            shape.name: {
                "num_partitions": shape.partitions,
                "replication_factor": settings.kafka.replication,
                "configs": dict(shape.configs),
            }
            for shape in shapes
            if shape.name not in existing
        }
        if missing:
            _create(admin, missing)
    check_topics(settings)
    return list(missing)


def check_topics(settings: Settings) -> None:
    """Refuse topics that are missing or of the wrong shape.

    Raises TopicError with one sentence per topic and rule: the topic, the rule, the value.
    """
    problems = report_topics(settings, sizes=False).problems
    if problems:
        raise TopicError("; ".join(problems))


def report_topics(settings: Settings, sizes: bool = True) -> TopicReport:
    """Return what the brokers tell of the topics, judged. sizes: measure them too. Raises BrokerError."""
    shapes = topic_shapes(settings)
    with admin_client(settings.kafka) as admin:
        found = _found(admin, [shape.name for shape in shapes])
        there = {shape.logical: found[shape.name] for shape in shapes if found[shape.name].partitions}
        partitions = {shape.name: found[shape.name].partitions for shape in shapes if shape.logical in there}
        measured = measure(admin, partitions) if sizes else {}
    by_logical = {shape.logical: measured[shape.name] for shape in shapes if shape.name in measured}
    retention = {
        shape.logical: topic_rules.kept(shape, there[shape.logical].configs)
        for shape in shapes
        if shape.logical in there
    }
    problems = topic_rules.problems(shapes, found)
    return TopicReport(
        needed_retention(settings), problems, topic_rules.warnings(shapes, found, by_logical), retention, by_logical
    )


def _create(admin: KafkaAdminClient, missing: dict[str, dict[str, object]]) -> None:
    for name, options in missing.items():
        try:
            admin.create_topics({name: options})
        except TopicAlreadyExistsError:
            continue  # another worker created it a moment ago
        except KafkaError as exc:
            raise TopicError(f"topic {name} cannot be created: {_told(exc)}") from exc
    admin.wait_for_topics(list(missing))


def _told(exc: KafkaError) -> str:
    """Return the broker's own sentence, out of a request and an answer in full."""
    said = re.search(r"error_message='([^']+)'", str(exc))
    return str(exc) if said is None else said[1]


def _found(admin: KafkaAdminClient, names: list[str]) -> dict[str, Found]:
    # all topics are listed and ours picked: asking for one that is missing could make the broker create it
    topics: dict[str, Any] = {topic["name"]: topic["partitions"] for topic in admin.describe_topics()}
    configs = _configs(admin, [name for name in names if topics.get(name)])
    found = {}
    for name in names:
        partitions = topics.get(name, [])
        replicas = min((len(partition.get("replica_nodes", [])) for partition in partitions), default=0)
        found[name] = Found(len(partitions), replicas, configs.get(name, {}))
    return found


def _configs(admin: KafkaAdminClient, names: list[str]) -> dict[str, dict[str, str]]:
    if not names:
        return {}
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    answer = admin.describe_configs(resources, config_filter="all").get("topic", {})
    return {name: {key: entry["value"] for key, entry in answer.get(name, {}).items()} for name in names}
