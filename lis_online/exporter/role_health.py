"""What a worker knows of a role as a whole, and of its writing to the history."""

from __future__ import annotations

from dataclasses import dataclass

from lis_online.exporter.distribution import NONE, Durations


@dataclass(frozen=True, slots=True)
class RoleHealth:
    """A role's life in its consumer group since the worker began.

    partitions: that are this worker's now. rebalances: after which the shards were restored, the first
    assignment too. commits, commit_failures: of offsets, taken and refused. device_failures: of the accelerator.
    """

    partitions: int = 0
    rebalances: int = 0
    commits: int = 0
    commit_failures: int = 0
    device_failures: int = 0


@dataclass(frozen=True, slots=True)
class HistoryHealth:
    """Writing to the history since the worker began. failures: tries that failed; written_at: s since 1970."""

    rows: int = 0
    failures: int = 0
    writes: Durations = NONE
    written_at: float | None = None
