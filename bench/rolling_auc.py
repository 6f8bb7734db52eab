"""Rolling AUC of ten rankers over the last 100,000 samples, with standard errors, against river's RollingROCAUC."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from river.metrics import RollingROCAUC

from bench.measured import Measured
from bench.scored_stream import STEP, ScoredStream
from bench.side_by_side import ROUNDS, best_of
from bench.standard import settings
from lis_online.metrics.layout import Layout
from lis_online.metrics.levels import levels
from lis_online.metrics.scored import Scored
from lis_online.metrics.statistics import Statistics
from lis_online.metrics.windows import RollingWindow

WINDOW = 100_000
READ = 1_000
"""Samples from one reading to the next, on both sides; ours keeps buckets of as many."""
MEASURED = 10_000
"""Samples that are timed, once both windows are full."""


class Ours:
    """A rolling window of the samples' last 100 buckets, read with the jackknife's variance by user and by time."""

    def __init__(self, layout: Layout, samples: int) -> None:
        self._layout = layout
        self._window = RollingWindow(layout, WINDOW, READ)  # a ms a sample
        self._steps = list(ScoredStream.of(layout, samples).steps(layout))
        self._at = 0

    def run(self, samples: int) -> None:
        """Go on over so many samples."""
        for _ in range(samples // READ):
            bucket, start = Statistics(self._layout), self._at * STEP
            for step in self._steps[self._at : self._at + READ // STEP]:
                bucket.update(step)
            self._at += READ // STEP
            self._window.update(start, bucket, bucket.encode())
            levels(self._window.get(start + READ), "auc").variances()


def rivers(stream: ScoredStream) -> list[RollingROCAUC]:
    """Return river's metrics, one a ranker, with full windows."""
    found = []
    for logits in stream.logits[:, :WINDOW].tolist():
        metric = RollingROCAUC(window_size=WINDOW)
        for label, score in zip(stream.label[:WINDOW].tolist(), logits, strict=True):
            metric.update(label, score)
        found.append(metric)
    return found


def run_river(metrics: list[RollingROCAUC], label: list[int], logits: list[list[float]], samples: slice) -> None:
    """Update and read river's metrics: labels and scores are Python's own numbers already, in its favour."""
    for metric, scores in zip(metrics, logits, strict=True):
        for k, (one, score) in enumerate(zip(label[samples], scores[samples], strict=True), 1):
            metric.update(one, score)
            if k % READ == 0:
                metric.get()


def updated(statistics: Statistics, steps: Iterator[Scored], count: int) -> None:
    """Add so many steps."""
    for step in islice(steps, count):
        statistics.update(step)


def run(scale: float = 1.0) -> list[Measured]:
    """Measure both on one stream."""
    timed = max(READ, round(MEASURED * scale) // READ * READ)
    whole = Layout.of(settings())
    alone = Layout.of(settings(events={"surfaces": []}).model_copy(update={"experiment": ()}))
    total = WINDOW + ROUNDS * timed
    stream, ours = ScoredStream.of(alone, total), Ours(alone, total)
    ours.run(WINDOW)
    statistics, steps = Statistics(whole), iter(list(ScoredStream.of(whole, total).steps(whole)))
    updated(statistics, steps, WINDOW // STEP)
    label, logits, metrics = stream.label.tolist(), stream.logits.tolist(), rivers(stream)
    begins = iter(range(WINDOW, total, timed))

    def river() -> None:
        begin = next(begins)
        run_river(metrics, label, logits, slice(begin, begin + timed))

    sides = best_of(lambda: updated(statistics, steps, timed // STEP), lambda: ours.run(timed), river)
    fast, read, slow = (1e6 * seconds / timed for seconds in sides)
    detail = (
        f"{fast:.2f} µs a sample for {len(logits)} rankers, in {len(whole.slices)} slices, with the jackknife's "
        f"groups, GAUC and log loss, against {slow:.1f} µs of river (one slice, no errors) read every {READ:,} samples;"
        f" where ours too is rolled on and read as often, with variances by user and by time, {read:.1f} µs"
    )
    return [Measured("rolling AUC, update, against river's RollingROCAUC", slow / fast, 20.0, "higher", detail)]
