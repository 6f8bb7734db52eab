"""Garbage collection where Python's defaults look for what is not there."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

THRESHOLDS: Final = (50_000, 20, 10)
"""More objects made than dropped until the young ones are looked through (some MB); how often until older ones are."""


@contextmanager
def without_collector() -> Iterator[None]:
    """Look for no garbage while millions of small things are made that stay.

    It would look at all of them again and again: 9 s for 1.3, where a record of a checkpoint is read.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@contextmanager
def collecting_seldom() -> Iterator[None]:
    """Collect seldom while shards are fed, and pass over what is there now.

    Python's defaults look through the young objects every 700 more, and through all of them ever again. A worker has
    half a million objects of its libraries, which never become garbage, and makes and drops a hundred for each
    impression, next to none of them in a cycle: a join shard spent a twelfth of its time on looking.
    """
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
