"""The pair features in one pass: the way of a CPU. Tables move and samples are read in the order of time.

What `pair_tensors` does, to the same integers: there the events inside a step's span are looked up apart; here an
event enters its table between the two slates that it lies between, so that each sample reads the state of its own
millisecond. Where no pair is known, which is most look-ups, no table is read: a bit says that a cell is empty, and a
past is only looked up where something was seen, since no count is below 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from lis_online.compiled import compiled
from lis_online.preference.hashes import ITEM_FACTOR, PAIR_FACTORS
from lis_online.preference.lookup import FEATURES, NONE, SCALE, SETS, SMOOTHING, Lookup, PairFeatures
from lis_online.preference.tables import Tables, is_used, move

if TYPE_CHECKING:
    from lis_online.preference.sketch import Sketch

FIRST_FACTOR, SECOND_FACTOR = PAIR_FACTORS


def read(pairs: Sketch, items: Sketch, at: Lookup) -> PairFeatures:
    """Return the features of samples; the sketches stand at the last one's time after it."""
    samples, sources, lanes = len(at.item), pairs.past_lanes, pairs.lanes
    offset = np.zeros(len(at.t) + 1, np.int64)
    np.cumsum(at.n_items, out=offset[1:])
    found = Found(
        np.zeros((lanes, samples, FEATURES), np.float32),
        np.zeros((sources, samples, FEATURES), np.float32),
        np.zeros((sources, samples), np.bool_),
        np.zeros(samples, np.int64),
        np.array([pairs.place, items.place]),
    )
    item, history, t, fold = (np.array(column, np.int64) for column in (at.item, at.history, at.t, at.fold))
    slates = Samples(item, history, offset, t, fold)
    leak, used = pairs.leak, pairs.occupancy().prod(axis=0)[:, None]  # as of the first slate, as with tensors
    reach, bits = (leak.future_end(0), leak.past_end(0)), (pairs.bits, items.bits)
    _read(pairs.tables(), items.tables(), slates, found, reach, bits)
    for sketch, (entered, passed) in zip((pairs, items), found.moved.tolist(), strict=True):
        sketch.moved(entered, passed, int(at.t[-1]))
    false_cover = (1 - (1 - used) ** np.arange(at.history.shape[1] + 1)).astype(np.float32)[:, found.entries]
    leaked = torch.from_numpy(found.leaked).view(SETS, sources, samples, FEATURES)
    past, covered, false = (torch.from_numpy(array) for array in (found.past, found.covered, false_cover))
    return PairFeatures(leaked, past, covered, false)


class Samples(NamedTuple):
    """Slates in time order, and their samples: see `lookup.Lookup`.

    item: int64 [samples]; history: int64 [slates, K]; offset: int64 [slates + 1], of each slate's first sample;
    t, fold: int64 [slates].
    """

    item: np.ndarray
    history: np.ndarray
    offset: np.ndarray
    t: np.ndarray
    fold: np.ndarray


class Found(NamedTuple):
    """leaked: float32 [lanes, samples, 3]; past: float32 [past_lanes, samples, 3]; covered: bool [past_lanes, samples];
    entries: int64 [samples], of the history that are not the candidate; moved: int64 [2, 2], of pairs and items, how
    many events have entered the tables and how many have passed.
    """

    leaked: np.ndarray
    past: np.ndarray
    covered: np.ndarray
    entries: np.ndarray
    moved: np.ndarray


@compiled
def _slot(product: int, bits: int) -> int:
    return (product >> (64 - bits)) & ((1 << bits) - 1)


@compiled
def _read(
    pairs: Tables, items: Tables, at: Samples, found: Found, reach: tuple[int, int], bits: tuple[int, int]
) -> None:
    """Fill `found`, moving both sketches from the first slate's time to the last's.

    reach: a sample at t sees pairs before t + reach[0], and those before t + reach[1] as past; bits: of a hash of a
    pair, of an item. found.moved holds at first where the sketches are.
    """
    lanes, past_lanes = pairs.seen.shape[1], pairs.past.shape[1]
    length, row = at.history.shape[1], 1 << bits[0]
    smooth, by = np.float32(SMOOTHING), np.float32(SCALE)
    d_history = np.empty((length, lanes), np.float32)
    d_item = np.empty(lanes, np.float32)
    sums = np.empty(lanes, np.int64)
    sums_past = np.empty(past_lanes, np.int64)
    for slate in range(len(at.t)):
        t, fold = at.t[slate], at.fold[slate]
        found.moved[0] = move(pairs, found.moved[0, 0], found.moved[0, 1], t + reach[0], t + reach[1])
        found.moved[1] = move(items, found.moved[1, 0], found.moved[1, 1], t + reach[0], t + reach[1])
        for k in range(length):
            cell = _slot(at.history[slate, k] * ITEM_FACTOR, bits[1])
            for lane in range(lanes):
                d_history[k, lane] = np.float32(items.seen[cell * items.folds + fold, lane]) + smooth
        for n in range(at.offset[slate], at.offset[slate + 1]):
            item = at.item[n]
            own = _slot(item * ITEM_FACTOR, bits[1])
            for lane in range(lanes):
                d_item[lane] = np.float32(items.seen[own * items.folds + fold, lane]) + smooth
            sums[:], sums_past[:], entries = 0, 0, 0
            for k in range(length):
                entry = at.history[slate, k]
                if entry == NONE or entry == item:  # noqa: SIM109, a tuple is slower
                    continue
                entries += 1
                first = _slot((item + entry) * FIRST_FACTOR, bits[0])
                second = row + _slot((item + entry) * SECOND_FACTOR, bits[0])
                if not (is_used(pairs.used, first) and is_used(pairs.used, second)):
                    continue
                for lane in range(lanes):
                    weight = min(
                        pairs.seen[first * pairs.folds + fold, lane], pairs.seen[second * pairs.folds + fold, lane]
                    )
                    if weight == 0:
                        continue
                    sums[lane] += weight
                    share = by * np.float32(weight) / np.sqrt(d_history[k, lane] * d_item[lane])
                    found.leaked[lane, n, 1] += share
                    found.leaked[lane, n, 2] = max(found.leaked[lane, n, 2], share)
                    if lane >= past_lanes:
                        continue
                    found.covered[lane, n] = True
                    before = min(pairs.past[first, lane], pairs.past[second, lane])
                    if before == 0:
                        continue
                    sums_past[lane] += before
                    other = _slot(entry * ITEM_FACTOR, bits[1])
                    of_entry, of_item = items.past[other, lane], items.past[own, lane]
                    both = (np.float32(of_entry) + smooth) * (np.float32(of_item) + smooth)
                    share = by * np.float32(before) / np.sqrt(both)
                    found.past[lane, n, 1] += share
                    found.past[lane, n, 2] = max(found.past[lane, n, 2], share)
            for lane in range(lanes):
                found.leaked[lane, n, 0] = np.log1p(np.float32(sums[lane]))
            for lane in range(past_lanes):
                found.past[lane, n, 0] = np.log1p(np.float32(sums_past[lane]))
            found.entries[n] = entries
