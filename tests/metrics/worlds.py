"""Random scored batches and small layouts for the tests of metrics."""

from __future__ import annotations

from typing import Any

import numpy as np

from lis_online.metrics.layout import Layout
from lis_online.metrics.scored import Scored
from lis_online.metrics.statistics import Statistics
from lis_online.settings import Settings

EXPERIMENT = {
    "name": "e",
    "control": "a",
    "arm": [{"name": "a", "share": 0.5}, {"name": "b", "share": 0.5, "variant": "v"}],
}


def make_settings(**metrics: Any) -> Settings:
    """Return settings with one source, one variant of one version, one experiment."""
    return Settings.of(
        {
            "variant": [{"name": "v", "preference": "coclick", "dimension": 4, "versions": 1}],
            "experiment": [EXPERIMENT],
            "metrics": metrics,
        }
    )


def make_layout() -> Layout:
    """Return the layout of `make_settings`."""
    return Layout.of(make_settings())


def make_scored(
    rng: np.random.Generator,
    layout: Layout,
    slates: int = 20,
    users: int = 50,
    gains: dict[str, float] | None = None,
    size: int = 12,
    rate: float = -1.0,
) -> Scored:
    """Return random slates of 1 to `size` items. gains: how much of the truth a ranker sees, 0.3 by default."""
    sizes = rng.integers(1, size + 1, slates)
    n = int(sizes.sum())
    truth = rng.normal(size=n)
    label = (rng.random(n) < 1 / (1 + np.exp(-(truth + rate)))).astype(np.uint8)
    logits = np.empty((len(layout.rankers), n), np.float32)
    shared = rng.normal(size=n) * 0.8
    for row, name in enumerate(layout.rankers):
        logits[row] = (gains or {}).get(name, 0.3) * truth + 0.3 * shared + 0.1 * rng.normal(size=n) + rate
    user = rng.integers(1, users + 1, slates) * 104_729
    surface = rng.integers(0, layout.surfaces + 1, slates).astype(np.int16)
    arm = rng.integers(-1, 2, (slates, len(layout.arms))).astype(np.int16)
    sources, variants = len(layout.sources), len(layout.variants)
    return Scored(
        logits=logits,
        label=label,
        slate=np.repeat(np.arange(slates), sizes),
        user=user,
        slices=layout.memberships(surface, arm),
        covered=rng.random((sources, n)) < 0.4,
        false_cover=np.full((sources, n), 0.01, np.float32),
        vectors=rng.random((variants, n)) < 0.9,
    )


def make_statistics(layout: Layout, *batches: Scored) -> Statistics:
    """Return the statistics of some batches."""
    statistics = Statistics(layout)
    for batch in batches:
        statistics.update(batch)
    return statistics


def same(first: Statistics, second: Statistics) -> bool:
    """Return whether two statistics are equal, number for number."""
    pairs = zip(first.arrays().values(), second.arrays().values(), strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)
