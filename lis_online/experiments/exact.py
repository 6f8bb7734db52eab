"""Cross products of whole numbers, exact and at the speed of floating point."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

BITS: Final = 16
"""Of a limb."""
ROWS: Final = 1 << 16
"""Of a block: its sums of products of two limbs, at most 2^(2 * 16 + 16), are exact in a float64 in any order."""


def cross_products(values: np.ndarray) -> np.ndarray:
    """Return values^T values as Python's whole numbers: object [columns, columns].

    values: int64 [rows, columns], of any sign and size.

    >>> cross_products(np.array([[2**62, 1], [-3, 5]])).tolist() == [[2**124 + 9, 2**62 - 15], [2**62 - 15, 26]]
    True
    """
    columns = values.shape[1]
    found = np.zeros((columns, columns), object)
    for start in range(0, len(values), ROWS):
        for shift, products in _block(values[start : start + ROWS]):
            found += products.astype(object) << shift
    return found


def _block(values: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Yield (shift, whole numbers [columns, columns]): shifted and added up, they are the products of a block."""
    columns = values.shape[1]
    limbs = _limbs(values)
    flat = np.concatenate(limbs, axis=1)
    products = (flat.T @ flat).astype(np.int64).reshape(len(limbs), columns, len(limbs), columns)
    for shift in range(2 * len(limbs) - 1):
        pairs = [(i, shift - i) for i in range(len(limbs)) if 0 <= shift - i < len(limbs)]
        yield BITS * shift, np.sum([products[i, :, j, :] for i, j in pairs], axis=0)


def _limbs(values: np.ndarray) -> list[np.ndarray]:
    """Return float64 [rows, columns] by limb, the lowest first: as many as needed, the last one with the sign."""
    limbs = []
    while values.min() < -(1 << BITS) or values.max() >= 1 << BITS:
        limbs.append((values & ((1 << BITS) - 1)).astype(np.float64))
        values = values >> BITS
    return [*limbs, values.astype(np.float64)]
