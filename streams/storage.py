"""Patience with the checkpoints' storage: outages are waited out, said once, and end the worker in the end."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from lis_online.errors import StorageError
from lis_online.settings import Settings
from streams.topics import needed_retention

logger = logging.getLogger(__name__)

T = TypeVar("T")

AGAIN_AFTER: Final = 1.0
"""Seconds between tries of what cannot go on without the storage."""

SHORTEST_PATIENCE: Final = 1_800.0
"""Seconds of outage that are waited out whatever the retention."""


def longest_outage(settings: Settings) -> float:
    """Return for how many seconds a worker goes on without writing a checkpoint.

    Half of what `kafka.retention` has to spare: the other half is left to whoever mends the storage, before records
    that the last checkpoint needs are deleted.
    """
    spare = settings.kafka.retention - needed_retention(settings)
    return max(spare / 2000, SHORTEST_PATIENCE)


class Patience:
    """One shard's patience. It is told how each use of the storage went.

    who: for the log, "rank 0". longest: seconds of outage after which the worker ends. stopping: whether the worker
    was told to end: nothing is waited for then. failed: told of each failure. sleep, clock: seconds.
    """

    def __init__(
        self,
        who: str = "shard",
        longest: float = SHORTEST_PATIENCE,
        stopping: Callable[[], bool] = lambda: False,
        failed: Callable[[], None] = lambda: None,
        sleep: Callable[[float], Awaitable[Any]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._who = who
        self._longest = longest
        self._stopping = stopping
        self._failed = failed
        self._sleep = sleep
        self._clock = clock
        self._since: float | None = None

    def succeeded(self) -> None:
        """The storage answered."""
        if self._since is not None:
            logger.warning("%s: checkpoints.directory is back after %.0f s", self._who, self._clock() - self._since)
            self._since = None

    def failed(self, exc: StorageError) -> None:
        """The storage failed: say it once for each outage. Raises StorageError where it has lasted too long."""
        self._failed()
        if self._since is None:
            self._since = self._clock()
            logger.error("%s: %s; trying again until it works", self._who, exc)
        elif self._clock() - self._since > self._longest:
            raise StorageError(
                f"{self._who} must write a checkpoint within {self._longest:.0f} s, or records that it needs are "
                f"deleted from Kafka before long: {exc}"
            ) from exc

    async def insist(self, use: Callable[[], Awaitable[T]]) -> T:
        """Return what the storage gives, once it does. Raises StorageError when the worker is told to end."""
        while True:
            try:
                found = await use()
            except StorageError as exc:
                if self._stopping():
                    raise
                self.failed(exc)
                await self._sleep(AGAIN_AFTER)
            else:
                self.succeeded()
                return found
