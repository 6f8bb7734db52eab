"""What is asked of the pair sketches, and what they say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from torch import Tensor

from lis_online.events.hashing import NO_ID, mix

SMOOTHING: Final = 5.0
"""c of the normalised weight: an item with one pair is not yet similar to anything."""

SCALE: Final = 10.0
"""Brings the normalised weights, a few hundredths, to the size of the other features."""

FEATURES: Final = 3

REAL, PLACEBO, THINNED = range(3)
"""The three sets of pairs of a source: its own, their placebo, a fixed half of them."""

SETS: Final = 3

ROWS: Final = 2
"""Independent hashes of a pair; the smaller count is taken (count-min: Cormode and Muthukrishnan, 2005). A false pair
needs a collision in both rows, so the same number of slots tells far more pairs apart."""

NONE: Final = int(mix(np.array([NO_ID])).view(np.int64)[0])
"""The mixed hash of no entry."""


@dataclass(slots=True)
class Lookup:
    """Slates in time order and the candidates in them, ready to look up.

    item: int64 [samples], history: int64 [slates, K] mixed item hashes, NONE where there is no entry;
    n_items: int64 [slates], samples of each; t, fold: int64 [slates].
    """

    item: np.ndarray
    history: np.ndarray
    n_items: np.ndarray
    t: np.ndarray
    fold: np.ndarray


@dataclass(slots=True)
class PairFeatures:
    """What the sketches say of samples; tensors on the sketches' device.

    leaked: float32 [SETS, sources, samples, FEATURES], with the future; past: float32 [sources, samples, FEATURES];
    covered: bool [sources, samples]; false_cover: float32 [sources, samples], the probability that an
    uncovered sample looks covered because hashes collide.
    """

    leaked: Tensor
    past: Tensor
    covered: Tensor
    false_cover: Tensor
