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
def step_rows(
    table: np.ndarray,
    sums: np.ndarray,
    rows: np.ndarray,
    gradient: np.ndarray,
    places: np.ndarray,
    rate: float,
    epsilon: float,
) -> None:
    """Step the rows of a table that have a gradient, once each, by the sum of their gradients in the order given.

    table, sums: float32 [rows of the table, width]; rows: int64 [n]; gradient: float32 [n, width];
    places: int32 [rows of the table], -1 everywhere before and after: where the row's sum is.
    """
    by, least = np.float32(rate), np.float32(epsilon)
    distinct = np.empty(len(rows), np.int64)
    summed = np.empty_like(gradient)
    count, width = 0, gradient.shape[1]
    for n in range(len(rows)):
        row = rows[n]
        at = places[row]
        if at < 0:
            places[row], distinct[count] = count, row
            summed[count] = gradient[n]
            count += 1
            continue
        for k in range(width):
            summed[at, k] += gradient[n, k]
    for at in range(count):
        row = distinct[at]
        places[row] = -1
        for k in range(width):
            sums[row, k] += summed[at, k] * summed[at, k]
            table[row, k] -= by * summed[at, k] / (np.sqrt(sums[row, k]) + least)
