"""How a step enters the statistics: each count where it belongs, in one pass. Compiled by numba.

Whole numbers alone are added here, so the order changes nothing; what is rounded came as float64 from numpy.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from lis_online.compiled import compiled
from lis_online.metrics.bins import COARSE_PLACES, EDGE, FINE, FINE_PLACES, FIXED

LEAST_TRUE: Final = 1.0 / 1024
"""Where nearly every sample looks covered, one that does not stands for no more than a thousand."""

_LOWEST: Final = np.float32(EDGE)
_SCALE: Final = np.float32(FINE * FINE_PLACES / (2 * EDGE))
_LAST: Final = np.float32(FINE * FINE_PLACES - 1)


class Places(NamedTuple):
    """Where slates belong: int64 [slates] each but for slices, which is int16 [slates, memberships], -1 for none.

    sizes: samples; groups: of the users; cells: of the users.
    """

    sizes: np.ndarray
    groups: np.ndarray
    cells: np.ndarray
    slices: np.ndarray


class Predictions(NamedTuple):
    """What the rankers predicted: [rankers, samples], float64 but for the logits; one with a logit that is not finite
    is passed over. clipped: the logits as the log loss takes them, x; tail: exp(-|x|); excess: log1p of that. auc:
    float64 [rankers, slates], within the slate.
    """

    logits: np.ndarray
    clipped: np.ndarray
    tail: np.ndarray
    excess: np.ndarray
    auc: np.ndarray


class Histograms(NamedTuple):
    """The arrays of `Statistics` of those names, which are changed."""

    fine: np.ndarray
    fine_places: np.ndarray
    coarse: np.ndarray
    coarse_places: np.ndarray
    sums: np.ndarray


class Counts(NamedTuple):
    """The arrays of `Statistics` of those names, which are changed."""

    counts: np.ndarray
    users: np.ndarray
    cover: np.ndarray
    vectors: np.ndarray


@compiled
def tally_slates(
    into: Counts, at: Places, label: np.ndarray, covered: np.ndarray, false_cover: np.ndarray, vectors: np.ndarray
) -> None:
    """Add what is known of samples without a ranker.

    label: uint8 [samples]; covered: bool, false_cover: float32 [sources, samples]; vectors: bool [variants, samples].
    """
    cover = np.empty((len(covered), 2), np.int64)
    known = np.empty(len(vectors), np.int64)
    end = 0
    for slate in range(len(at.sizes)):
        begin, end = end, end + at.sizes[slate]
        size = end - begin
        positives = 0
        for n in range(begin, end):
            positives += label[n]
        cover[:], known[:] = 0, 0
        for source in range(len(covered)):
            for n in range(begin, end):
                if covered[source, n]:
                    cover[source, 0] += 1
                    continue
                # each sample without a pair stands for so many that only look covered
                false = np.float64(false_cover[source, n])
                cover[source, 1] += int(np.rint(false / max(1.0 - false, LEAST_TRUE) * FIXED))
        for variant in range(len(vectors)):
            for n in range(begin, end):
                known[variant] += vectors[variant, n]
        for member in at.slices[slate]:
            if member < 0:
                continue
            counts = into.counts[member, at.groups[slate]]
            counts[0] += size
            counts[1] += positives
            counts[2] += 1
            counts[3] += 0 < positives < size
            into.users[member, at.cells[slate]] += size
            into.cover[member] += cover
            into.vectors[member] += known


@compiled
def tally_rankers(into: Histograms, at: Places, label: np.ndarray, given: Predictions) -> None:
    """Add what rankers predicted: ranker by ranker, so that the histograms of one stay in a core's cache."""
    place = np.empty(len(label), np.uint16)
    for ranker in range(len(given.logits)):
        if not _places(given.logits[ranker], place):
            continue
        end = 0
        for slate in range(len(at.sizes)):
            begin, end = end, end + at.sizes[slate]
            group = at.groups[slate]
            gauc, loss, predicted = int(np.rint(given.auc[ranker, slate] * FIXED)), 0, 0
            for n in range(begin, end):
                x, tail = given.clipped[ranker, n], given.tail[ranker, n]
                loss += int(np.rint((max(x, 0.0) - x * label[n] + given.excess[ranker, n]) * FIXED))
                predicted += int(np.rint((1.0 if x >= 0 else tail) / (1.0 + tail) * FIXED))
            for member in at.slices[slate]:
                if member < 0:
                    continue
                sums = into.sums[member, ranker, group]
                sums[0] += gauc
                sums[1] += loss
                sums[2] += predicted
                fine, fine_places = into.fine[member, ranker], into.fine_places[member, ranker]
                coarse, coarse_places = into.coarse[member, ranker, group], into.coarse_places[member, ranker, group]
                for n in range(begin, end):
                    y, one = label[n], place[n]
                    fine[y, one // FINE_PLACES] += 1
                    fine_places[y, one // FINE_PLACES] += one % FINE_PLACES
                    coarse[y, one // COARSE_PLACES] += 1
                    coarse_places[y, one // COARSE_PLACES] += one % COARSE_PLACES


@compiled
def _places(logits: np.ndarray, place: np.ndarray) -> bool:
    """Find the place of each logit among all places of all bins, 0 to FINE * FINE_PLACES - 1; say if all are finite."""
    for n, logit in enumerate(logits):
        if not np.isfinite(logit):
            return False
        scaled = (logit + _LOWEST) * _SCALE
        place[n] = min(max(scaled, np.float32(0)), _LAST)
    return True
