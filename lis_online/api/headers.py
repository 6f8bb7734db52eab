"""What every answer says beside its body; and HEAD, which is GET without one."""

from __future__ import annotations

from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

ALWAYS: Final = {
    "Cache-Control": "no-store",  # of a range up to now the next answer is another one
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",  # for those who do not know frame-ancestors
}
PAGE_POLICY: Final = "frame-ancestors 'none'"
"""The page's own policy is in the page, with its scripts' digests; this part of one is heard in a header alone."""
DATA_POLICY: Final = "default-src 'none'; frame-ancestors 'none'"


class HeadersMiddleware:
    """The outermost layer: it sets the headers, and asks for GET where HEAD came; the server sends no body then."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                is_page = headers.get("content-type", "").startswith("text/html")
                headers.update({**ALWAYS, "Content-Security-Policy": PAGE_POLICY if is_page else DATA_POLICY})
            await send(message)

        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        await self._app({**scope, "method": method}, receive, send_on)
