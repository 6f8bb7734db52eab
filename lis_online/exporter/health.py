"""How a worker's shards are doing: what `streams/` reports and the exporter shows.

Nothing in here measures; the worker calls a method when something has happened. Times are seconds
since 1970 of the clock that is passed in, watermarks event time in ms since 1970.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from lis_online.events import reasons
from lis_online.exporter.distribution import NONE, Durations
from lis_online.exporter.exemplars import Mark, Origin
from lis_online.exporter.role_health import HistoryHealth, RoleHealth
from lis_online.records import MAX_TIME

PAUSES: Final = (
    "restoring",
    "catching_up",
    "history_unreachable",
    "broker_unreachable",
    "registry_unreachable",
    "other",
)
"""Why a shard may hold its records: label values. Any other word counts as "other"."""

UNREACHABLE: Final = {
    "history_unreachable": "the history",
    "broker_unreachable": "Kafka",
    "registry_unreachable": "the schema registry",
}
"""The reasons that are somebody else's outage."""


@dataclass(frozen=True, slots=True)
class ShardHealth:
    """One shard as of its last report. None where there is none yet.

    applied: records since the worker began. counts: by fate and by dead-letter reason, cumulative
    over the shard's life (join alone). watermark: ms, None at the end of the log too.
    steps: durations of `feed` calls. refused: by dead-letter reason, the last record that was refused (join alone).
    lag: records of its inputs that are not applied yet, None while that is not known. paused: one of PAUSES.
    committed_at: when its offsets were last committed. moved_at: when its watermark last rose. revision, published_at:
    of its numbers, and when they changed since the worker began (publish alone). checkpoint_bytes, checkpoint_seconds,
    checkpoint_pause: of its last checkpoint since the worker began. checkpoint_failures: tries that failed.
    """

    role: str
    partition: int
    assigned_at: float
    applied: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    watermark: int | None = None
    refused: Mapping[str, Mark] = field(default_factory=dict)
    steps: Durations = NONE
    last_batch_at: float | None = None
    checkpoint_at: float | None = None
    checkpoint_position: int | None = None
    checkpoint_bytes: int | None = None
    checkpoint_seconds: float | None = None
    checkpoint_pause: float | None = None
    checkpoint_failures: int = 0
    lag: int | None = None
    paused: str | None = None
    committed_at: float | None = None
    moved_at: float | None = None
    revision: int | None = None
    published_at: float | None = None


