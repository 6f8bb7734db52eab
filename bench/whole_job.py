"""The whole job on one log, without Kafka: the pipeline against river, and how many samples a decision takes of it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass

from lis_online.shards.join_process import JoinProcess

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
from lis_online.team import cores

SLATES = 20_000
"""Of the log: ten minutes of the standard load."""
LEARNT = 0.25
"""Share of the buckets that the rankers learn from before differences are looked at."""
TURN = 2_000
"""Records that river's job is given at a time, as the pipeline gives them to its join shard."""
RIVER = 6_000
"""Samples that river learns, the log's last: each costs the same, so the others need only their features."""


ROUNDS = 2
"""Of every pipeline; the better one counts."""


@dataclass
class Ours:
    """A pipeline over the whole log, and how long a sample takes, s: of the processor on one core, else by the wall."""

    each: float
    samples: int
    buckets: list[bytes]


def ours(records: list[tuple[str, bytes]], chosen: Settings, used: int) -> Ours:
    """Run the pipeline, history rows and rolling windows included.

    used: cores; from two on the join shard has a process of its own, and rankers and features as many threads.
    """
    buckets: list[bytes] = []

    def rows(coming: list[HistoryRow]) -> None:
        buckets.extend(row.data for row in coming if isinstance(row, BucketRow))

    clock = time.process_time if used == 1 else time.perf_counter
    threads = chosen.model_copy(update={"training": chosen.training.model_copy(update={"threads": used})})
    with ExitStack() as stack:
        joins = stack.enter_context(JoinProcess(threads)) if used > 1 else None
        pipeline = Pipeline(threads, rows, joins=joins)
        pipeline.drain()  # the process is there
        stack.enter_context(collecting_seldom())
        began = clock()
        for topic, value in records:
            pipeline.update(topic, value)
        pipeline.finish()
        took = clock() - began
    return Ours(took / pipeline.rank.samples, pipeline.rank.samples, buckets)


def best(records: list[tuple[str, bytes]], chosen: Settings, used: int) -> Ours:
    """Run a pipeline several times, after a short one that loads what is compiled; return the fastest."""
    ours(records[:TURN], chosen, used)
    return min((ours(records, chosen, used) for _ in range(ROUNDS)), key=lambda one: one.each)


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
    layout, used = Layout.of(networks), cores()
    slates = max(2_000, round(SLATES * scale))
    records = list(log(slates))
    ready = rivers_features(records, min(RIVER, slates * 5) // 20)
    given = sum(map(len, ready.last))
    models = min(rivers_models(len(layout.rankers), ready.last) for _ in range(2)) / given
    theirs = ready.seconds / ready.samples + models
    said = f"{1 / theirs:,.0f} of river on its one, {1e6 * (theirs - models):.0f} µs a sample for features and "
    said += f"{1e6 * models:.0f} for ten logistic regressions and their rolling AUCs"
    found, measured = {}, []
    for name, chosen, kind in (("", alike, "logistic regressions"), (", with networks", networks, "networks")):
        for on, goal in {1: None, used: 20.0}.items():
            mine = found[chosen.training.ranker, on] = best(records, chosen, on)
            title = f"whole job against river{name}{'' if on == used else ', on one core'}"
            does = (
                f"ten {kind} on {on} core(s): {1 / mine.each:,.0f} samples/s ({1e6 * mine.each:.1f} µs each) from JSON"
            )
            detail = f"{does} events to history rows with all intervals, against {said}"
            measured.append(Measured(title, theirs / mine.each, goal, "higher", detail))
    handed = found["logistic", used].each
    detail = f"{1 / models:,.0f} samples/s of river, its features in dictionaries before the clock starts"
    measured.append(Measured("whole job against river, features handed to it", models / handed, None, "higher", detail))
    of_networks = found[networks.training.ranker, 1]
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
