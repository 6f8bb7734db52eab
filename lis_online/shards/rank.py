"""The rank shard: from the rank log to finished metric buckets.

It applies records in the order (event time, request) once the watermarks of all join shards have passed them, in
steps cut by the events alone, block by block: what it returns is a function of the log.

    slates    wait until every slate of their tick is known; read their count features (as served)
    pairs     wait until their placebo bucket closes; enter the sketches with their placebo
    vectors   wait until the samples reach their time
    a sample  at t is scored, then learnt, when all pairs up to t + H have closed
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lis_online.events import rank_log, windows_log
from lis_online.events.batches import PairBatch, SlateBatch
from lis_online.events.hashing import id_hash
from lis_online.metrics.layout import Layout
from lis_online.metrics.scored import Scored
from lis_online.metrics.statistics import Statistics
from lis_online.metrics.user_cap import UserCap
from lis_online.preference.buckets import PlaceboBuckets
from lis_online.preference.folds import pair_folds
from lis_online.preference.placebo import canonical_order, placebo_pairs
from lis_online.preference.sketch import Leak
from lis_online.preference.sketch_features import PairSketches
from lis_online.rankers.counts import DecayedCounts
from lis_online.rankers.device import choose_device
from lis_online.rankers.group import RankerGroup
from lis_online.rankers.inputs import Slots, dense_width
from lis_online.rankers.load import network_of
from lis_online.rankers.network import Shape
from lis_online.representation.store import VectorStore
from lis_online.settings import Settings
from lis_online.shards.batcher import Batcher
from lis_online.shards.contract import MAX_TIME, Outgoing, Record, Snapshot
from lis_online.shards.delay_line import DelayLine
from lis_online.shards.intake import Intake
from lis_online.shards.nested import nest, unnest
from lis_online.shards.rank_features import SIDE, FeatureBuilder

PART = 400_000
"""Bytes of a bucket in one record: well under Kafka's default limit of 1 MiB."""


