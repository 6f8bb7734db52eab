"""Pairs on their way: they wait until their placebo bucket closes, then enter the sketches with their placebo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lis_online.errors import SettingsError
from lis_online.events.batches import PairBatch, VectorBatch
from lis_online.events.hashing import salt_of
from lis_online.preference.buckets import PlaceboBuckets
from lis_online.preference.folds import pair_folds
from lis_online.preference.leak import Leak
from lis_online.preference.placebo import canonical_order, matched, placebo_of
from lis_online.preference.sketch_features import PairSketches
from lis_online.settings import Settings
from lis_online.shards.pair_alignment import PairAlignments
from lis_online.snapshots.nested import nest, unnest
from lis_online.snapshots.steps import Steps

if TYPE_CHECKING:
    import torch


class PairIntake:
    """The placebo buckets and sketches of all sources, and the alignment of the variants with their fresh pairs."""

    def __init__(self, settings: Settings, leak: Leak, device: torch.device) -> None:
        leakage = settings.leakage
        own = tuple(range(leakage.folds))
        self._folds = leakage.folds
        self._salts = [salt_of(source.name) for source in settings.preference]
        self._independent = [source.users == "independent" for source in settings.preference]
        self._buckets = [
            PlaceboBuckets(
                leakage.placebo_grid,
                leakage.horizon,
                (leakage.folds,) if independent else own,
                leakage.placebo_pairs * (leakage.folds if independent else 1),
            )
            for independent in self._independent
        ]
        sources = len(settings.preference)
        self.sketches = _sketches(leak, leakage.sketch_bits, sources, device) if sources else None
        self.alignments = PairAlignments(settings)

    @property
    def late(self) -> int:
        """Pairs that came after their bucket had closed."""
        return sum(bucket.late for bucket in self._buckets)

    def update(self, pairs: PairBatch) -> None:
        """Take pairs of any sources."""
        for source in np.unique(pairs.source).tolist():
            mine = pairs.take(pairs.source == source)
            self._buckets[source].update(mine, pair_folds(mine.user, self._folds, self._independent[source]))

    def update_vectors(self, variant: int, batch: VectorBatch, names: list[str]) -> None:
        """Take vectors of a variant, that pairs are judged by. names: of the versions among them."""
        self.alignments.update_vectors(variant, batch, names)

    def close(self, known_until: int) -> int:
        """Close the buckets that can; return the time before which all pairs are in the sketches, ms.

        known_until: every pair with a time before it has been given to `update`.
        """
        for source, bucket in enumerate(self._buckets):
            for pairs, folds in bucket.close(known_until):
                self._close(source, pairs, folds)
        return min((bucket.closed_until for bucket in self._buckets), default=known_until)

    def _close(self, source: int, pairs: PairBatch, folds: np.ndarray) -> None:
        order = canonical_order(pairs)
        real, real_folds = pairs.take(order), folds[order]
        first, second = matched(real, real_folds, self._salts[source])
        other, compared = real.item_b.copy(), np.zeros(len(real), bool)
        other[first], compared[first] = real.item_b[second], True
        self.alignments.update_pairs(source, real, other, compared)
        placebo, placebo_folds = placebo_of(real, real_folds, first, second)
        if self.sketches is not None:
            self.sketches.update(source, real, real_folds, placebo, placebo_folds)

    def begin_snapshot(self) -> Steps[tuple[dict[str, Any], dict[str, np.ndarray]]]:
        """Take hold of the state; return the copying of it: msgpack-able data and arrays."""
        named = self.sketches.sketches() if self.sketches else {}
        sketches = {name: sketch.begin_snapshot() for name, sketch in named.items()}
        return _copying([bucket.snapshot() for bucket in self._buckets], sketches, self.alignments.begin_snapshot())

    def restore(self, meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        """Replace the state with that of `snapshot`."""
        for bucket, state in zip(self._buckets, meta["buckets"], strict=True):
            bucket.restore(state)
        named = self.sketches.sketches().items() if self.sketches else ()
        for (name, sketch), state in zip(named, meta["sketches"], strict=True):
            sketch.restore(state, unnest(f"sketch.{name}", arrays))
        self.alignments.restore(meta["alignments"], unnest("alignment", arrays))


def _copying(
    buckets: list[dict[str, Any]],
    sketches: dict[str, Steps[tuple[dict[str, Any], dict[str, np.ndarray]]]],
    alignments: Steps[tuple[dict[str, Any], dict[str, np.ndarray]]],
) -> Steps[tuple[dict[str, Any], dict[str, np.ndarray]]]:
    states = []
    arrays: dict[str, np.ndarray] = {}
    for name, sketch in sketches.items():
        state, columns = yield from sketch
        states.append(state)
        arrays |= nest(f"sketch.{name}", columns)
    aligned, columns = yield from alignments
    return {"buckets": buckets, "sketches": states, "alignments": aligned}, arrays | nest("alignment", columns)


def _sketches(leak: Leak, bits: int, sources: int, device: torch.device) -> PairSketches:
    """Return empty sketches. Raises SettingsError where a CPU has no memory for them."""
    try:
        return PairSketches(leak, bits, sources, device)
    except (RuntimeError, MemoryError) as exc:  # torch has no class of its own for a CPU's
        if device.type != "cpu" or "memory" not in str(exc):
            raise
        rule = f"must leave {sources} tables of pairs that fit in memory, got {bits}"
        raise SettingsError([("leakage.sketch_bits", rule)]) from exc
