"""Raw samples kept as they came, and every number recomputed from them: sorts, loops and dictionaries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit
from sklearn.metrics import log_loss, roc_auc_score

from lis_online.events.hashing import group_of
from lis_online.metrics.layout import Layout
from lis_online.metrics.scored import Scored
from lis_online.metrics.statistics import Statistics
from lis_online.settings import Settings

LAYOUT = Layout.of(Settings.of({}))
"""One source, no variant: six rankers; all, two surfaces and the others."""
RANKERS = len(LAYOUT.rankers)
GROUPS = 32


@dataclass(frozen=True)
class Slate:
    """One slate: when, whose, where, and its samples. logits: float32 [rankers, items]."""

    start: int
    user: int
    surface: int
    labels: tuple[int, ...]
    logits: np.ndarray

    @property
    def group(self) -> int:
        """The user's jackknife group."""
        return int(group_of(np.array([self.user]), GROUPS)[0])

    def is_in(self, slice_index: int) -> bool:
        """Say whether the slate belongs to a slice."""
        return slice_index in (0, 1 + self.surface)


def scored(slates: Sequence[Slate]) -> Scored:
    """Return slates as a batch."""
    sizes = [len(slate.labels) for slate in slates]
    surfaces = np.array([slate.surface for slate in slates], np.int64)
    samples = sum(sizes)
    return Scored(
        logits=np.concatenate([s.logits for s in slates], axis=1) if slates else np.zeros((RANKERS, 0), np.float32),
        label=np.array([y for slate in slates for y in slate.labels], np.uint8),
        slate=np.repeat(np.arange(len(slates)), sizes),
        user=np.array([slate.user for slate in slates], np.int64),
        slices=LAYOUT.memberships(surfaces, np.zeros((len(slates), 0), np.int64)),
        covered=np.zeros((1, samples), np.bool_),
        false_cover=np.zeros((1, samples), np.float32),
        vectors=np.zeros((0, samples), np.bool_),
    )


def statistics(slates: Sequence[Slate]) -> Statistics:
    """Return the statistics of slates in one bucket."""
    made = Statistics(LAYOUT)
    made.update(scored(slates))
    return made


def bins(logits: np.ndarray, count: int) -> np.ndarray:
    """Return the bin of each logit over [-8, 8], in float32 as the logits come: on an edge the type decides."""
    return np.clip(np.floor((logits + np.float32(8)) * np.float32(count / 16)), 0, count - 1).astype(int)


Metric = Callable[[Sequence[Slate], int], float]
"""A ranker's metric over some slates; NaN where there is none."""


def places(logits: np.ndarray) -> np.ndarray:
    """Return the place of each logit over [-8, 8], 32 to each of 1,024 bins: in float32, as the logits come."""
    found: np.ndarray = np.clip(np.floor((logits + np.float32(8)) * np.float32(2048)), 0, 32767).astype(int)
    return found


def won(places: np.ndarray, label: np.ndarray, width: int) -> np.ndarray:
    """Return by how much each positive beats each negative: [positives, negatives].

    Of another bin of `width` places: 1 or 0; of its own: one half, and how far ahead it is within the bin.
    """
    high, low = places[label == 1][:, None], places[label == 0][None]
    shared = 0.5 + (high - low) / width
    result: np.ndarray = np.where(high // width == low // width, shared, high > low)
    return result


def auc(width: int) -> Metric:
    """Return AUC pair by pair, from bins of `width` places; what leaves 0 to 1 is cut."""

    def metric(slates: Sequence[Slate], ranker: int) -> float:
        label = np.array([y for slate in slates for y in slate.labels])
        if len(set(label.tolist())) < 2:
            return np.nan
        logits = np.concatenate([s.logits[ranker] for s in slates])
        return float(np.clip(won(places(logits), label, width).mean(), 0, 1))

    return metric


def gauc(slates: Sequence[Slate], ranker: int) -> float:
    """Return the mean AUC of the slates with both labels."""
    mixed = [slate for slate in slates if len(set(slate.labels)) == 2]
    return float(np.mean([roc_auc_score(s.labels, s.logits[ranker]) for s in mixed])) if mixed else np.nan


def normalised_entropy(slates: Sequence[Slate], ranker: int) -> float:
    """Return log loss over that of always predicting the click rate."""
    label = np.array([y for slate in slates for y in slate.labels])
    if len(set(label.tolist())) < 2:
        return np.nan
    loss = np.logaddexp(0, np.where(label, -1, 1) * _clipped(slates, ranker)).mean()
    return float(loss / log_loss(label, np.full(len(label), label.mean())))


def calibration(slates: Sequence[Slate], ranker: int) -> float:
    """Return predicted over observed clicks."""
    positives = sum(sum(slate.labels) for slate in slates)
    return float(expit(_clipped(slates, ranker)).sum() / positives) if positives else np.nan


def _clipped(slates: Sequence[Slate], ranker: int) -> np.ndarray:
    found: np.ndarray = np.clip(np.concatenate([s.logits[ranker] for s in slates]).astype(np.float64), -32, 32)
    return found


def deletions(metric: Metric, slates: Sequence[Slate], ranker: int, key: Callable[[Slate], int]) -> dict[int, float]:
    """Return the metric without each group or block that has slates."""
    keys = sorted({key(slate) for slate in slates})
    return {one: metric([s for s in slates if key(s) != one], ranker) for one in keys}


def variance(deleted: Sequence[float]) -> float:
    """Return the jackknife's variance, NaN with fewer than two or with one undefined."""
    count = len(deleted)
    if count < 2 or np.isnan(deleted).any():
        return np.nan
    mean = sum(deleted) / count
    return (count - 1) / count * sum((x - mean) ** 2 for x in deleted)
