"""Pair alignment: how often a variant's cosine ranks a fresh preferred pair above a popularity-matched one."""

from __future__ import annotations

from dataclasses import dataclass

from lis_online.metrics.estimate import Estimate


@dataclass(frozen=True, slots=True)
class PairAlignment:
    """The pair alignment of one version of a variant over a window of pair time.

    share: of the pairs (a, b) whose cosine is above that of (a, b'), ties counted half, 0 to 1; 0.5 is no better than
    chance. pairs: how many were compared; left_out: how many had an item without a vector, or no b'.
    end: the pair time that has been reached, ms since 1970.
    """

    variant: str
    version: str
    share: Estimate
    pairs: int
    left_out: int
    end: int
