"""Watching: history, then what comes, with the page served from the same process."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType

import uvicorn
from fastapi import FastAPI

from logvision.app import parts
from logvision.app.explaining import Explainer
from logvision.app.health import Health
from logvision.app.stores import Stores, open_stores, take_up
from logvision.app.upkeep import Upkeep
from logvision.clock import SystemClock
from logvision.config import Settings, WebSettings
from logvision.engines.embedded import Embedded, Options
from logvision.errors import Problem, SetupError
from logvision.live.base import Live
from logvision.live.memory import MemoryLive
from logvision.live.ticker import Ticker
from logvision.metrics import Metrics
from logvision.pipeline import Knowledge
from logvision.sources.base import Source
from logvision.web.app import create_app
from logvision.web.services import Hooks, WebOptions

Announce = Callable[[str], None]
"""Told the page's address once it answers."""


def watch(settings: Settings, source: Source, announce: Announce) -> None:
    """Run until the source ends or a signal comes. Raises SetupError before anything is read.

    What was read is committed before it returns.
    """
    clock = SystemClock()
    known, state = parts.knowledge(settings), parts.state(settings)
    with ExitStack() as stack:
        listener = stack.enter_context(listening(settings.web))
        stores = stack.enter_context(open_stores(settings.lake.folder, writer=True))
        resume = take_up(stores, known, state)
        reader = source.open(resume.positions)
        stack.callback(reader.close)
        live = MemoryLive()
        stack.callback(live.close)
        metrics = Metrics()
        ticker = Ticker(live, clock)
        engine = Embedded(
            reader,
            known,
            state,
            clock=clock,
            lake=stores.lake,
            casebook=stores.casebook,
            live=live,
            ticker=ticker,
            options=Options(flush_s=settings.lake.flush_s, flush_rows=settings.lake.flush_rows),
            positions=resume.positions,
            counts=resume.counts,
            metrics=metrics,
        )
        health = Health(reader, engine, known, live, clock)
        hooks = Hooks(sources=health.sources, explain=Explainer(known).explain, checks=health.checks)
        app = page(settings, stores, live, known, hooks=hooks, metrics=metrics)
        stack.enter_context(serving(app, listener))
        stack.enter_context(Upkeep(stores.lake, settings.lake, clock).running())
        stack.enter_context(health.telling())
        announce(address(settings.web, listener))
        with stopped_by_signals(engine.stop):
            engine.run()


def page(
    settings: Settings,
    stores: Stores,
    live: Live,
    known: Knowledge | None,
    *,
    hooks: Hooks,
    metrics: Metrics | None = None,
) -> FastAPI:
    """The web application of a data folder."""
    web = settings.web
    options = WebOptions(
        host=web.host,
        password_hash=web.password_hash,
        allowed_hosts=web.allowed_hosts,
        attributions=tuple(known.networks.attribution()) if known else (),
    )
    return create_app(stores.lake, stores.casebook, live, options, hooks=hooks, metrics=metrics)


@contextmanager
def listening(web: WebSettings) -> Iterator[socket.socket]:
    """The page's socket, taken before anything else starts. Raises SetupError when the port is taken."""
    family = socket.AF_INET6 if ":" in web.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        try:
            listener.bind((web.host, web.port))
        except OSError as error:
            where = f"{web.host}:{web.port}"
            raise SetupError(
                Problem("web.port", f"{where}: {error.strerror}", "a free port; choose one with --port")
            ) from None
        listener.listen(128)
        yield listener
    finally:
        listener.close()


def address(web: WebSettings, listener: socket.socket) -> str:
    """Where a browser finds the page."""
    port = listener.getsockname()[1]
    host = f"[{web.host}]" if ":" in web.host else web.host
    return f"http://{host}:{port}/"


@contextmanager
def serving(app: FastAPI, listener: socket.socket) -> Iterator[None]:
    """Serve in a thread of its own until the block is left."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=2,
        server_header=False,
        lifespan="off",
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(
        target=server.run, kwargs={"sockets": [listener]}, name="logvision-web", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(5)


@contextmanager
def stopped_by_signals(stop: Callable[[], None]) -> Iterator[None]:
    """SIGINT and SIGTERM ask for an orderly end; the former handlers come back afterwards."""

    def ask(_number: int, _frame: FrameType | None) -> None:
        stop()

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
