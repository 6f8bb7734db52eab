"""Snapshots that are copied in small steps, between a shard's turns.

What takes a snapshot is a generator: it yields wherever the shard may go on, and returns the snapshot. It must have
taken hold of the state at its beginning before it is first asked, so a function that returns one does that itself and
leaves the copying to an inner generator.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from typing import TypeVar

from lis_online.snapshots.contract import Saving, Snapshot

T = TypeVar("T")

Steps = Generator[None, None, T]
"""Work in steps of at most about 10 ms, that ends with a T."""


class Stepwise:
    """A `Saving` of a snapshot that is copied in steps. clock: seconds, for how far a step goes and nothing else."""

    def __init__(self, work: Steps[Snapshot], clock: Callable[[], float] = time.perf_counter) -> None:
        self._work = work
        self._clock = clock
        self._snapshot: Snapshot | None = None
        self._given_up = False

    def step(self, seconds: float) -> bool:
        """Copy on for about that long, at least one step; return whether the snapshot is complete.

        Raises ValueError where it was given up.
        """
        if self._given_up:
            raise ValueError("a snapshot must be copied before another one is begun, got one that was given up")
        end = self._clock() + seconds
        while self._snapshot is None:
            try:
                next(self._work)
            except StopIteration as done:
                self._snapshot = done.value
            else:
                if self._clock() >= end:
                    return False
        return True

    def get(self) -> Snapshot:
        """Return the snapshot. Raises ValueError before it is complete."""
        if self._snapshot is None:
            raise ValueError("a snapshot must be complete before it is taken, got one in the making")
        return self._snapshot

    def abandon(self) -> None:
        """Give up what is not complete."""
        self._given_up = self._snapshot is None
        self._work.close()


def whole(saving: Saving) -> Snapshot:
    """Copy all that is left; return the snapshot."""
    while not saving.step(1.0):
        pass
    return saving.get()


def at_once(work: Steps[T]) -> T:
    """Do all steps; return what they end with.

    >>> def work():
    ...     yield
    ...     return 7
    >>> at_once(work())
    7
    """
    while True:
        try:
            next(work)
        except StopIteration as done:
            result: T = done.value
            return result
