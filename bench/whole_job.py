"""The whole job on one log, without Kafka: the pipeline against river, and how many samples a decision takes of it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from bench.measured import Measured
from bench.page import number
from bench.resolution import needed, paired, unpaired
from bench.river_job import RiverJob, Step
from bench.standard import log, settings
from lis_online.history.rows import BucketRow, HistoryRow
from lis_online.metrics.estimate import RESOLUTION
from lis_online.metrics.layout import UNLEAKED, Layout
from lis_online.metrics.statistics import Statistics
from lis_online.shards.pipeline import Pipeline

SLATES = 20_000
"""Of the log: ten minutes of the standard load."""
LEARNT = 0.25
"""Share of the buckets that the rankers learn from before differences are looked at."""
RIVER = 6_000
"""Samples that river is given, from the log's end: its speed does not change with the length, but for its windows."""


@dataclass
class Ours:
    """A pipeline over the whole log. seconds: of the processor; kept: the last steps, as river takes them."""

    seconds: float = 0.0
    samples: int = 0
    buckets: list[bytes] = field(default_factory=list)
    kept: list[Step] = field(default_factory=list)


def ours(slates: int, river: int) -> Ours:
    """Run the pipeline, history rows and rolling windows included. What is written down for river is not counted."""
    found, taken = Ours(), 0.0

    def rows(coming: list[HistoryRow]) -> None:
        found.buckets += [row.data for row in coming if isinstance(row, BucketRow)]

    pipeline = Pipeline(settings(), rows)
    builder, begin = pipeline.rank._features, slates * 20 - river
    get = builder.get

    def listening(*arguments: object) -> object:
        nonlocal taken
        features = get(*arguments)  # type: ignore[arg-type]
        began = time.process_time()
        if pipeline.rank.samples >= begin:
            found.kept.append(Step.of(features, arguments[0].label))  # type: ignore[attr-defined, arg-type]
        taken += time.process_time() - began
        return features

    builder.get = listening  # type: ignore[method-assign, assignment]
    records = list(log(slates))
    began = time.process_time()
    for topic, value in records:
        pipeline.update(topic, value)
    pipeline.finish()
    found.seconds, found.samples = time.process_time() - began - taken, pipeline.rank.samples
    return found


def river_seconds(rankers: int, kept: list[Step]) -> float:
    """Return the processor's seconds of river's job on ready-made numbers."""
    job = RiverJob(rankers)
    began = time.process_time()
    for step in kept:
        job.update(step)
    return time.process_time() - began


def run(scale: float = 1.0) -> list[Measured]:
    """Measure both on one log: river, ours, river; and what the differences' errors come to."""
    layout = Layout.of(settings())
    slates = max(2_000, round(SLATES * scale))
    fast = ours(slates, min(RIVER, slates * 5))
    given = sum(len(step.label) for step in fast.kept)
    theirs = min(river_seconds(len(layout.rankers), fast.kept) for _ in range(2)) / given
    rate = fast.samples / fast.seconds
    detail = (
        f"{rate:,.0f} samples/s on one core, from JSON events to history rows with all intervals, against "
        f"{1 / theirs:,.0f} of river's ten logistic regressions and rolling AUCs alone: features are handed to them"
    )
    return [
        Measured("whole job against river", theirs * rate, 20.0, "higher", detail),
        gap(layout, fast.buckets, rate),
    ]


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
