"""Names for the parts of a composed snapshot: "part/name"."""

from __future__ import annotations

import numpy as np


def nest(part: str, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the arrays under a part's name.

    >>> list(nest("group", {"sum": np.zeros(1)}))
    ['group/sum']
    """
    return {f"{part}/{name}": array for name, array in arrays.items()}


def unnest(part: str, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the arrays of one part under their own names."""
    prefix = f"{part}/"
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
