"""The garbage collector of a worker process, told what a worker's memory is like.

Python's defaults look through the young objects every 700 more, and through all of them ever again. A worker has half a
million objects of its libraries, which never become garbage, and makes and drops a hundred for each impression, next
to none of them in a cycle: a join shard spent a twelfth of its time on looking.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

THRESHOLDS: Final = (50_000, 20, 10)
"""More objects made than dropped until the young ones are looked through (some MB); how often until older ones are."""


@contextmanager
def seldom() -> Iterator[None]:
    """Collect seldom, and pass over what is there now, while the context lasts."""
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
