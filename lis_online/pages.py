"""Large arrays in memory that the system hands out page by page, as they are touched."""

from __future__ import annotations

import math
import mmap
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

LARGE: Final = 1 << 22
"""Bytes from which on numpy asks for huge pages: 4 MiB. Where memory is in pieces the system moves others' pages about
for them, and 1.2 GB take 0.6 to 2.9 s of the processor; in small pages they always take 0.5."""


def zeros(shape: Sequence[int], dtype: Any) -> np.ndarray:
    """Return zeros. Large ones take no memory and no time until touched; a page is 4 KiB.

    Raises MemoryError where the system refuses them, ValueError where numpy has no such array.

    >>> zeros((2, 3), np.int32).tolist()
    [[0, 0, 0], [0, 0, 0]]
    """
    kind = np.dtype(dtype)
    size = math.prod(shape) * kind.itemsize
    if size < LARGE:
        return np.zeros(shape, kind)
    try:
        pages = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    except (OSError, OverflowError) as exc:
        raise MemoryError(f"{size} bytes of memory must be there") from exc
    return np.frombuffer(pages, kind).reshape(shape)
