"""The web application: the API, the live stream and the page, behind one guard."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.responses import JSONResponse

import logvision
from logvision.casebook.base import Casebook
from logvision.clock import Clock, SystemClock
from logvision.errors import Problem, SetupError, StoreError
from logvision.lake.queries import Database, FilterError
from logvision.lake.segments import Lake
from logvision.live.base import Live
from logvision.metrics import Metrics
from logvision.web import (
    backtests,
    counts,
    downloads,
    events,
    exceptions,
    health,
    incidents,
    labels,
    login,
    stream,
)
from logvision.web.auth import Attempts, Sessions, is_loopback
from logvision.web.guard import Guard
from logvision.web.pages import pages
from logvision.web.services import Hooks, Services, WebOptions

NOUNS = (counts, events, incidents, health, downloads, stream, login, exceptions, labels, backtests)
"""The modules of routes, in the order of the API's document."""


def create_app(
    lake: Lake,
    casebook: Casebook,
    live: Live,
    options: WebOptions,
    *,
    hooks: Hooks | None = None,
    clock: Clock | None = None,
    metrics: Metrics | None = None,
) -> FastAPI:
    """An application over open stores; closing them stays with the caller.

    Raises SetupError when it would listen elsewhere than on loopback without a password.
    """
    if not is_loopback(options.host) and options.password_hash is None:
        raise SetupError(Problem("web.host", options.host, "a password (web.password_hash), or 127.0.0.1"))
    clock = clock or SystemClock()
    app = document()
    app.state.services = Services(
        Database(lake),
        casebook,
        live,
        options,
        hooks or Hooks(),
        clock,
        metrics or Metrics(),
        clock.monotonic(),
    )
    kept = options.password_hash
    app.state.sessions = None if kept is None else Sessions(kept, clock)
    app.state.attempts = Attempts(clock)
    app.include_router(pages(options.static))
    app.add_middleware(
        Guard,
        host=options.host,
        allowed_hosts=options.allowed_hosts,
        sessions=app.state.sessions,
        metrics_token=options.metrics_token,
    )
    return app


def document() -> FastAPI:
    """The application without its stores: enough to say what the API is."""
    app = FastAPI(
        title="LogVision",
        version=logvision.__version__,
        description="Web access logs: traffic, attacks and incidents. Text that comes from logs is hostile.",
        openapi_url="/api/openapi.json",
        docs_url=None,  # these pages load scripts from elsewhere
        redoc_url=None,
    )
    for noun in NOUNS:
        app.include_router(noun.api)
    app.include_router(health.plain)
    app.add_exception_handler(FilterError, _asked_wrongly)
    app.add_exception_handler(StoreError, _store_lost)
    app.add_exception_handler(RequestValidationError, _not_valid)
    return app


async def _asked_wrongly(_: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, 400)


async def _store_lost(_: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, 503, {"retry-after": "1"})


async def _not_valid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"] if part not in {"query", "body", "path"})
    return JSONResponse({"detail": f"{where or 'the request'}: {first['msg']}"}, 400)
