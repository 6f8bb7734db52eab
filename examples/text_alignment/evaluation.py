"""What each representation gave, and whether the aligned one gave more: on the same samples."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from lis_online.events.recorded_log import RecordedEvent
from lis_online.metrics.estimate import Estimate
from lis_online.metrics.jackknife import wider
from lis_online.metrics.layout import TWIN, UNLEAKED
from lis_online.metrics.levels import levels
from lis_online.metrics.numbers import learning_noise
from lis_online.settings import Settings
from lis_online.shards.pipeline import Pipeline


def evaluate(
    settings: Settings, log: Iterable[RecordedEvent], first: str, second: str
) -> tuple[dict[str, Any], Estimate]:
    """Return the summary of `lis-online evaluate`, and M(aligned:second) - M(aligned:first) with its interval.

    The two rankers saw the same samples, so their difference is far surer than the two intervals side by side. Each
    variant must have one slot (`versions = 1`).
    """
    pipeline = Pipeline(settings)
    for topic, value in log:
        pipeline.update(topic, value)
    pipeline.finish()
    summary = pipeline.summary()
    return summary, _difference(pipeline, first, second, summary["samples"])


def _difference(pipeline: Pipeline, first: str, second: str, samples: int) -> Estimate:
    window = pipeline.publish.whole_run()
    if window is None:
        return Estimate.none("no samples after the warm-up")
    rankers = pipeline.rank.layout.rankers
    one, other = (rankers.index(f"aligned:{name}") for name in (first, second))
    found = levels(window, "auc").minus([TWIN, other], [UNLEAKED, one])
    variance = wider(*found.variances())[0]
    value = found.value[0]
    if not np.isfinite([value, variance]).all():
        return Estimate.none("too few samples")
    noise = float(learning_noise(value[0], variance[0]))
    return Estimate.of(float(value[1]), float(variance[1]) + noise, noise > 0, samples)
