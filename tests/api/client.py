"""Who asks the application, in process: as over a network, what it raises is answered."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
from fastapi import FastAPI


class Client:
    """A client of an ASGI application. Each question has its own event loop, so threads may ask at once."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    def request(self, method: str, path: str, **given: Any) -> httpx.Response:
        """Return the answer."""
        return asyncio.run(self._asked(method, path, **given))

    def get(self, path: str, **given: Any) -> httpx.Response:
        """Return the answer to GET."""
        return self.request("GET", path, **given)

    def head(self, path: str) -> httpx.Response:
        """Return the answer to HEAD."""
        return self.request("HEAD", path)

    async def _asked(self, method: str, path: str, **given: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://history") as client:
            return await client.request(method, path, **given)
