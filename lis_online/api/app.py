"""The history over HTTP, read alone: every address and what it answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import Depends, FastAPI, Header, Query, Response
from fastapi.responses import HTMLResponse
from starlette.middleware.gzip import GZipMiddleware

import lis_online
from lis_online.access import Gate
from lis_online.api import arguments as given
from lis_online.api import errors
from lis_online.api.answers import Arms, Experiment, Health, Lis, Refusal
from lis_online.api.gate import GateMiddleware
from lis_online.api.headers import HeadersMiddleware
from lis_online.api.limits import Slots
from lis_online.api.reading import Reader
from lis_online.review.document import Review
from lis_online.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

HTML: Final = "text/html"
SMALL: Final = 1_000  # bytes under which compression is not worth it


def build_app(settings: Settings, engine: Engine, clock: Callable[[], int], slots: Slots | None = None) -> FastAPI:
    """Return the application. clock: ms since 1970. Nothing is connected yet."""
    app = FastAPI(
        title="lis-online",
        summary="Reviews of experiments and the Leakage Impact Score of any range, from the history.",
        version=lis_online.__version__,
        docs_url=None,  # both pages would load scripts from elsewhere
        redoc_url=None,
        dependencies=[Depends(given.only_known)],
        responses={status: {"model": Refusal, "description": said} for status, said in REFUSALS.items()},
    )
    errors.install(app)
    app.add_middleware(GZipMiddleware, minimum_size=SMALL, compresslevel=1)
    app.add_middleware(GateMiddleware, gate=Gate(settings.http))
    app.add_middleware(HeadersMiddleware)
    _add_routes(app, Reader(engine, settings, clock, slots or Slots()))
    app.openapi = lambda: _described(app)  # type: ignore[method-assign]  # as FastAPI's documentation has it
    return app


REFUSALS: Final[dict[int | str, str]] = {
    400: "An argument breaks a rule",
    401: "The address asks for a token, and the request has another one or none",
    404: "There is no such thing; the sentence names what there is",
    503: "The history cannot be reached, or too many ranges are asked for at once",
}


SCHEMES: Final = {
    "token": {"type": "http", "scheme": "bearer"},
    "password": {"type": "http", "scheme": "basic", "description": "Any user; the password is the token"},
}


def _add_routes(app: FastAPI, reader: Reader) -> None:
    @app.get("/api/v1/reviews/{experiment}", response_model=Review, responses=_PAGE, tags=["experiments"])
    def read_review(
        experiment: str,
        start: given.MaybeFrom = None,
        end: given.MaybeTo = None,
        slice_: Annotated[given.Slice, Query(alias="slice")] = "all",
        zone: given.Zone = None,
        configuration: given.Configuration = None,
        against: given.Against = None,
        format_: Annotated[str | None, Query(alias="format", pattern="^(json|html)$")] = None,
        accept: Annotated[str, Header(include_in_schema=False)] = "",
    ) -> Response:
        """Return an experiment's review: the document, or with `format=html` or Accept: text/html the page."""
        place = given.zone_of(zone)
        times = given.maybe_time(start, "from", place), given.maybe_time(end, "to", place)
        found = reader.review(experiment, times, slice_, place, configuration, against)
        if format_ == "html" or (format_ is None and HTML in accept):
            from lis_online.review.html import render

            return HTMLResponse(render(found))
        return Response(found.model_dump_json(by_alias=True), media_type="application/json")

    @app.get("/api/v1/lis", response_model=Lis, tags=["representations"])
    def read_lis(
        start: given.From,
        end: given.To,
        slices: given.Slices = ["all"],  # noqa: B006, FastAPI copies it
        zone: given.Zone = None,
        configuration: given.Configuration = None,
    ) -> Response:
        """Return LIS, AIS, efficiency and diagnosis of every source and variant over one stretch of time."""
        place = given.zone_of(zone)
        times = given.time_of(start, "from", place), given.time_of(end, "to", place)
        found = reader.lis(*times, slices, place, configuration)
        return Response(found.model_dump_json(by_alias=True, exclude_unset=True), media_type="application/json")

    @app.get("/api/v1/arms", tags=["experiments"])
    def read_arms(
        experiment: str | None = None,
        at: given.At = None,
        zone: given.Zone = None,
        configuration: given.Configuration = None,
    ) -> list[Arms]:
        """Return the arms of one experiment or of all as they were known at a time: users, lifts, guardrails."""
        place = given.zone_of(zone)
        return reader.arms(experiment, given.maybe_time(at, "at", place), place, configuration)

    @app.get("/api/v1/experiments", tags=["experiments"])
    def read_experiments(zone: given.Zone = None, configuration: given.Configuration = None) -> list[Experiment]:
        """Return the experiments, their arms, and from when to when the history knows them."""
        return reader.experiments(given.zone_of(zone), configuration)

    @app.get("/healthz", tags=["operation"])
    def read_health() -> Health:
        """Return 200 while the history is reached."""
        reader.check()
        return Health(status="ok")


_PAGE: Final[dict[int | str, dict[str, Any]]] = {200: {"content": {HTML: {"schema": {"type": "string"}}}}}


def _described(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document, without the answer 422 that FastAPI promises and no address here gives."""
    from fastapi.openapi.utils import get_openapi

    if app.openapi_schema is None:
        found = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
        for operations in found["paths"].values():
            for operation in operations.values():
                operation["responses"].pop("422", None)
        for name in ("HTTPValidationError", "ValidationError"):
            found["components"]["schemas"].pop(name, None)
        found["components"]["securitySchemes"] = SCHEMES
        found["security"] = [{}, *({name: []} for name in SCHEMES)]  # {}: where `http.token` is not set
        app.openapi_schema = found
    return app.openapi_schema
