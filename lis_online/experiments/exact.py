"""Cross products of whole numbers, exact and at the speed of floating point."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

BITS: Final = 18
"""Of a limb."""
ROWS: Final = 1 << 16
"""Of a block: its sums of products of two limbs, at most 2^(2 * 18 + 16), are exact in a float64 in any order."""


def cross_products(values: np.ndarray) -> np.ndarray:
    """Return values^T values as Python's whole numbers: object [columns, columns].

    values: int64 [rows, columns], of any sign and size. Fast where a column has few digits beside a common unit.

    >>> cross_products(np.array([[2**62, 1], [-3, 5]])).tolist() == [[2**124 + 9, 2**62 - 15], [2**62 - 15, 26]]
    True
    """
    columns = values.shape[1]
    found = np.zeros((columns, columns), object)
    for start in range(0, len(values), ROWS):
        block = np.ascontiguousarray(values[start : start + ROWS].T)
        parts = [(column, *part) for column, whole in enumerate(block) for part in _limbs(whole)]
        if parts:
            owners, weights, limbs = zip(*parts, strict=True)
            flat, weight = np.stack(limbs), np.array(weights, object)
            products = (flat @ flat.T).astype(np.int64).astype(object) * weight[:, None] * weight
            np.add.at(found, np.ix_(owners, owners), products)
    return found


def _limbs(values: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Yield (weight, float64 [rows]) of each limb of whole numbers, none where all are 0: times weight they add up."""
    weight = int(np.gcd.reduce(values))
    if weight == 0:
        return
    rest = values // weight
    while rest.min() < -(1 << BITS) or rest.max() >= 1 << BITS:
        yield weight, (rest & ((1 << BITS) - 1)).astype(np.float64)
        rest, weight = rest >> BITS, weight << BITS
    yield weight, rest.astype(np.float64)
