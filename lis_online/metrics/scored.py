"""A batch of slates with every ranker's predictions: what the statistics are fed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lis_online.metrics.layout import Layout


@dataclass(frozen=True, slots=True)
class Scored:
    """Predictions made before anything was learnt from these samples.

    A slate comes whole: all its samples are in one batch. A ranker with a logit that is not finite
    adds nothing of this batch to its own statistics, and touches no other's.
    """

    logits: np.ndarray
    """float32 [rankers, samples]"""
    label: np.ndarray
    """uint8 [samples], 0 or 1"""
    slate: np.ndarray
    """int64 [samples], ascending: the sample's index into the slates"""
    user: np.ndarray
    """int64 [slates], id hashes"""
    slices: np.ndarray
    """int16 [slates, memberships] of `Layout.memberships`, -1 for none"""
    covered: np.ndarray
    """bool [sources, samples]: the candidate has a pair with the history in the leaked table"""
    false_cover: np.ndarray
    """float32 [sources, samples]: probability, 0 to below 1, that a sample without a true pair looks covered
    because hashes collide"""
    vectors: np.ndarray
    """bool [variants, samples]: the candidate has a vector, and so has something in the history"""

    def check(self, layout: Layout) -> None:
        """Raise ValueError where a shape does not fit the layout or the batch."""
        samples, slates = len(self.label), len(self.user)
        expected = {
            "logits": (len(layout.rankers), samples),
            "slate": (samples,),
            "slices": (slates, 2 + len(layout.arms)),
            "covered": (len(layout.sources), samples),
            "false_cover": (len(layout.sources), samples),
            "vectors": (len(layout.variants), samples),
        }
        for name, shape in expected.items():
            if getattr(self, name).shape != shape:
                raise ValueError(f"{name} must have shape {shape}, got {getattr(self, name).shape}")
