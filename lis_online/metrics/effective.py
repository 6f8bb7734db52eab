"""How many users there effectively are: (sum n_u)^2 / sum n_u^2, n_u the samples of user u (Kish 1965)."""

from __future__ import annotations

import numpy as np

from lis_online.metrics.auc import divide


def effective_users(cells: np.ndarray) -> np.ndarray:
    """Return the estimate from users hashed into cells: float64 [...], NaN without samples.

    cells: samples of each cell [..., cells]. With users in M cells at random, M / (M - 1) * (sum n_c^2 - N^2 / M) is an
    unbiased estimate of sum n_u^2 (the fast second-moment sketch of Thorup and Zhang 2004); its
    relative error is about sqrt(2 / M): 2 % at 4,096 cells. Between 1 and the number of samples.

    >>> cells = np.zeros(4096, int)
    >>> cells[[5, 70, 900]] = 10
    >>> round(float(effective_users(cells)), 2)
    3.0
    """
    total = cells.sum(axis=-1).astype(np.float64)
    size = cells.shape[-1]
    squares = (cells.astype(np.float64) ** 2).sum(axis=-1)
    second = size / (size - 1) * (squares - total**2 / size)
    return divide(total**2, np.clip(second, total, total**2))
