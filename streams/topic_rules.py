"""What a topic must be so that nothing a worker may need is deleted, and what a person should know of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from lis_online.events.topics import INPUTS
from lis_online.settings.durations import format_duration
from streams.topic_sizes import TopicSize

REASON: Final = "the checkpoints' age, the horizon and what the join waits"
FOREVER: Final = -1
AHEAD: Final = 86_400_000
"""ms: a record whose own time is further ahead keeps its segment from being deleted, and passes `events.max_ahead`."""


@dataclass(frozen=True)
class TopicShape:
    """How a topic must look. name is Kafka's, logical ours; configs are set when we create it.

    needed: how long a record must stay, ms; longest: and no longer than this; least_message: the least
    `max.message.bytes`. None: no such rule. replication: of the topics that we create.
    """

    logical: str
    name: str
    partitions: int
    compacted: bool
    needed: int | None = None
    longest: int | None = None
    least_message: int | None = None
    replication: int = 1
    configs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Found:
    """A topic as the brokers tell it; no partitions: it is not there. replicas: of its worst partition.

    configs: empty where the brokers tell none (a broker for demos): then nothing is judged by them.
    """

    partitions: int
    replicas: int = 0
    configs: Mapping[str, str] = field(default_factory=dict)


def kept(shape: TopicShape, configs: Mapping[str, str]) -> int | None:
    """Return how long a record surely stays by its age, ms; None for ever, or where it is not told."""
    key = "min.compaction.lag.ms" if shape.compacted else "retention.ms"
    value = int(configs.get(key, FOREVER))
    return None if value == FOREVER else value


def problems(shapes: Sequence[TopicShape], found: Mapping[str, Found]) -> list[str]:
    """Return what is wrong, one sentence per topic and rule: the topic, the rule, the value."""
    missing = [shape.name for shape in shapes if not found[shape.name].partitions]
    said = []
    if missing:
        noun = "topic" if len(missing) == 1 else "topics"
        said.append(f"{noun} {', '.join(missing)} must exist: run `lis-online topics create`")
    there = [shape for shape in shapes if found[shape.name].partitions]
    counts = {shape.name: found[shape.name].partitions for shape in there if shape.logical in INPUTS}
    if len(set(counts.values())) > 1:
        listed = ", ".join(f"{name} {count}" for name, count in counts.items())
        said.append(f"the input topics must have the same number of partitions, got {listed}")
    for shape in there:
        partitions = found[shape.name].partitions
        if partitions != shape.partitions:
            origin = "kafka.partitions" if shape.logical in INPUTS else "one rank group"
            said.append(f"topic {shape.name} must have {shape.partitions} partition(s) ({origin}), got {partitions}")
        said += _config_problems(shape, found[shape.name].configs)
    return said


def _config_problems(shape: TopicShape, configs: Mapping[str, str]) -> list[str]:
    said = []
    policy = configs.get("cleanup.policy")
    if policy is not None and ("compact" in policy) != shape.compacted:
        wanted = (
            "compact (the newest vector of an item must stay)" if shape.compacted else "delete (every record counts)"
        )
        said.append(f"topic {shape.name} must have cleanup.policy {wanted}, got {policy}")
    for key in ("min.compaction.lag.ms",) * shape.compacted + ("retention.ms",) * ("delete" in (policy or "delete")):
        age = int(configs.get(key, FOREVER))
        if shape.needed is not None and age != FOREVER and age < shape.needed:
            said.append(
                f"topic {shape.name} must have {key} >= {shape.needed} ({format_duration(shape.needed)}: {REASON}), "
                f"got {age}"
            )
    largest = configs.get("max.message.bytes")
    if shape.least_message is not None and largest is not None and int(largest) < shape.least_message:
        said.append(
            f"topic {shape.name} must have max.message.bytes >= {shape.least_message} (a block, or a refused record "
            f"with its reason), got {largest}"
        )
    by_size = int(configs.get("retention.bytes", FOREVER))
    if shape.logical not in INPUTS and shape.needed is not None and by_size != FOREVER:
        said.append(
            f"topic {shape.name} must have retention.bytes -1 (by size Kafka deletes whatever is needed), got {by_size}"
        )
    return said


def warnings(shapes: Sequence[TopicShape], found: Mapping[str, Found], sizes: Mapping[str, TopicSize]) -> list[str]:
    """Return what may lose records or disk, one sentence per topic and rule. sizes: by logical topic, if measured."""
    said = []
    for shape in shapes:
        there = found[shape.name]
        if there.partitions:
            said += _durability(shape, there)
            said += _by_size(shape, there.configs, sizes.get(shape.logical))
            said += _ages(shape, there.configs)
    return said


def _durability(shape: TopicShape, found: Found) -> list[str]:
    said = []
    in_sync = int(found.configs.get("min.insync.replicas", 1))
    if 0 < found.replicas < shape.replication:
        said.append(
            f"topic {shape.name} should have {shape.replication} replicas (kafka.replication), got {found.replicas}"
        )
    if found.replicas > 2 and in_sync < 2:
        said.append(
            f"topic {shape.name} should have min.insync.replicas >= 2 with {found.replicas} replicas (with 1 a record "
            f"is acknowledged that one broker alone has), got {in_sync}"
        )
    if found.replicas > 1 and found.configs.get("unclean.leader.election.enable") == "true":
        said.append(
            f"topic {shape.name} should have unclean.leader.election.enable false (a leader that lacks records loses "
            "them), got true"
        )
    return said


def _by_size(shape: TopicShape, configs: Mapping[str, str], size: TopicSize | None) -> list[str]:
    """Judge deletion by size of a topic that is not ours: by what it holds at the rate that was measured."""
    limit = int(configs.get("retention.bytes", FOREVER))
    if shape.logical not in INPUTS or shape.needed is None or limit == FOREVER or shape.compacted:
        return []
    rate = None if size is None else size.busiest
    if rate is None:
        return [
            f"topic {shape.name} should have retention.bytes -1 (by size Kafka deletes whatever is needed), got {limit}"
        ]
    needed = round(rate * shape.needed / 3_600_000)
    if limit >= needed:
        return []
    return [
        f"topic {shape.name} should have retention.bytes >= {needed} (its busiest partition takes {round(rate)} bytes "
        f"an hour, and records must stay {format_duration(shape.needed)}), got {limit}"
    ]


def _ages(shape: TopicShape, configs: Mapping[str, str]) -> list[str]:
    said = []
    age = kept(shape, configs)
    if shape.longest is not None and "retention.ms" in configs and (age is None or age > shape.longest):
        shown = "-1" if age is None else str(age)
        said.append(
            f"topic {shape.name} should have retention.ms <= {shape.longest} ({format_duration(shape.longest)}: it "
            f"holds users' ids in clear), got {shown}"
        )
    roll = int(configs.get("segment.ms", 0))
    if not shape.compacted and age is not None and roll > age:
        said.append(
            f"topic {shape.name} should have segment.ms <= retention.ms {age} (Kafka deletes whole segments, so a "
            f"quiet partition keeps records for longer), got {roll}"
        )
    ahead = int(configs.get("message.timestamp.after.max.ms", 0))
    if configs.get("message.timestamp.type") == "CreateTime" and ahead > AHEAD:
        said.append(
            f"topic {shape.name} should have message.timestamp.after.max.ms <= {AHEAD} (a record from the future is "
            f"kept that long and passes events.max_ahead), got {ahead}"
        )
    return said
