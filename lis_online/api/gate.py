"""Who may ask: those with the token of `http.token`; and nobody with a body, for there is nothing to send here."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from lis_online.access import CHALLENGES, REFUSAL, Gate
from lis_online.api.errors import answer


class GateMiddleware:
    """Stands before the application: what it refuses is answered without a look at the history."""

    def __init__(self, app: ASGIApp, gate: Gate) -> None:
        self._app, self._gate = app, gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        refused = self._refused(scope) if scope["type"] == "http" else None
        await (self._app if refused is None else refused)(scope, receive, send)

    def _refused(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        if not self._gate.lets(scope["path"], headers.get("authorization", "")):
            found = answer(401, REFUSAL)
            for challenge in CHALLENGES:
                found.headers.append("WWW-Authenticate", challenge)
            return found
        if headers.get("content-length", "0") != "0" or "transfer-encoding" in headers:
            return answer(400, "a request must have no body")
        return None
