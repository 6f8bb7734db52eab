"""The series of a worker's own health."""

from __future__ import annotations

from collections.abc import Iterable

from lis_online.exporter import names
from lis_online.exporter.families import Families
from lis_online.exporter.health import PAUSES, ShardHealth, WorkerHealth, fates, refusals
from lis_online.exporter.role_health import HistoryHealth, RoleHealth
from lis_online.shards.device_use import DeviceUse


def add_health(families: Families, health: WorkerHealth) -> None:
    """Add what this worker's roles and shards last reported."""
    for role, known in health.roles.items():
        _add_role(families, known, role)
    _add_history(families, health.history)
    for shard in health.get():
        _add_work(families, shard)
        if shard.role == "join":
            _add_counts(families, shard)


def _add_role(families: Families, known: RoleHealth, role: str) -> None:
    families.add(names.ASSIGNED, known.partitions, role=role)
    families.add(names.REBALANCES, known.rebalances, role=role)
    families.add(names.COMMITS, known.commits, role=role)
    families.add(names.COMMIT_FAILURES, known.commit_failures, role=role)
    families.add(names.DEVICE_FAILURES, known.device_failures, role=role)


def _add_history(families: Families, known: HistoryHealth | None) -> None:
    if known is None:
        return
    families.add(names.HISTORY_ROWS, known.rows)
    families.add(names.HISTORY_WRITES, known.writes.count)
    families.add(names.HISTORY_FAILURES, known.failures)
    families.add_durations(names.HISTORY_SECONDS, known.writes)
    families.add(names.HISTORY_LAST, known.written_at)


def _add_work(families: Families, shard: ShardHealth) -> None:
    at = {"role": shard.role, "partition": str(shard.partition)}
    families.add(names.APPLIED, shard.applied, **at)
    families.add_durations(names.STEP, shard.steps, **at)
    families.add(names.LAST_BATCH, shard.last_batch_at, **at)
    families.add(names.WATERMARK, None if shard.watermark is None else shard.watermark / 1000, **at)
    families.add(names.LAG, shard.lag, **at)
    families.add(names.LAG_KNOWN, float(shard.lag is not None), **at)
    families.add(names.CHECKPOINT, shard.checkpoint_at, **at)
    families.add(names.CHECKPOINT_POSITION, shard.checkpoint_position, **at)
    families.add(names.CHECKPOINT_BYTES, shard.checkpoint_bytes, **at)
    families.add(names.CHECKPOINT_SECONDS, shard.checkpoint_seconds, **at)
    families.add(names.CHECKPOINT_PAUSE, shard.checkpoint_pause, **at)
    families.add(names.CHECKPOINT_FAILURES, shard.checkpoint_failures, **at)
    families.add(names.COMMIT, shard.committed_at, **at)
    for reason in PAUSES:
        families.add(names.PAUSED, float(shard.paused == reason), reason=reason, **at)


def _add_counts(families: Families, shard: ShardHealth) -> None:
    """Add every known fate and reason, also before its first record: Prometheus sees no increase from nothing to 1."""
    for fate, count in fates(shard.counts).items():
        families.add(names.EVENTS, count, partition=str(shard.partition), fate=fate)
    for reason, count in refusals(shard.counts).items():
        families.add_marked(
            names.DEAD_LETTERS, count, shard.refused.get(reason), partition=str(shard.partition), reason=reason
        )


def add_devices(families: Families, found: Iterable[tuple[str, DeviceUse]]) -> None:
    """Add what each role computes on, and the memory of an accelerator."""
    for role, use in found:
        families.add(names.DEVICE, 1, role=role, device=use.name)
        for state in ("allocated", "reserved", "total"):
            families.add(names.DEVICE_MEMORY, getattr(use, state), role=role, state=state)