class WorkerHealth:
    """The shards that this worker has now. Every method may be called from any thread.

    >>> health = WorkerHealth(clock=lambda: 1_000.0)
    >>> health.assigned("join", 0)
    >>> health.applied("join", 0, records=500, seconds=0.25)
    >>> [(s.role, s.partition, s.applied, s.last_batch_at) for s in health.get()]
    [('join', 0, 500, 1000.0)]
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._shards: dict[tuple[str, int], ShardHealth] = {}
        self._roles: dict[str, RoleHealth] = {}
        self._history: HistoryHealth | None = None

    @property
    def roles(self) -> Mapping[str, RoleHealth]:
        """The roles of this worker, by name."""
        with self._lock:
            return dict(self._roles)

    @property
    def history(self) -> HistoryHealth | None:
        """Writing to the history, None where this worker does not."""
        with self._lock:
            return self._history

    def begin(self, role: str) -> None:
        """The worker has this role: its series exist from here on."""
        with self._lock:
            self._roles[role] = RoleHealth()

    def begin_history(self) -> None:
        """The worker writes to the history: its series exist from here on."""
        with self._lock:
            self._history = HistoryHealth()

    def rebalanced(self, role: str, partitions: int) -> None:
        """The role's group has been rebalanced, and so many partitions are this worker's now."""
        with self._lock:
            known = self._roles[role]
            self._roles[role] = replace(known, partitions=partitions, rebalances=known.rebalances + 1)

    def committed(self, role: str, partition: int, taken: bool) -> None:
        """A shard's offsets were committed, or the group refused them."""
        with self._lock:
            known = self._roles[role]
            if not taken:
                self._roles[role] = replace(known, commit_failures=known.commit_failures + 1)
                return
            self._roles[role] = replace(known, commits=known.commits + 1)
            self._shards[role, partition] = replace(self._of(role, partition), committed_at=self._clock())

    def device_failed(self, role: str) -> None:
        """What the role computes on has failed."""
        with self._lock:
            known = self._roles[role]
            self._roles[role] = replace(known, device_failures=known.device_failures + 1)

    def written(self, rows: int, seconds: float) -> None:
        """The history took a batch of rows in that time."""
        with self._lock:
            known = self._history or HistoryHealth()
            self._history = replace(
                known, rows=known.rows + rows, writes=known.writes.plus(seconds), written_at=self._clock()
            )

    def unwritten(self) -> None:
        """The history did not take a batch of rows."""
        with self._lock:
            known = self._history or HistoryHealth()
            self._history = replace(known, failures=known.failures + 1)

    def assigned(self, role: str, partition: int) -> None:
        """The partition is this worker's now. Its series exist from here on."""
        with self._lock:
            self._shards.setdefault((role, partition), ShardHealth(role, partition, self._clock()))

    def revoked(self, role: str, partition: int) -> None:
        """The partition is another worker's: its series end here, or two workers would report one shard."""
        with self._lock:
            self._shards.pop((role, partition), None)

    def applied(self, role: str, partition: int, records: int, seconds: float, last: Origin | None = None) -> None:
        """A `feed` call has returned: how many records it took and how long. last: the last of them."""
        with self._lock:
            shard, now = self._of(role, partition), self._clock()
            mark = None if last is None else Mark(last, seconds, now)
            self._shards[role, partition] = replace(
                shard,
                applied=shard.applied + records,
                steps=shard.steps.plus(seconds, mark),
                last_batch_at=now,
            )

    def counted(self, role: str, partition: int, counts: Mapping[str, int]) -> None:
        """The shard's cumulative counts by fate and dead-letter reason are these."""
        with self._lock:
            self._shards[role, partition] = replace(self._of(role, partition), counts=dict(counts))

    def refused(self, role: str, partition: int, reason: str, origin: Origin) -> None:
        """A record was refused for a reason; its dead letter has been sent."""
        with self._lock:
            shard = self._of(role, partition)
            mark = Mark(origin, 1.0, self._clock())
            self._shards[role, partition] = replace(shard, refused={**shard.refused, reason: mark})

    def passed(self, role: str, partition: int, watermark: int) -> None:
        """The shard's watermark is this: event time, ms. The end of the log has no time and is left out."""
        with self._lock:
            shard, known = self._of(role, partition), watermark if 0 <= watermark < MAX_TIME else None
            moved_at = shard.moved_at if known == shard.watermark else self._clock()
            self._shards[role, partition] = replace(shard, watermark=known, moved_at=moved_at)

    def published(self, role: str, partition: int, revision: int) -> None:
        """The shard's numbers are those of this revision."""
        with self._lock:
            shard = self._of(role, partition)
            published_at = shard.published_at if revision == shard.revision else self._clock()
            self._shards[role, partition] = replace(shard, revision=revision, published_at=published_at)

    def saved(self, role: str, partition: int, position: int, size: int, seconds: float, pause: float) -> None:
        """A checkpoint of this position and size, bytes, is durable: seconds after it began; turns waited for pause."""
        with self._lock:
            self._shards[role, partition] = replace(
                self._of(role, partition),
                checkpoint_at=self._clock(),
                checkpoint_position=position,
                checkpoint_bytes=size,
                checkpoint_seconds=seconds,
                checkpoint_pause=pause,
            )

    def save_failed(self, role: str, partition: int) -> None:
        """A checkpoint could not be written or read."""
        with self._lock:
            shard = self._of(role, partition)
            self._shards[role, partition] = replace(shard, checkpoint_failures=shard.checkpoint_failures + 1)

    def lagged(self, lags: Mapping[tuple[str, int], int]) -> None:
        """Of each shard, by role and partition, so many records are not applied; of the others that is not known."""
        with self._lock:
            self._shards = {key: replace(shard, lag=lags.get(key)) for key, shard in self._shards.items()}

    def paused(self, role: str, partition: int, reason: str | None) -> None:
        """The shard holds its records for a reason of PAUSES, or goes on (None)."""
        with self._lock:
            known = reason if reason is None or reason in PAUSES else "other"
            self._shards[role, partition] = replace(self._of(role, partition), paused=known)

    def get(self) -> tuple[ShardHealth, ...]:
        """Return all shards, in the order of role and partition."""
        with self._lock:
            return tuple(self._shards[key] for key in sorted(self._shards))

    def _of(self, role: str, partition: int) -> ShardHealth:
        """Return the shard; a report on one that was revoked meanwhile starts it anew, until it is revoked again."""
        known = self._shards.get((role, partition))
        return known if known is not None else ShardHealth(role, partition, self._clock())

    def stuck(self, limit: float) -> str | None:
        """Return the sentence that names a shard with records to read and none applied for `limit` seconds.

        A pause that has a name is no stuck shard: restarting the worker would not end it.
        """
        now = self._clock()
        for shard in self.get():
            since = now - max(shard.last_batch_at or 0.0, shard.assigned_at)
            if shard.lag and shard.paused is None and since > limit:
                return (
                    f"{shard.role} shard {shard.partition} has {shard.lag} records to read "
                    f"and applied none for {since:.0f} s"
                )
        return None

    def standing(self, limit: float) -> str | None:
        """Return the sentence that names a shard with records to read whose watermark stands for `limit` seconds.

        It may be applying records all the while: a partition that stopped holds the others up. Waits that have a name
        are left out.
        """
        now = self._clock()
        for shard in self.get():
            since = now - max(shard.moved_at or 0.0, shard.assigned_at)
            if shard.lag and shard.paused is None and shard.watermark is not None and since > limit:
                return (
                    f"the watermark of {shard.role} shard {shard.partition} has not risen for {since:.0f} s, "
                    f"with {shard.lag} records to read"
                )
        return None

    def cut_off(self) -> str | None:
        """Return the sentence that names a shard that cannot reach what it needs."""
        for shard in self.get():
            if shard.paused in UNREACHABLE:
                return f"{shard.role} shard {shard.partition} cannot reach {UNREACHABLE[shard.paused]}"
        return None


def fates(counts: Mapping[str, int]) -> dict[str, int]:
    """Return the counts of every known fate, 0 where nothing was counted yet."""
    return {fate: counts.get(fate, 0) for fate in reasons.COUNTED}


def refusals(counts: Mapping[str, int]) -> dict[str, int]:
    """Return the counts of every known dead-letter reason, 0 where nothing was refused yet."""
    return {reason: counts.get(reason, 0) for reason in reasons.REFUSED}
