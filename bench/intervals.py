"""Every number of every window and slice, with its interval, against scikit-learn's AUC and a bootstrap of users."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from sklearn.metrics import roc_auc_score

from bench.measured import Measured
from bench.scored_stream import STEP, ScoredStream
from bench.side_by_side import best_of
from bench.standard import settings
from lis_online.metrics.layout import Layout
from lis_online.metrics.numbers import numbers
from lis_online.metrics.statistics import Statistics
from lis_online.metrics.windows import RollingWindow

SAMPLES = 400_000
"""Of the longer window; the shorter one holds half."""
BUCKETS = 10
MINUTE = 60_000
REPLICATES = 200
MEASURED = 1
"""Replicates that are run; the others would take as long."""


def windows(layout: Layout, stream: ScoredStream) -> list[RollingWindow]:
    """Return the windows of the standard load, with the stream in them: a bucket a minute."""
    found = [RollingWindow(layout, minutes * MINUTE, MINUTE) for minutes in (BUCKETS // 2, BUCKETS)]
    steps = list(stream.steps(layout))
    share = len(steps) // BUCKETS
    for minute in range(BUCKETS):
        bucket = Statistics(layout)
        for step in steps[minute * share : (minute + 1) * share]:
            bucket.update(step)
        for window in found:
            window.update(minute * MINUTE, bucket, bucket.encode())
    return found


def masks(layout: Layout, stream: ScoredStream) -> Iterator[np.ndarray]:
    """Yield the samples of each window and slice that has any: indices."""
    slices = layout.memberships(stream.surface, stream.arm)
    repeated = np.repeat(slices, len(stream.label) // len(stream.user), axis=0)
    for begin in (len(repeated) // 2, 0):
        for member in range(len(layout.slices)):
            samples = begin + np.flatnonzero((repeated[begin:] == member).any(axis=1))
            if len(samples):
                yield samples


def replicate(layout: Layout, stream: ScoredStream, seed: int) -> list[np.ndarray]:
    """Return every ranker's AUC in every window and slice, of users drawn with replacement."""
    users, of_slate = np.unique(stream.user, return_inverse=True)
    drawn = np.random.default_rng(seed).multinomial(len(users), np.full(len(users), 1 / len(users)))
    weight = np.repeat(drawn[of_slate], len(stream.label) // len(stream.user)).astype(float)
    return [
        np.array([roc_auc_score(stream.label[at], logits[at], sample_weight=weight[at]) for logits in stream.logits])
        for at in masks(layout, stream)
    ]


def run(scale: float = 1.0) -> list[Measured]:
    """Measure both on one stream."""
    layout = Layout.of(settings())
    samples = max(1, round(SAMPLES * scale) // (BUCKETS * STEP)) * BUCKETS * STEP
    stream = ScoredStream.of(layout, samples)
    held, end = windows(layout, stream), BUCKETS * MINUTE
    ours, one = best_of(
        lambda: [numbers(window.get(end), layout) for window in held],
        lambda: [replicate(layout, stream, seed) for seed in range(MEASURED)],
        rounds=2,
    )
    theirs = one / MEASURED * (REPLICATES + 1)
    detail = (
        f"{len(held)} windows of up to {samples:,} samples, {len(layout.slices)} slices, {len(layout.rankers)} "
        f"rankers: {1000 * ours:.1f} ms against {theirs:,.0f} s, {REPLICATES + 1} times the "
        f"{one / MEASURED:.1f} s of a replicate"
    )
    return [Measured("all windows read, against scikit-learn and a bootstrap", theirs / ours, None, "higher", detail)]