class RankShard:
    """The state of one ranker group: delay line, sketches, vectors, rankers and the open bucket.

    shards: number of join shards (partitions of the input topics) that write to the log.
    """

    def __init__(self, settings: Settings, group: int = 0, shards: int = 1) -> None:
        self.settings = settings
        self.group = group
        self.layout = Layout.of(settings)
        self.device = choose_device(settings.training.device, settings.training.threads)
        self._position = 0
        self._intake = Intake(shards)
        self._build_preferences()
        self._build_rankers()
        self._open_bucket(None)
        self._sequence = 0
        self._first = -1
        self._finished = False
        self.samples = 0

    def _build_preferences(self) -> None:
        leakage = self.settings.leakage
        self.leak = Leak(leakage.horizon, leakage.memory, leakage.folds)
        own = tuple(range(leakage.folds))
        self._independent = [source.users == "independent" for source in self.settings.preference]
        self._buckets = [
            PlaceboBuckets(
                leakage.placebo_grid,
                leakage.horizon,
                (leakage.folds,) if independent else own,
                leakage.placebo_pairs * (leakage.folds if independent else 1),
            )
            for independent in self._independent
        ]
        sources = len(self.settings.preference)
        self.sketches = PairSketches(self.leak, leakage.sketch_bits, sources, self.device) if sources else None
        self.stores = [
            VectorStore(variant.dimension, self.device, salt=_salt(variant.name)) for variant in self.settings.variant
        ]

    def _build_rankers(self) -> None:
        training, events = self.settings.training, self.settings.events
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
        self.rankers = RankerGroup(network, seeds, training.learning_rate, training.batch, self.device)
        self._features = FeatureBuilder(
            self.layout, self.leak, self.sketches, self.stores, slots, events.history_length, self.device
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
    def late_side(self) -> int:
        """Pairs and vectors that came after their time had been applied."""
        return sum(b.late for b in self._buckets) + sum(s.late for s in self.stores)

    def feed(self, records: Sequence[Record]) -> list[Outgoing]:
        """Apply records of the rank log and return the buckets that they finish."""
        outgoing: list[Outgoing] = []
        for record in records:
            if record.offset < self._position or record.value is None:
                continue
            decoded = rank_log.decode(record.value)
            if isinstance(decoded, rank_log.Block):
                outgoing += self._apply(decoded)
            self._position = record.offset + 1
        return outgoing

    def _apply(self, block: rank_log.Block) -> list[Outgoing]:
        arrivals = self._intake.feed(block)
        if arrivals.slates is not None:
            self._line.update(arrivals.slates)
        for pairs in arrivals.pairs:
            self._add_pairs(pairs)
        for variant, vectors in arrivals.vectors:
            self.stores[variant].update(vectors)
        return self._advance()

    def _add_pairs(self, pairs: PairBatch) -> None:
        for source in np.unique(pairs.source).tolist():
            mine = pairs.take(pairs.source == source)
            folds = pair_folds(mine.user, self.leak.folds, self._independent[source])
            self._buckets[source].update(mine, folds)

    def _advance(self) -> list[Outgoing]:
        """Do all that the watermark allows."""
        watermark = self._intake.watermark
        if watermark <= -MAX_TIME:
            return []
        self._line.serve(watermark - self.settings.events.attribution_window + 1)
        for source, bucket in enumerate(self._buckets):
            for pairs, folds in bucket.close(watermark + 1):
                self._close_placebo(source, pairs, folds)
        known = min((bucket.closed_until for bucket in self._buckets), default=watermark + 1)
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
            outgoing += self._roll(MAX_TIME, final=True)
        return outgoing

    def _close_placebo(self, source: int, pairs: PairBatch, folds: np.ndarray) -> None:
        order = canonical_order(pairs)
        real, real_folds = pairs.take(order), folds[order]
        salt = _salt(self.settings.preference[source].name)
        placebo, placebo_folds = placebo_pairs(real, real_folds, salt)
        if self.sketches is not None:
            self.sketches.update(source, real, real_folds, placebo, placebo_folds)

    def _step(self, slates: SlateBatch, counts: np.ndarray) -> None:
        """Score a step, measure it, then learn from it."""
        features = self._features.get(slates, counts)
        logits = self.rankers.step(features.inputs, features.side, slates.label)
        if self._first < 0:
            self._first = int(slates.ts[0])
        self.samples += len(slates.item)
        self._bucket_end = (int(slates.ts[0]) // self.settings.metrics.bucket + 1) * self.settings.metrics.bucket
        kept = self._cap.update(slates.user, slates.n_items)
        samples = np.repeat(kept, slates.n_items)
        left_out = int((~samples).sum())
        if left_out:
            self._statistics.leave_out(left_out, int((~kept).sum()))
        number = np.cumsum(kept) - 1
        self._statistics.update(
            Scored(
                logits=logits[:, samples],
                label=slates.label[samples],
                slate=np.repeat(number, slates.n_items)[samples],
                user=slates.user[kept],
                slices=self.layout.memberships(slates.surface, slates.arm)[kept],
                covered=features.covered[:, samples],
                false_cover=features.false_cover[:, samples],
                vectors=features.vectors[:, samples],
            )
        )
        self._empty = False

    def _open_bucket(self, end: int | None) -> None:
        self._statistics = Statistics(self.layout)
        self._cap = UserCap(self.settings.metrics.max_user_samples)
        self._empty = True
        self._bucket_end = MAX_TIME if end is None else end

    def _roll(self, until: int, *, final: bool = False) -> list[Outgoing]:
        """Send the open bucket if it ends at or before `until`; at the end, say so."""
        outgoing = []
        if not self._empty and self._bucket_end <= until:
            start = self._bucket_end - self.settings.metrics.bucket
            outgoing += self._bucket_records(start, self._bucket_end, self._statistics.encode(), final=False)
            self._open_bucket(None)
        if final:
            outgoing += self._bucket_records(0, 0, b"", final=True)
        return outgoing

    def _bucket_records(self, start: int, end: int, data: bytes, *, final: bool) -> list[Outgoing]:
        parts = [data[at : at + PART] for at in range(0, len(data), PART)] or [b""]
        records = [
            windows_log.RankBucket(
                version=windows_log.VERSION,
                group=self.group,
                sequence=self._sequence,
                start=start,
                end=end,
                part=part,
                parts=len(parts),
                data=piece,
                final=final,
                first=self._first,
                set_aside={self.layout.rankers[k]: reason for k, reason in sorted(self.rankers.set_aside.items())},
                late_side=self.late_side,
            )
            for part, piece in enumerate(parts)
        ]
        self._sequence += 1
        return [Outgoing("windows", windows_log.encode(record)) for record in records]

    def snapshot(self) -> Snapshot:
        """Return the whole state."""
        line, line_arrays = self._line.snapshot()
        batch, batch_counts = self._batcher.snapshot()
        meta: dict[str, Any] = {
            "position": self._position,
            "intake": self._intake.snapshot(),
            "buckets": [bucket.snapshot() for bucket in self._buckets],
            "line": line,
            "batch": batch,
            "statistics": b"" if self._empty else self._statistics.encode(),
            "bucket_end": self._bucket_end,
            "sequence": self._sequence,
            "first": self._first,
            "finished": self._finished,
            "samples": self.samples,
            "stores": [],
            "sketches": [],
        }
        arrays = nest("line", line_arrays) | {"batch": batch_counts, "cap": self._cap.snapshot()}
        arrays |= nest("rankers", self.rankers.snapshot())
        stores, sketches = [], []
        for v, store in enumerate(self.stores):
            data, columns = store.snapshot()
            stores.append(data)
            arrays |= nest(f"store{v}", columns)
        for name, sketch in self.sketches.sketches().items() if self.sketches else ():
            data, columns = sketch.snapshot()
            sketches.append(data)
            arrays |= nest(f"sketch.{name}", columns)
        return Snapshot({**meta, "stores": stores, "sketches": sketches}, arrays)

    def restore(self, snapshot: Snapshot) -> None:
        """Replace the whole state."""
        meta, arrays = snapshot.meta, snapshot.arrays
        self._intake.restore(meta["intake"])
        for bucket, state in zip(self._buckets, meta["buckets"], strict=True):
            bucket.restore(state)
        self._line.restore(meta["line"], unnest("line", arrays))
        self._batcher.restore(meta["batch"], arrays["batch"])
        self.rankers.restore(unnest("rankers", arrays))
        for v, (store, state) in enumerate(zip(self.stores, meta["stores"], strict=True)):
            store.restore(state, unnest(f"store{v}", arrays))
        named = self.sketches.sketches().items() if self.sketches else ()
        for (name, sketch), state in zip(named, meta["sketches"], strict=True):
            sketch.restore(state, unnest(f"sketch.{name}", arrays))
        self._open_bucket(meta["bucket_end"])
        if meta["statistics"]:
            self._statistics = Statistics.decode(self.layout, meta["statistics"])
            self._empty = False
        self._cap.restore(arrays["cap"])
        self._sequence, self._first = meta["sequence"], meta["first"]
        self._finished, self.samples = meta["finished"], meta["samples"]
        self._position = meta["position"]


def _salt(name: str) -> int:
    """Return a small seed that belongs to a name, so that adding a source changes no other's permutation."""
    return id_hash(name) & 0xFFFF
