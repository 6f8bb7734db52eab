"""What a question that cannot be answered is answered: {"error": sentence} and a status.

400: an argument breaks a rule; 401: no token, or another one; 404: there is no such thing, and what there is; 405: not
GET or HEAD; 503: the history cannot be reached, or too many ranges are asked for at once, with Retry-After; 500: a bug,
told in the log alone.
"""

from __future__ import annotations

import logging
import re
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from lis_online.errors import BlockError, HistoryError, LisError, SettingsError, UsageError

logger = logging.getLogger(__name__)

RETRY_AFTER: Final = 5  # s


class NotFoundError(LisError):
    """There is no such thing; the sentence names what there is."""


class BusyError(LisError):
    """As much is being answered as can be."""


STATUS: Final[dict[type[LisError], int]] = {
    UsageError: 400,
    SettingsError: 400,
    NotFoundError: 404,
    BusyError: 503,
    HistoryError: 503,
    BlockError: 500,
}


def answer(status: int, sentence: str) -> JSONResponse:
    """Return the answer."""
    headers = {"Retry-After": str(RETRY_AFTER)} if status == 503 else None
    return JSONResponse({"error": sentence}, status, headers)


def install(app: FastAPI) -> None:
    """Answer every error of the application in this form."""
    app.add_exception_handler(LisError, _known)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(Exception, _unknown)


async def _known(request: Request, exc: Exception) -> JSONResponse:
    status = next((STATUS[kind] for kind in type(exc).__mro__ if kind in STATUS), 500)
    if status >= 500:
        logger.warning("%s: %s", request.url.path, exc)
    return answer(status, re.sub(r"^--", "", str(exc)))


async def _malformed(request: Request, exc: Exception) -> JSONResponse:
    assert isinstance(exc, RequestValidationError)
    first: dict[str, Any] = exc.errors()[0]
    name, said = first["loc"][-1], first["msg"][:1].lower() + first["msg"][1:]
    if first["type"] == "missing":
        return answer(400, f"{name} must be given")
    return answer(400, f"{name}: {said}, got {first['input']!r}")


async def _refused(request: Request, exc: Exception) -> JSONResponse:
    assert isinstance(exc, HTTPException)
    said = f"there is no {request.url.path!r}; /openapi.json lists what there is"
    if exc.status_code == 405:
        said = f"{request.method} is not answered here; use GET"
    found = answer(exc.status_code, said if exc.status_code in (404, 405) else exc.detail)
    found.headers.update(exc.headers or {})
    return found


async def _unknown(request: Request, exc: Exception) -> JSONResponse:
    logger.error("%s could not be answered", request.url.path, exc_info=exc)
    return answer(500, "internal error: see the log")
