"""Two things measured in turns, so that whatever else the machine does slows down both."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

ROUNDS = 3


def best_of(
    *sides: Callable[[], object], rounds: int = ROUNDS, clock: Callable[[], float] = time.process_time
) -> list[float]:
    """Return the least seconds that each side took, of so many rounds: this, that, this, that.

    clock: seconds; by default those of the processor, which other work on the machine leaves alone. What waits for
    disks or other processes needs `time.perf_counter`. Garbage is collected before each side, and not during it.

    >>> short, long = best_of(lambda: None, lambda: sum(range(100_000)))
    >>> short < long
    True
    """
    found: list[list[float]] = [[] for _ in sides]
    for _ in range(rounds):
        for times, side in zip(found, sides, strict=True):
            gc.collect()
            gc.disable()
            began = clock()
            try:
                side()
            finally:
                times.append(clock() - began)
                gc.enable()
    return [min(times) for times in found]
