"""The whole job on one log, without Kafka: the pipeline against river, and how many samples a decision takes of it."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from bench.measured import Measured
from bench.page import number
from bench.resolution import needed, paired, unpaired
from bench.river_features import RiverFeatures, Sample
from bench.river_job import RiverJob
from bench.standard import log, settings
from lis_online.collector import collecting_seldom
from lis_online.history.rows import BucketRow, HistoryRow
from lis_online.metrics.estimate import RESOLUTION
from lis_online.metrics.layout import UNLEAKED, Layout
from lis_online.metrics.statistics import Statistics
from lis_online.settings import Settings
from lis_online.shards.pipeline import Pipeline

SLATES = 40_000
"""Of the log: twenty minutes of the standard load, so that the vectors at its begin weigh as little as they do live."""
LEARNT = 0.25
"""Share of the buckets that the rankers learn from before differences are looked at."""
TURN = 2_000
"""Records that river's job is given at a time, as the pipeline gives them to its join shard."""
RIVER = 3_000
"""Slates that river learns of, the log's last: each costs the same, so the others need only their features."""
ROUNDS = 2
"""Of everything, in turns; the better one counts. Our first also loads what is compiled."""


@dataclass
class Ours:
    """A pipeline over the whole log, and what a sample takes: seconds of the processor."""

    each: float
    samples: int
    buckets: list[bytes]


def ours(records: list[tuple[str, bytes]], chosen: Settings) -> Ours:
    """Run the pipeline, history rows and rolling windows included."""
    buckets: list[bytes] = []

    def rows(coming: list[HistoryRow]) -> None:
        buckets.extend(row.data for row in coming if isinstance(row, BucketRow))

    pipeline = Pipeline(chosen, rows)
    with collecting_seldom():
        began = time.process_time()
        for topic, value in records:
            pipeline.update(topic, value)
        pipeline.finish()
        took = time.process_time() - began
    return Ours(took / pipeline.rank.samples, pipeline.rank.samples, buckets)


@dataclass
class Ready:
    """River's features of the whole log. seconds: of the processor, for all; last: the last slates' samples."""

    seconds: float
    samples: int
    last: deque[list[Sample]]


def rivers_features(records: list[tuple[str, bytes]], kept: int) -> Ready:
    """Make the features of every sample as river takes them; keep the last slates."""
    job, samples, last = RiverFeatures(settings()), 0, deque[list[Sample]](maxlen=kept)
    with collecting_seldom():
        began = time.process_time()
        for k, (topic, value) in enumerate(records, 1):
            job.update(topic, value)
            if k % TURN == 0:
                for _, slate in job.take():
                    samples += len(slate)
                    last.append(slate)
        for _, slate in job.finish():
            samples += len(slate)
            last.append(slate)
        took = time.process_time() - began
    return Ready(took, samples, last)


def rivers_models(rankers: int, slates: Iterable[list[Sample]]) -> float:
    """Return the processor's seconds of river's models and metrics on ready-made features."""
    job = RiverJob(rankers)
    with collecting_seldom():
        began = time.process_time()
        for samples in slates:
            job.update(samples)
        return time.process_time() - began


def run(scale: float = 1.0) -> list[Measured]:
    """Measure all on one log: ours, river's features, river's models; and what the differences' errors come to."""
    networks, alike = settings(), settings(training={"ranker": "logistic"})
    layout = Layout.of(networks)
    slates = max(2_000, round(SLATES * scale))
    records = list(log(slates))
    both = {"logistic regressions on both sides": alike, "networks on ours": networks}
    features, models, found = math.inf, math.inf, dict[str, Ours]()
    for _ in range(ROUNDS):
        ready = rivers_features(records, min(RIVER, slates // 4))
        features = min(features, ready.seconds / ready.samples)
        models = min(models, rivers_models(len(layout.rankers), ready.last) / sum(map(len, ready.last)))
        for name, chosen in both.items():
            mine = ours(records, chosen)
            found[name] = min(mine, found.get(name, mine), key=lambda one: one.each)
    river = f"{1 / (features + models):,.0f} from the same events to the rolling AUCs of ten logistic regressions: "
    shares = f"{1e6 * features:.0f} for the features and {1e6 * models:.0f} for river"
    measured = []
    for name, mine in found.items():
        does = (
            f"{1 / mine.each:,.0f} samples/s on one core from JSON events to history rows with all intervals, against "
        )
        detail = f"{does}{river}{1e6 * mine.each:.1f} µs a sample against {shares}"
        title = f"whole job against river, {name}"
        measured.append(Measured(title, (features + models) / mine.each, 20.0, "higher", detail))
    of_alike, of_networks = found.values()
    handed = f"{1 / models:,.0f} samples/s of river, its features in dictionaries before the clock starts"
    title = "whole job against river, logistic regressions on both sides, features handed to it"
    measured.append(Measured(title, models / of_alike.each, None, "higher", handed))
    return [*measured, gap(layout, of_networks.buckets, 1 / of_networks.each)]


def gap(layout: Layout, buckets: list[bytes], rate: float) -> Measured:
    """Return how many times more samples the unpaired design needs, of that difference where it is least.

    Of the variants' differences: in ten minutes hardly a user clicks twice, so the sources' rankers learn little.
    """
    statistics = Statistics.sum_of(layout, buckets[round(len(buckets) * LEARNT) :])
    few, many = {}, {}
    for v, variant in enumerate(layout.variants):
        aligned, permuted = layout.of_variant("aligned", v), layout.of_variant("permuted", v)
        for name, other in ((f"AIS of {variant}", UNLEAKED), (f"adjusted AIS of {variant}", permuted)):
            few[name] = needed(paired(statistics, aligned, other), statistics.samples)
            many[name] = needed(unpaired(statistics, aligned, other), statistics.samples)
    times = {name: many[name] / few[name] for name in few}
    least = min(times, key=lambda name: times[name])
    others = ", ".join(f"{name} {number(ratio)} times" for name, ratio in times.items() if name != least)
    detail = (
        f"{least}: {few[least] / 1e6:,.0f} million samples where both rankers see all of them, "
        f"{many[least] / 1e6:,.0f} million where each sees half of the users; on one core "
        f"{few[least] / rate / 3600:,.1f} hours against {many[least] / rate / 3600:,.1f} ({others})"
    )
    name = f"samples to resolve {RESOLUTION} of AUC, the unpaired design against ours"
    return Measured(name, times[least], 5.0, "higher", detail)
