"""Tells something now and then while its owner waits: that the event loop turns."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager


@asynccontextmanager
async def telling(every: float, tell: Callable[[], None]) -> AsyncIterator[None]:
    """Call a function now, and every so many seconds as long as the context lasts."""

    async def call() -> None:
        while True:
            tell()
            await asyncio.sleep(every)

    calls = asyncio.ensure_future(call())
    try:
        yield
    finally:
        calls.cancel()
