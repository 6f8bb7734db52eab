"""One world of a cell, from its first event to what is kept of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from lis_online.metrics.levels import levels
from lis_online.shards.pipeline import Pipeline
from studies.cells import cells
from studies.small import play


def run_world(name: str, replicate: int) -> dict[str, Any]:
    """Return the summary of a cell's world, every ranker's AUC with its deletions, and what it cost, as JSON-able data.

    levels: value [rankers]; user [rankers, groups], time [rankers, blocks]: the AUC without one of them at a time,
    None where there is none. Any rule of intervals that rests on the two jackknives can be tried on them afterwards.
    """
    cell = next(cell for cell in cells() if cell.name == name)
    played = play(cell.world, cell.settings, cell.slates, seed=replicate, catalogue=cell.catalogue)
    return {
        "cell": cell.name,
        "replicate": replicate,
        "summary": played.pipeline.summary(),
        "levels": _levels(played.pipeline),
        "cpu_seconds": played.seconds,
    }


def _levels(pipeline: Pipeline) -> dict[str, Any] | None:
    window = pipeline.publish.whole_run()
    if window is None:
        return None
    found = levels(window, "auc")
    return {
        "rankers": list(window.total.layout.rankers),
        "value": _plain(found.value[0]),
        "user": _plain(found.user[0]),
        "time": _plain(found.time[0]),
        "users_present": found.has_user[0, 0].tolist(),
        "blocks_present": found.has_time[0, 0].tolist(),
        "positives": int(window.total.counts[0, :, 1].sum()),
    }


def _plain(values: np.ndarray) -> list[Any]:
    """Return nested lists, None for what is not a number."""
    return np.where(np.isnan(values), None, values.astype(object)).tolist()
