"""Pair alignment: how often a variant's cosine ranks a fresh preferred pair above a popularity-matched one.

Of each pair (a, b) of the variant's own source, with b' the second item of the placebo pair of the same bucket and
fold: does cos(a, b) exceed cos(a, b')? No label, no ranker and no horizon is in it, so it moves as soon as the pairs
see other vectors. Kept as whole numbers per bucket of *pair* time, version and jackknife group of users.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np

from lis_online.errors import BlockError
from lis_online.events.batches import PairBatch
from lis_online.events.hashing import NO_ID, group_of
from lis_online.metrics.estimate import Estimate
from lis_online.metrics.jackknife import jackknife_variance, wider
from lis_online.metrics.sparse import decode_counts, encode_counts
from lis_online.metrics.statistics import GROUPS

HALVES, PAIRS, LEFT_OUT = 0, 1, 2
"""Rows of a tally: twice the pairs that won plus those that tied; pairs compared; pairs that could not be."""

NO_PAIRS: Final = "no pairs"
ONE_GROUP: Final = "pairs of fewer than two groups of users"

Key = tuple[str, str]
"""Name of a variant and of one of its versions."""

Tallies = dict[Key, np.ndarray]
"""int64 [3, GROUPS] of each version."""


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


def tally(pairs: PairBatch, outcome: np.ndarray) -> np.ndarray:
    """Return the counts of some pairs: int64 [3, GROUPS].

    outcome: int [pairs]: 2 for won, 1 for a tie, 0 for lost, -1 for left out. A pair without a user counts as its
    click's.
    """
    group = group_of(np.where(pairs.user == NO_ID, pairs.click, pairs.user), GROUPS)
    compared = outcome >= 0
    rows = (np.where(compared, outcome, 0), compared, ~compared)
    counts = np.zeros((len(rows), GROUPS), np.int64)
    for row, values in zip(counts, rows, strict=True):
        np.add.at(row, group, values.astype(np.int64))
    return counts


def merge(into: Tallies, tallies: Mapping[Key, np.ndarray]) -> None:
    """Add tallies to others."""
    for key, counts in tallies.items():
        into[key] = into[key] + counts if key in into else counts


def encode(tallies: Tallies) -> bytes:
    """Return tallies as bytes for `decode`."""
    return msgspec.msgpack.encode([(*key, encode_counts(counts)) for key, counts in sorted(tallies.items())])


def decode(data: bytes) -> Tallies:
    """Return the tallies of `encode`. Raises BlockError on other bytes."""
    try:
        rows = msgspec.msgpack.decode(data, type=list[tuple[str, str, bytes]])
    except msgspec.MsgspecError as exc:
        raise BlockError(f"pair alignment cannot be read: {exc}") from exc
    return {(variant, version): decode_counts(b, 3 * GROUPS).reshape(3, GROUPS) for variant, version, b in rows}


def share(blocks: np.ndarray) -> Estimate:
    """Return the share with its interval, of tallies by block of time: int64 [blocks, 3, GROUPS].

    The variance is the larger of the jackknife's by group of users and by block of time.
    """
    total = blocks.sum(axis=0)
    pairs = int(total[PAIRS].sum())
    if not pairs:
        return Estimate.none(NO_PAIRS)
    variance = float(wider(_variance(total), _variance(blocks.sum(axis=2).T)))
    if np.isnan(variance):
        return Estimate.none(ONE_GROUP)
    return Estimate.of(float(total[HALVES].sum()) / (2 * pairs), variance)


def _variance(counts: np.ndarray) -> np.ndarray:
    """Return the delete-one variance over the last axis of int64 [3, n]."""
    present = counts[PAIRS] > 0
    if present.sum() < 2:
        return np.array(np.nan)
    halves, pairs = (counts[row].sum() - counts[row] for row in (HALVES, PAIRS))
    return jackknife_variance(np.where(present, halves / np.where(present, 2 * pairs, 1), 0.0), present)
