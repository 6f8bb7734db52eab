"""The rank shard: from the rank log to finished metric buckets.

It applies records in the order (event time, request) once the watermarks of all join shards have passed them, in
steps cut by the events alone, block by block: what it returns is a function of the log.

    slates    wait until every slate of their tick is known; read their count features (as served)
    pairs     wait until their placebo bucket closes; enter the sketches with their placebo
    vectors   wait until the samples reach their time; a variant's versions change at a bucket's start
    a sample  at t is scored, then learnt, when all pairs up to t + H have closed
    a control record takes effect at its own offset, between two steps
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from lis_online.events import rank_log
from lis_online.events.batches import SlateBatch
from lis_online.events.hashing import salt_of
from lis_online.events.names import Names
from lis_online.metrics.layout import PER_SOURCE, PER_VARIANT, Layout
from lis_online.metrics.version_keys import ranker_of
from lis_online.preference.leak import Leak
from lis_online.rankers.counts import DecayedCounts
from lis_online.rankers.device import choose_device
from lis_online.rankers.group import RankerGroup
from lis_online.rankers.inputs import Slots, dense_width
from lis_online.rankers.load import network_of
from lis_online.rankers.network import Shape
from lis_online.records import MAX_TIME, Outgoing, Record
from lis_online.representation.store import VectorStore
from lis_online.settings import Settings
from lis_online.shards.batcher import Batcher
from lis_online.shards.delay_line import DelayLine
from lis_online.shards.device_use import DeviceUse
from lis_online.shards.intake import Intake
from lis_online.shards.open_bucket import OpenBucket
from lis_online.shards.pair_intake import PairIntake
from lis_online.shards.rank_device import device_failures_told, device_use, tells_device_failures
from lis_online.shards.rank_features import SIDE, FeatureBuilder
from lis_online.shards.rank_records import bucket_records
from lis_online.shards.rank_renaming import Renaming
from lis_online.shards.vector_slots import VectorSlots
from lis_online.snapshots.contract import Saving, Snapshot
from lis_online.snapshots.nested import nest, unnest
from lis_online.snapshots.steps import Steps, Stepwise, whole
from lis_online.team import Team


class RankShard:
    """The state of one ranker group: delay line, pairs, vectors, rankers and the open bucket.

    shards: number of join shards (partitions of the input topics) that write to the log.
    """

    @tells_device_failures
    def __init__(self, settings: Settings, group: int = 0, shards: int = 1) -> None:
        self.settings = settings
        self.group = group
        self.layout = Layout.of(settings)
        self.device = choose_device(settings.training.device)
        leakage, metrics = settings.leakage, settings.metrics
        self.leak = Leak(leakage.horizon, leakage.memory, leakage.folds)
        self.names = Names.of(settings)
        self._intake = Intake(shards, self.names)
        self._pairs = PairIntake(settings, self.leak, self.device)
        self._vectors = VectorSlots(
            settings, lambda variant: VectorStore(variant.dimension, self.device, salt=salt_of(variant.name))
        )
        self._build_rankers()
        self._bucket = OpenBucket(self.layout, metrics.bucket, metrics.max_user_samples)
        self._restarted: dict[str, int] = {}
        self._sources: dict[str, int] = {}
        self._coming: list[str] = []
        self._position = 0
        self._sequence = 0
        self._first = -1
        self._finished = False
        self._saving: Stepwise | None = None
        self.samples = 0

    def _build_rankers(self) -> None:
        training, events = self.settings.training, self.settings.events
        team = Team(training.threads)
        experiments = len(self.settings.experiment)
        counts = DecayedCounts(training.item_bits, training.half_lives, training.count_tick)
        self._line = DelayLine(counts, experiments)
        self._batcher = Batcher(training.batch, self.settings.metrics.bucket, experiments, counts.width)
        slots = Slots(training.user_bits, training.item_bits)
        rows = (1 << slots.user, 1 << slots.item, 1 << slots.author, 1 << slots.category)
        width = dense_width(len(events.surfaces), counts.width)
        shape = Shape(rows, training.embedding, tuple(training.hidden), width, SIDE)
        seeds = [training.seed + (name == "twin") for name in self.layout.rankers]
        network = network_of(training.ranker, shape, self.device)
        active = np.zeros(len(seeds), bool)
        active[self.layout.places(self.layout.firsts())] = True
        self.rankers = RankerGroup(
            network, seeds, training.learning_rate, training.batch, self.device, active.tolist(), team
        )
        self._features = FeatureBuilder(
            self.layout, self.leak, self._pairs.sketches, self._vectors, slots, events.history_length, self.device
        )

    @property
    def positions(self) -> Mapping[str, int]:
        """The next offset of the rank log."""
        return {"samples": self._position}

    @property
    def watermark(self) -> int:
        """The time that every join shard has passed, ms."""
        return self._intake.watermark

    @property
    def device_use(self) -> DeviceUse:
        """What this shard computes on, and its memory now. May be read from any thread."""
        return device_use(self.device)

    @property
    def late_side(self) -> int:
        """Pairs and vectors that came after their time had been applied."""
        return self._pairs.late + self._vectors.late

    @tells_device_failures
    def feed(self, records: Sequence[Record]) -> list[Outgoing]:
        """Apply records of the rank log and return the buckets that they finish."""
        outgoing: list[Outgoing] = []
        for record in records:
            if record.offset < self._position or record.value is None:
                continue
            decoded = rank_log.decode(record.value)
            if isinstance(decoded, rank_log.Block):
                outgoing += self._apply(decoded)
            else:
                self._reset(decoded.reset)
            self._position = record.offset + 1
        return outgoing

    def _apply(self, block: rank_log.Block) -> list[Outgoing]:
        arrivals = self._intake.feed(block)
        if arrivals.slates is not None:
            self._line.update(arrivals.slates)
        for pairs in arrivals.pairs:
            self._pairs.update(pairs)
        for variant, vectors, names in arrivals.vectors:
            self._vectors.update(variant, vectors, names)
            self._pairs.update_vectors(variant, vectors, names)
        return self._advance()

    def _reset(self, names: Sequence[str]) -> None:
        """Start rankers again: named as in the layout or as in the numbers; others are passed over."""
        versions = self._vectors.get()
        for name in dict.fromkeys(ranker_of(name, versions) for name in names):
            place = self.layout.rankers.index(name) if name in self.layout.rankers else -1
            if place >= 0 and self.rankers.active[place]:
                self.rankers.restart(place)
                self._restarted[name] = self._bucket.end

    def _advance(self) -> list[Outgoing]:
        """Do all that the watermark allows."""
        watermark = self._intake.watermark
        if watermark <= -MAX_TIME:
            return []
        self._line.serve(watermark - self.settings.events.attribution_window + 1)
        known = self._pairs.close(watermark + 1)
        scorable = min(known - self.leak.horizon, self._line.served_until)
        outgoing: list[Outgoing] = []
        for slates, counts in self._line.take(scorable):
            self._batcher.update(slates, counts)
        for slates, counts in self._batcher.take(scorable):
            outgoing += self._roll(int(slates.ts[0]))
            self._step(slates, counts)
        outgoing += self._roll(scorable)
        if watermark == MAX_TIME and not self._finished:
            self._finished = True
            outgoing += self._roll(MAX_TIME)
            outgoing += self._records(0, 0, b"", final=True)
        return outgoing

    def _step(self, slates: SlateBatch, counts: np.ndarray) -> None:
        """Score a step, measure it, then learn from it."""
        first, last = int(slates.ts[0]), int(slates.ts[-1])
        if self._bucket.is_empty:
            self._open_bucket(first // self._bucket.length * self._bucket.length)
        self._vectors.begin(last)
        features = self._features.get(slates, counts)
        logits = self.rankers.step(features.inputs, features.side, slates.label)
        self._first = first if self._first < 0 else self._first
        self.samples += len(slates.item)
        self._bucket.update(slates, logits, (features.covered, features.false_cover, features.vectors))

    def _open_bucket(self, start: int) -> None:
        """Begin a bucket: with the sources and versions that there are at its start.

        The rankers of those that came later are forked from the unleaked one.
        """
        for source in self._coming:
            for kind in PER_SOURCE:
                self.rankers.restart(self.layout.of_source(kind, self.layout.sources.index(source)))
            self._sources[source] = start
        self._coming = []
        for slot, in_use in self._vectors.decide(start, start + self._bucket.length):
            for place in (self.layout.of_variant(kind, slot) for kind in PER_VARIANT):
                self._restarted.pop(self.layout.rankers[place], None)
                if in_use:
                    self.rankers.restart(place)
                else:
                    self.rankers.stop(place)
        self._bucket.open(start, self._vectors.in_use())

    def _roll(self, until: int) -> list[Outgoing]:
        """Send the open bucket if it ends at or before `until`."""
        if self._bucket.is_empty or self._bucket.end > until:
            return []
        return self._records(self._bucket.start, self._bucket.end, self._bucket.take(), final=False)

    def _records(self, start: int, end: int, data: bytes, *, final: bool) -> list[Outgoing]:
        records = bucket_records(
            data,
            group=self.group,
            sequence=self._sequence,
            start=start,
            end=end,
            final=final,
            first=self._first,
            set_aside={self.layout.rankers[k]: reason for k, reason in sorted(self.rankers.set_aside.items())},
            late_side=self.late_side,
            versions=self._vectors.get(),
            restarted=dict(self._restarted),
            sources=self._sources | dict.fromkeys(self._coming, end),
            alignment=self._pairs.alignments.take(MAX_TIME if final else end + self.leak.horizon),
        )
        self._sequence += 1
        return records

    def snapshot(self) -> Snapshot:
        """Return the whole state."""
        return whole(self.begin_snapshot())

    @tells_device_failures
    def begin_snapshot(self) -> Saving:
        """Begin to copy the state: what is small at once, the rest in steps, while rows that change are set aside."""
        if self._saving is not None:
            self._saving.abandon()
        batch, batch_counts = self._batcher.snapshot()
        bucket, cap = self._bucket.snapshot()
        meta: dict[str, Any] = {
            "names": msgspec.to_builtins(self.names),
            "rankers": list(self.layout.rankers),
            "slots": list(self.layout.variants),
            "position": self._position,
            "intake": self._intake.snapshot(),
            "batch": batch,
            "bucket": bucket,
            "restarted": dict(self._restarted),
            "sources": dict(self._sources),
            "coming": list(self._coming),
            "sequence": self._sequence,
            "first": self._first,
            "finished": self._finished,
            "samples": self.samples,
        }
        parts: dict[str, Steps[tuple[Any, dict[str, np.ndarray]]]] = {
            "line": self._line.begin_snapshot(),
            "pairs": self._pairs.begin_snapshot(),
            "vectors": self._vectors.begin_snapshot(),
        }
        arrays = {"batch": batch_counts, "cap": cap}
        self._saving = Stepwise(self._copying(Snapshot(meta, arrays), parts, self.rankers.begin_snapshot()))
        return self._saving

    def _copying(
        self,
        small: Snapshot,
        parts: dict[str, Steps[tuple[Any, dict[str, np.ndarray]]]],
        rankers: Steps[dict[str, np.ndarray]],
    ) -> Steps[Snapshot]:
        meta, arrays = dict(small.meta), dict(small.arrays)
        with device_failures_told():
            arrays |= nest("rankers", (yield from rankers))
            for name, part in parts.items():
                meta[name], columns = yield from part
                arrays |= nest(name, columns)
        self._saving = None
        return Snapshot(meta, arrays)

    @tells_device_failures
    def restore(self, snapshot: Snapshot) -> None:
        """Replace the whole state.

        A snapshot of settings with other sources, variants, experiments or arms goes on under their names: see
        `rank_renaming`. A new source's or variant's rankers begin with the next bucket.
        """
        if self._saving is not None:
            self._saving.abandon()
        renaming = self._renaming(snapshot.meta)
        if not renaming.is_same:
            snapshot = self._renamed(renaming, snapshot)
        meta, arrays = snapshot.meta, snapshot.arrays
        self._intake.restore(meta["intake"], renamed=not renaming.is_same)
        self._line.restore(meta["line"], unnest("line", arrays))
        self._batcher.restore(meta["batch"], arrays["batch"])
        self._bucket.restore(meta["bucket"], arrays["cap"])
        self._pairs.restore(meta["pairs"], unnest("pairs", arrays))
        self._vectors.restore(meta["vectors"], unnest("vectors", arrays))
        self.rankers.restore(unnest("rankers", arrays))
        self._restarted, self._sources = dict(meta["restarted"]), dict(meta["sources"])
        self._coming = list(meta["coming"])
        self._sequence, self._first = meta["sequence"], meta["first"]
        self._finished, self.samples = meta["finished"], meta["samples"]
        self._position = meta["position"]

    def _renaming(self, meta: dict[str, Any]) -> Renaming:
        return Renaming(msgspec.convert(meta["names"], Names), self.names, meta["rankers"], meta["slots"], self.layout)

    def _renamed(self, renaming: Renaming, snapshot: Snapshot) -> Snapshot:
        """Return a snapshot in this shard's places, what is new waiting for the next bucket once there was one."""
        fresh = RankShard(self.settings, self.group, len(self._intake.senders))
        coming: list[str] = []
        if snapshot.meta["first"] >= 0:
            known = renaming.old
            coming = [
                name for name in self.names.sources if name not in known.sources or name in snapshot.meta["coming"]
            ]
            for variant, name in enumerate(self.names.variants):
                if name not in known.variants:
                    fresh._vectors.defer(variant)
        found = renaming.snapshot(snapshot, fresh.snapshot())
        found.meta["coming"] = coming
        return found
