"""Keeps rows in the history, through outages of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from lis_online.errors import HistoryError

logger = logging.getLogger(__name__)

FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0
"""Seconds between tries; each wait doubles the last."""

GIVE_UP_AFTER = 1_800.0
"""Seconds of outage after which the worker ends, for whoever starts it again to see."""


class RowSink(Protocol):
    """Something durable that takes rows: `lis_online.history.writer.HistoryWriter`."""

    def write(self, rows: list[Any]) -> None:
        """Write all rows or none; durable on return."""
        ...


class RowKeeper:
    """The publish shard's way to the history.

    sink: where rows go; None, and they are dropped (no `history.url`). stopping: whether the worker
    was told to end: an outage then must not hold it up. sleep: waits that many seconds. paused: told True
    at the start of an outage and False at its end.
    """

    def __init__(
        self,
        sink: RowSink | None,
        stopping: Callable[[], bool] = lambda: False,
        sleep: Callable[[float], Awaitable[Any]] = asyncio.sleep,
        paused: Callable[[bool], None] = lambda paused: None,
    ) -> None:
        self._sink = sink
        self._stopping = stopping
        self._sleep = sleep
        self._paused = paused

    async def keep(self, rows: list[Any]) -> None:
        """Return once the rows are durable.

        Nothing is read from Kafka meanwhile: the log is the buffer of an outage. Raises HistoryError
        at once where waiting cannot help, after GIVE_UP_AFTER, or when the worker is told to end.
        """
        if self._sink is None:
            return
        waited, wait = 0.0, FIRST_WAIT
        while True:
            try:
                await asyncio.to_thread(self._sink.write, rows)
            except HistoryError as exc:
                if not exc.transient or self._stopping() or waited >= GIVE_UP_AFTER:
                    raise
                if not waited:
                    logger.warning("%s; trying again until it is back", exc)
                    self._paused(True)
                await self._rest(wait)
                waited, wait = waited + wait, min(2 * wait, LONGEST_WAIT)
            else:
                break
        if waited:
            logger.warning("history is back after %.0f s", waited)
            self._paused(False)

    async def _rest(self, seconds: float) -> None:
        """Sleep in short pieces: who is told to end does not sleep on."""
        while seconds > 0 and not self._stopping():
            await self._sleep(min(seconds, 1.0))
            seconds -= 1.0
