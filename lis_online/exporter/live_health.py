"""The worker's health of the live page, as JSON values. Every time is a moment: who reads knows how long ago it was."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from lis_online.exporter.health import ShardHealth, WorkerHealth


def health_table(health: WorkerHealth, alive: str | None, ready: str | None) -> dict[str, Any]:
    """Return what the worker knows of itself. alive, ready: the sentences of /healthz and /readyz, None when well."""
    history = health.history
    return {
        "alive": alive,
        "ready": ready,
        "roles": sorted(health.roles),
        "shards": [_shard(shard) for shard in health.get()],
        "history": None
        if history is None
        else {"rows": history.rows, "failures": history.failures, "written_at": moment(history.written_at)},
    }


def _shard(shard: ShardHealth) -> dict[str, Any]:
    return {
        "role": shard.role,
        "partition": shard.partition,
        "paused": shard.paused,
        "assigned_at": moment(shard.assigned_at),
        "applied": shard.applied,
        "lag": shard.lag,
        "watermark": moment(None if shard.watermark is None else shard.watermark / 1000),
        "last_batch_at": moment(shard.last_batch_at),
        "checkpoint_at": moment(shard.checkpoint_at),
    }


def moment(seconds: float | None) -> str | None:
    """Return a time in seconds since 1970 as text, to the second.

    >>> moment(1_573_516_800.4), moment(None)
    ('2019-11-12T00:00:00+00:00', None)
    """
    return None if seconds is None else datetime.fromtimestamp(int(seconds), UTC).isoformat()
