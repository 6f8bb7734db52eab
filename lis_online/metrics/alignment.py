"""Pair alignment: how often a variant's cosine ranks a fresh preferred pair above a popularity-matched one.

Of each pair (a, b) of the variant's own source, with b' the second item of the placebo pair of the same bucket and
fold: does cos(a, b) exceed cos(a, b')? No label, no ranker and no horizon is in it, so it moves as soon as the pairs
see other vectors. Kept as whole numbers per bucket of *pair* time, version and jackknife group of users.

Beside it, of the vectors of the same pairs' items: how long they are, and how far from the centroid of those before.
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
from lis_online.metrics.bins import GROUPS
from lis_online.metrics.estimate import Estimate
from lis_online.metrics.jackknife import jackknife_variance, wider
from lis_online.metrics.sparse import decode_counts, encode_counts

HALVES, PAIRS, LEFT_OUT, VECTORS, LENGTHS, PLACED, DISTANCES = range(7)
"""Rows of a tally: twice the pairs that won plus those that tied; pairs compared; pairs that could not be; vectors of
items of the pairs, and the sum of their lengths; those that had a centroid before them, and the sum of 1 - cosine to it
(lengths and distances in `FIXED` point)."""
ROWS: Final = 7

FIXED: Final = 10_000
"""What a length or a distance of 1 adds."""
LONGEST: Final = 100_000_000.0
"""A longer vector counts as this long: 65,504, the largest float16, in each of two million dimensions."""

NO_PAIRS: Final = "no pairs"
ONE_GROUP: Final = "pairs of fewer than two groups of users"

_NOTHING: Final = Estimate.none(NO_PAIRS)

Key = tuple[str, str]
"""Name of a variant and of one of its versions."""

Tallies = dict[Key, np.ndarray]
"""int64 [ROWS, GROUPS] of each version."""


@dataclass(frozen=True, slots=True)
class PairAlignment:
    """The pair alignment of one version of a variant over a window of pair time.

    share: of the pairs (a, b) whose cosine is above that of (a, b'), ties counted half, 0 to 1; 0.5 is no better than
    chance. pairs: how many were compared; left_out: how many had an item without a vector, or no b'.
    end: the pair time that has been reached, ms since 1970. vectors: of the pairs' items; length: their mean length, as
    published; distance: mean of 1 - cosine to the centroid of the version's vectors before them, 0 to 2.
    """

    variant: str
    version: str
    share: Estimate
    pairs: int
    left_out: int
    end: int
    vectors: int = 0
    length: Estimate = _NOTHING
    distance: Estimate = _NOTHING


@dataclass(frozen=True, slots=True)
class Shape:
    """What the vectors of some pairs' items are like, float64 [pairs, items] each; NaN where there is none.

    lengths: as published; distances: 1 - cosine to the centroid of the vectors before, NaN before there is one too.
    """

    lengths: np.ndarray
    distances: np.ndarray

    def take(self, rows: np.ndarray) -> Shape:
        """Return those of some pairs."""
        return Shape(self.lengths[rows], self.distances[rows])


def tally(pairs: PairBatch, outcome: np.ndarray, shape: Shape) -> np.ndarray:
    """Return the counts of some pairs: int64 [ROWS, GROUPS].

    outcome: int [pairs]: 2 for won, 1 for a tie, 0 for lost, -1 for left out. A pair without a user counts as its
    click's.
    """
    group = group_of(np.where(pairs.user == NO_ID, pairs.click, pairs.user), GROUPS)
    compared = outcome >= 0
    rows = (np.where(compared, outcome, 0), compared, ~compared, *_sums(shape.lengths), *_sums(shape.distances))
    counts = np.zeros((ROWS, GROUPS), np.int64)
    for row, values in zip(counts, rows, strict=True):
        np.add.at(row, group, values.astype(np.int64))
    return counts


def _sums(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how many there are of each pair, and their sum in fixed point: int64 [pairs]."""
    there = ~np.isnan(values)
    fixed = np.rint(np.where(there, np.clip(values, 0, LONGEST), 0) * FIXED).astype(np.int64)
    return there.sum(axis=1), fixed.sum(axis=1)


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
    except (ValueError, RecursionError) as exc:
        raise BlockError(f"pair alignment cannot be read: {exc}") from exc
    return {(variant, version): decode_counts(b, ROWS * GROUPS).reshape(ROWS, GROUPS) for variant, version, b in rows}


def share(blocks: np.ndarray) -> Estimate:
    """Return the share with its interval, of tallies by block of time: int64 [blocks, ROWS, GROUPS].

    The variance is the larger of the jackknife's by group of users and by block of time.
    """
    return _mean(blocks, HALVES, PAIRS, 2)


def length(blocks: np.ndarray) -> Estimate:
    """Return the vectors' mean length, of tallies as in `share`."""
    return _mean(blocks, LENGTHS, VECTORS, FIXED)


def distance(blocks: np.ndarray) -> Estimate:
    """Return the vectors' mean distance from the centroid of those before, 0 to 2, of tallies as in `share`."""
    return _mean(blocks, DISTANCES, PLACED, FIXED)


def _mean(blocks: np.ndarray, row: int, count: int, unit: int) -> Estimate:
    """Return row / count, in units, with its interval."""
    total = blocks.sum(axis=0)
    number = int(total[count].sum())
    if not number:
        return _NOTHING
    by_time = blocks.sum(axis=2).T
    variance = float(wider(*(_variance(parts[row], parts[count], unit) for parts in (total, by_time))))
    if np.isnan(variance):
        return Estimate.none(ONE_GROUP)
    return Estimate.of(float(total[row].sum()) / (unit * number), variance)


def _variance(sums: np.ndarray, counts: np.ndarray, unit: int) -> np.ndarray:
    """Return the delete-one variance of sums / (unit * counts), int64 [n] each."""
    present = counts > 0
    if present.sum() < 2:
        return np.array(np.nan)
    left, number = sums.sum() - sums, counts.sum() - counts
    return jackknife_variance(np.where(present, left / np.where(present, unit * number, 1), 0.0), present)
