"""How a sketch's tables move in time, one event after the other: the way of a CPU. Compiled by numba."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lis_online.compiled import compiled
from lis_online.preference.leak import PAST_ONLY


class Tables(NamedTuple):
    """A sketch's tables and events, shared with it. events: int64 [4, events] of ts, key, fold, weight, by ts.

    seen: int32 [cells * folds, lanes]; past: int32 [cells, past_lanes]; total: int32 [past_lanes, cells];
    used: uint8 [cells / 8, at least 1], a bit for each cell, 0 where every count is 0: it fits in a cache, they do not.
    """

    seen: np.ndarray
    past: np.ndarray
    total: np.ndarray
    used: np.ndarray
    events: np.ndarray
    folds: int


@compiled
def enter(tables: Tables, key: int, fold: int, weight: int) -> None:
    """Let a pair be seen as future by every fold but its own. PAST_ONLY: by none."""
    if fold == PAST_ONLY:
        return
    lanes = tables.seen.shape[1]
    cell, lane = key // lanes, key % lanes
    tables.used[cell >> 3] |= 1 << (cell & 7)
    for reader in range(tables.folds):
        if reader != fold:
            tables.seen[cell * tables.folds + reader, lane] += weight
    if lane < tables.total.shape[0]:
        tables.total[lane, cell] += weight


@compiled
def pass_by(tables: Tables, key: int, fold: int, weight: int) -> None:
    """Let a pair that was future be past: seen by its own fold too, or by all where it was PAST_ONLY."""
    lanes = tables.seen.shape[1]
    cell, lane = key // lanes, key % lanes
    if fold == PAST_ONLY:
        tables.used[cell >> 3] |= 1 << (cell & 7)
        for reader in range(tables.folds):
            tables.seen[cell * tables.folds + reader, lane] += weight
        if lane < tables.total.shape[0]:
            tables.total[lane, cell] += weight
    elif fold < tables.folds:
        tables.seen[cell * tables.folds + fold, lane] += weight
    if lane < tables.past.shape[1]:
        tables.past[cell, lane] += weight


@compiled
def move(tables: Tables, entered: int, passed: int, future_end: int, past_end: int) -> tuple[int, int]:
    """Move the tables on; return how many events have entered, and how many have passed."""
    events = tables.events
    while entered < events.shape[1] and events[0, entered] < future_end:
        enter(tables, events[1, entered], events[2, entered], events[3, entered])
        entered += 1
    while passed < entered and events[0, passed] < past_end:
        pass_by(tables, events[1, passed], events[2, passed], events[3, passed])
        passed += 1
    return entered, passed


@compiled
def mark(used: np.ndarray, keys: np.ndarray, lanes: int) -> None:
    """Say that the cells of some keys are in use."""
    for key in keys:
        cell = key // lanes
        used[cell >> 3] |= 1 << (cell & 7)


@compiled
def is_used(used: np.ndarray, cell: int) -> bool:
    """Say whether any count of a cell may be other than 0."""
    return bool(used[cell >> 3] >> (cell & 7) & 1)
