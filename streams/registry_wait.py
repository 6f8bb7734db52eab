"""Waits out an outage of the schema registry: records stay in Kafka meanwhile, and none is refused for it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from lis_online.errors import RegistryError

logger = logging.getLogger(__name__)

T = TypeVar("T")

AGAIN_AFTER: Final = 1.0
"""Seconds between tries."""

GIVE_UP_AFTER: Final = 1_800.0
"""Seconds of outage after which the worker ends, for whoever starts it again to see."""


class RegistryWait:
    """A role's patience with the registry. Partitions wait each for themselves.

    stopping: whether the worker was told to end: nothing is waited for then. paused: told of a partition at each
    failure (True) and once the registry is back (False). sleep, clock: seconds.
    """

    def __init__(
        self,
        stopping: Callable[[], bool],
        paused: Callable[[int, bool], None],
        sleep: Callable[[float], Awaitable[Any]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stopping = stopping
        self._paused = paused
        self._sleep = sleep
        self._clock = clock
        self._since: dict[int, float] = {}

    async def insist(self, partition: int, use: Callable[[], Awaitable[T]]) -> T:
        """Return what something gives that may need the registry, once it does.

        Raises RegistryError at once where waiting cannot help, where the outage has lasted too long, and when the
        worker is told to end.
        """
        while True:
            try:
                found = await use()
            except RegistryError as exc:
                await self._failed(partition, exc)
            else:
                self._succeeded(partition)
                return found

    def _succeeded(self, partition: int) -> None:
        since = self._since.pop(partition, None)
        if since is not None:
            logger.warning("partition %d: the schema registry is back after %.0f s", partition, self._clock() - since)
            self._paused(partition, False)

    async def _failed(self, partition: int, exc: RegistryError) -> None:
        """Say it once for each outage, and return when it is time to try again."""
        if not exc.transient:
            raise exc
        self._paused(partition, True)
        since = self._since.get(partition)
        if since is None:
            self._since[partition] = self._clock()
            logger.error("partition %d: %s; trying again until it does", partition, exc)
        if self._stopping() or (since is not None and self._clock() - since > GIVE_UP_AFTER):
            raise exc
        await self._sleep(AGAIN_AFTER)
