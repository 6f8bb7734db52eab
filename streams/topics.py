"""The topics' shapes: create what is missing, and say what is wrong with what is there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaError, TopicAlreadyExistsError

from lis_online.errors import TopicError
from lis_online.events.topics import INPUTS, topic_names
from lis_online.replay.connection import admin_client
from lis_online.settings import Settings
from lis_online.settings.durations import format_duration

MAX_MESSAGE_BYTES = 16 * 2**20
"""Largest record of an internal topic: a refused record of 1 MiB and its reason fit, and so do blocks."""

_DEFAULT_POLICY = "delete"
_FOREVER = -1


@dataclass(frozen=True)
class TopicShape:
    """How a topic must look. name is Kafka's, logical ours; configs are set when we create it."""

    logical: str
    name: str
    partitions: int
    compacted: bool
    configs: Mapping[str, str] = field(default_factory=dict)


def needed_retention(settings: Settings) -> int:
    """Return how long a record must stay, ms: as long as a restored shard may want to read it again.

    The oldest checkpoint kept (one more interval passes while the next is written), the delay of H,
    and what the join waits.
    """
    checkpoints = settings.checkpoints.every * (settings.checkpoints.keep + 1)
    events = settings.events
    return checkpoints + settings.leakage.horizon + events.attribution_window + events.allowed_lateness


def topic_shapes(settings: Settings) -> list[TopicShape]:
    """Return every topic as it should be: inputs with equally many partitions, internal ones with one."""
    kafka = settings.kafka
    shapes = []
    for logical, name in topic_names(kafka).items():
        compacted = logical == "representations"
        configs = {"cleanup.policy": "compact" if compacted else "delete"}
        # a compacted topic keeps the newest vector for ever, and the ones before it as long as H may ask for them
        configs["min.compaction.lag.ms" if compacted else "retention.ms"] = str(kafka.retention)
        if logical not in INPUTS:
            configs["max.message.bytes"] = str(MAX_MESSAGE_BYTES)
        shapes.append(TopicShape(logical, name, kafka.partitions if logical in INPUTS else 1, compacted, configs))
    return shapes


def create_topics(settings: Settings) -> list[str]:
    """Create the topics that are missing and return their names; those that are there stay as they are.

    Raises TopicError when, after that, one has the wrong shape (`check_topics`) and BrokerError when
    no broker answers.
    """
    shapes = topic_shapes(settings)
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
    shapes = topic_shapes(settings)
    with admin_client(settings.kafka) as admin:
        partitions = _partitions(admin, [shape.name for shape in shapes])
        configs = _configs(admin, [name for name, count in partitions.items() if count])
    problems = _problems(shapes, partitions, configs, needed_retention(settings))
    if problems:
        raise TopicError("; ".join(problems))


def _create(admin: KafkaAdminClient, missing: dict[str, dict[str, object]]) -> None:
    for name, options in missing.items():
        try:
            admin.create_topics({name: options})
        except TopicAlreadyExistsError:
            continue  # another worker created it a moment ago
        except KafkaError as exc:
            raise TopicError(f"topic {name} cannot be created: {exc}") from exc
    admin.wait_for_topics(list(missing))


def _partitions(admin: KafkaAdminClient, names: list[str]) -> dict[str, int]:
    # all topics are listed and ours picked: asking for one that is missing could make the broker create it
    found = {topic["name"]: len(topic["partitions"]) for topic in admin.describe_topics()}
    return {name: found.get(name, 0) for name in names}


def _configs(admin: KafkaAdminClient, names: list[str]) -> dict[str, dict[str, str]]:
    if not names:
        return {}
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    answer = admin.describe_configs(resources, config_filter="all").get("topic", {})
    return {name: {key: entry["value"] for key, entry in answer.get(name, {}).items()} for name in names}


def _problems(
    shapes: list[TopicShape], partitions: dict[str, int], configs: dict[str, dict[str, str]], retention: int
) -> list[str]:
    missing = [shape.name for shape in shapes if not partitions[shape.name]]
    problems = []
    if missing:
        noun = "topic" if len(missing) == 1 else "topics"
        problems.append(f"{noun} {', '.join(missing)} must exist: run `lis-online topics create`")
    there = [shape for shape in shapes if partitions[shape.name]]
    counts = {shape.name: partitions[shape.name] for shape in there if shape.logical in INPUTS}
    if len(set(counts.values())) > 1:
        listed = ", ".join(f"{name} {count}" for name, count in counts.items())
        problems.append(f"the input topics must have the same number of partitions, got {listed}")
    for shape in there:
        if partitions[shape.name] != shape.partitions:
            origin = "kafka.partitions" if shape.logical in INPUTS else "one rank group"
            problems.append(
                f"topic {shape.name} must have {shape.partitions} partition(s) ({origin}), got {partitions[shape.name]}"
            )
        problems += _config_problems(shape, configs[shape.name], retention)
    return problems


def _config_problems(shape: TopicShape, configs: Mapping[str, str], retention: int) -> list[str]:
    """Judge what the broker tells: one that tells no configuration (a broker for demos) is not judged."""
    problems = []
    policy = configs.get("cleanup.policy")
    if policy is not None and ("compact" in policy) != shape.compacted:
        wanted = (
            "compact (the newest vector of an item must stay)" if shape.compacted else "delete (every record counts)"
        )
        problems.append(f"topic {shape.name} must have cleanup.policy {wanted}, got {policy}")
    kept = int(configs.get("retention.ms", _FOREVER))
    if kept != _FOREVER and kept < retention and "delete" in (policy or _DEFAULT_POLICY):
        problems.append(
            f"topic {shape.name} must have retention.ms >= {retention} ({format_duration(retention)}: "
            f"the checkpoints' age, the horizon and what the join waits), got {kept}"
        )
    return problems
