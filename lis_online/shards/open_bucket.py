"""The metric bucket that is being scored."""

from __future__ import annotations

from typing import Any

import numpy as np

from lis_online.events.batches import SlateBatch
from lis_online.metrics.layout import Layout
from lis_online.metrics.scored import Scored
from lis_online.metrics.statistics import Statistics
from lis_online.metrics.user_cap import UserCap


class OpenBucket:
    """Statistics of the rankers that are in use, for [start, end) in impression time, ms; empty until a step comes."""

    def __init__(self, layout: Layout, length: int, most: int) -> None:
        """length: of a bucket, ms; most: samples of one user in a bucket."""
        self._whole = layout
        self.length = length
        self._cap = UserCap(most)
        self._slots: list[int] = []
        self.start = 0
        self._statistics: Statistics | None = None

    @property
    def is_empty(self) -> bool:
        """Say whether no step has come."""
        return self._statistics is None

    @property
    def end(self) -> int:
        """Where the bucket ends, or the last one did while none is open, ms; 0 before any."""
        return self.start + self.length if self.start else 0

    def open(self, start: int, slots: list[int]) -> None:
        """Begin the bucket at `start`, ms. slots: those of the layout's variants that are in use during it."""
        self.start, self._slots = start, slots
        self._statistics = Statistics(self._whole.take(slots))

    def update(self, slates: SlateBatch, logits: np.ndarray, covers: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
        """Add a scored step: samples beyond a user's cap are counted, and kept out.

        logits: [rankers, samples] of the whole layout; covers: covered, false_cover [sources, samples] and vectors
        [slots, samples].
        """
        assert self._statistics is not None
        kept = self._cap.update(slates.user, slates.n_items)
        rows, samples = self._chosen(kept, slates.n_items)
        number = np.cumsum(kept) - 1
        covered, false_cover, vectors = covers
        if len(self._slots) < len(self._whole.variants):
            logits, vectors = logits[self._whole.places(self._slots)], vectors[self._slots]
        self._statistics.update(
            Scored(
                logits=logits[:, samples],
                label=slates.label[samples],
                slate=np.repeat(number, slates.n_items)[samples],
                user=slates.user[rows],
                slices=self._whole.memberships(slates.surface, slates.arm)[rows],
                covered=covered[:, samples],
                false_cover=false_cover[:, samples],
                vectors=vectors[:, samples],
            )
        )

    def _chosen(self, kept: np.ndarray, sizes: np.ndarray) -> tuple[np.ndarray | slice, np.ndarray | slice]:
        """Return the slates and the samples that are measured, as indices; count the others."""
        assert self._statistics is not None
        if kept.all():
            return slice(None), slice(None)  # a mask would copy everything
        samples = np.repeat(kept, sizes)
        self._statistics.leave_out(int((~samples).sum()), int((~kept).sum()))
        return kept, samples

    def take(self) -> bytes:
        """Return the statistics' bytes and leave the bucket empty."""
        assert self._statistics is not None
        data = self._statistics.encode()
        self._statistics = None
        self._cap.clear()
        return data

    def snapshot(self) -> tuple[dict[str, Any], np.ndarray]:
        """Return the state: msgpack-able data, and the users' counts."""
        data = b"" if self._statistics is None else self._statistics.encode()
        return {"start": self.start, "slots": list(self._slots), "statistics": data}, self._cap.snapshot()

    def restore(self, meta: dict[str, Any], cap: np.ndarray) -> None:
        """Replace the state with that of `snapshot`."""
        self.start, self._slots, data = meta["start"], list(meta["slots"]), meta["statistics"]
        self._statistics = Statistics.decode(self._whole.take(self._slots), data) if data else None
        self._cap.restore(cap)
