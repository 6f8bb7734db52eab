"""The series of a worker's own health."""

from __future__ import annotations

from lis_online.exporter import names
from lis_online.exporter.families import Families
from lis_online.exporter.health import PAUSES, ShardHealth, WorkerHealth, fates, refusals


def add_health(families: Families, health: WorkerHealth) -> None:
    """Add what each shard of this worker last reported."""
    for shard in health.get():
        _add_work(families, shard)
        if shard.role == "join":
            _add_counts(families, shard)


def _add_work(families: Families, shard: ShardHealth) -> None:
    at = {"role": shard.role, "partition": str(shard.partition)}
    families.add(names.APPLIED, shard.applied, **at)
    families.add_durations(names.STEP, shard.steps, **at)
    families.add(names.LAST_BATCH, shard.last_batch_at, **at)
    families.add(names.WATERMARK, None if shard.watermark is None else shard.watermark / 1000, **at)
    families.add(names.LAG, shard.lag, **at)
    families.add(names.CHECKPOINT, shard.checkpoint_at, **at)
    families.add(names.CHECKPOINT_POSITION, shard.checkpoint_position, **at)
    for reason in PAUSES:
        families.add(names.PAUSED, float(shard.paused == reason), reason=reason, **at)


def _add_counts(families: Families, shard: ShardHealth) -> None:
    """Add every known fate and reason, also before its first record: Prometheus sees no increase from nothing to 1."""
    for fate, count in fates(shard.counts).items():
        families.add(names.EVENTS, count, partition=str(shard.partition), fate=fate)
    for reason, count in refusals(shard.counts).items():
        families.add(names.DEAD_LETTERS, count, partition=str(shard.partition), reason=reason)
