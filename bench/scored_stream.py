"""A stream of scored samples like the standard load's: what benchmarks of the metrics alone are fed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lis_online.metrics.layout import Layout
from lis_online.metrics.scored import Scored

SLATE = 20
STEP = 500
"""Samples of a step: 25 slates."""
USERS = 40_000
CLICKS = 0.01
"""Share of samples that are clicked: one in five slates of 20."""
NOISE = 0.2
"""Standard deviation of one ranker's logits around those that all rankers share."""


@dataclass(frozen=True, slots=True)
class ScoredStream:
    """logits: float32 [rankers, samples]; label: uint8 [samples]; user: int64 [slates]; surface: int64 [slates];
    arm: int64 [slates, experiments]. Samples are in slates of SLATE.
    """

    logits: np.ndarray
    label: np.ndarray
    user: np.ndarray
    surface: np.ndarray
    arm: np.ndarray

    @classmethod
    def of(cls, layout: Layout, samples: int, seed: int = 0) -> ScoredStream:
        """Return a stream with an AUC of about 0.7; samples: a multiple of STEP."""
        random = np.random.default_rng(seed)
        slates, rankers = samples // SLATE, len(layout.rankers)
        base = random.normal(-4.8, 0.7, samples)
        label = random.random(samples) < 1 / (1 + np.exp(-base)) * CLICKS / 0.0104
        users = random.integers(-(2**62), 2**62, USERS)
        return cls(
            logits=(base + random.normal(0, NOISE, (rankers, samples))).astype(np.float32),
            label=label.astype(np.uint8),
            user=users[random.integers(0, USERS, slates)],
            surface=random.integers(0, max(layout.surfaces, 1), slates),
            arm=random.integers(0, 2, (slates, len(layout.arms))),
        )

    def steps(self, layout: Layout) -> Iterator[Scored]:
        """Yield the stream in steps of STEP samples."""
        slates = STEP // SLATE
        slate = np.repeat(np.arange(slates), SLATE)
        covered, false_cover = np.zeros((len(layout.sources), STEP), bool), np.zeros((len(layout.sources), STEP))
        vectors = np.ones((len(layout.variants), STEP), bool)
        for step in range(len(self.label) // STEP):
            samples = slice(step * STEP, (step + 1) * STEP)
            rows = slice(step * slates, (step + 1) * slates)
            slices = layout.memberships(self.surface[rows], self.arm[rows])
            yield Scored(
                self.logits[:, samples],
                self.label[samples],
                slate,
                self.user[rows],
                slices,
                covered,
                false_cover.astype(np.float32),
                vectors,
            )
