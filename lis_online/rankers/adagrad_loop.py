"""Adagrad's step in one pass over memory, on a CPU. Compiled by numba.

Each number is computed by itself, from correctly rounded operations, so that its bits depend on nothing beside it.
"""

from __future__ import annotations

import numpy as np

from lis_online.compiled import compiled


@compiled
def step(parameter: np.ndarray, sums: np.ndarray, gradient: np.ndarray, rate: float, epsilon: float) -> None:
    """Step a parameter: float32 [n] each."""
    by, least = np.float32(rate), np.float32(epsilon)
    for k in range(len(parameter)):
        sums[k] += gradient[k] * gradient[k]
        parameter[k] -= by * gradient[k] / (np.sqrt(sums[k]) + least)


@compiled
def touched(rows: np.ndarray, places: np.ndarray, distinct: np.ndarray, which: np.ndarray) -> int:
    """Find the distinct ones of some rows, in the order they come; return how many.

    rows: int64 [n]; places: int32 [rows of the table], -1 everywhere before and after. Fills distinct: int64 [n], and
    which: int32 [n], where each row is among the distinct ones.
    """
    count = 0
    for n in range(len(rows)):
        at = places[rows[n]]
        if at < 0:
            at = count
            places[rows[n]], distinct[count] = count, rows[n]
            count += 1
        which[n] = at
    for at in range(count):
        places[distinct[at]] = -1
    return count


@compiled
def step_rows(
    table: np.ndarray,
    sums: np.ndarray,
    first: int,
    distinct: np.ndarray,
    which: np.ndarray,
    gradient: np.ndarray,
    rate: float,
    epsilon: float,
) -> None:
    """Step rows of a table, once each, by the sum of their gradients in the order given.

    table, sums: float32 [rows of the table, width], of whose columns those from `first` on are stepped, as many as
    gradient has: float32 [n, columns]; distinct, which: as `touched` fills them.
    """
    by, least = np.float32(rate), np.float32(epsilon)
    width = gradient.shape[1]
    summed = np.empty((len(distinct), width), np.float32)
    count = 0
    for n in range(len(which)):
        at = which[n]
        if at == count:
            summed[at] = gradient[n]
            count += 1
            continue
        for k in range(width):
            summed[at, k] += gradient[n, k]
    for at in range(count):
        row = distinct[at]
        for k in range(width):
            sums[row, first + k] += summed[at, k] * summed[at, k]
            table[row, first + k] -= by * summed[at, k] / (np.sqrt(sums[row, first + k]) + least)
