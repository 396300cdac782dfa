"""Watching: history, then what comes, with the page served from the same process."""

from __future__ import annotations

import errno
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from threading import Event
from types import FrameType
from typing import Any, Final

import uvicorn
from fastapi import FastAPI

from logvision.app import memory, parts
from logvision.app.access import protected, shared
from logvision.app.excepting import Excepting
from logvision.app.explaining import Explainer
from logvision.app.health import Health
from logvision.app.learning import PROMOTED, learn_from
from logvision.app.rehearsing import Asked, Change, Rehearsing, changed
from logvision.app.reloading import Reloading, Say
from logvision.app.silenced import without
from logvision.app.stores import Stores, open_live, open_stores, take_up, wait_for
from logvision.app.upkeep import Upkeep
from logvision.clock import Clock, SystemClock
from logvision.config import Settings, WebSettings
from logvision.detect import Detector
from logvision.detect.behaviour import Behaviour
from logvision.detect.classifier import Classifier
from logvision.detect.detector import MODEL_FILE
from logvision.engines.embedded import Embedded, Options
from logvision.errors import Problem, SetupError
from logvision.lake import queries
from logvision.live.base import Live
from logvision.live.ticker import Ticker
from logvision.metrics import Metrics
from logvision.pipeline import Knowledge
from logvision.sources.base import Source
from logvision.web.app import create_app
from logvision.web.events import line_of
from logvision.web.services import Hooks, WebOptions

Announce = Callable[[str, str | None], None]
"""Told the page's address once it answers, and its password when that was made just now."""

TICK_S: Final = 0.1  # the live page is served at least this often, also when nothing will ever come


def watch(
    settings: Settings, source: Source, announce: Announce, say: Say, stop: Event | None = None
) -> None:
    """Run until a signal comes or `stop` is set, also after the end of a finite source: the page stays up.

    `say` gets what the operator should know meanwhile. Raises SetupError before anything is read. What
    was read is committed before it returns.
    """
    memory.settle(lasting=True)
    clock = SystemClock()
    stop = stop or Event()
    with ExitStack() as stack:
        stack.enter_context(on_signals(stop.set, signal.SIGINT, signal.SIGTERM))
        listener = stack.enter_context(listening(settings.web))
        known, state = parts.knowledge(settings, settings.lake.folder), parts.state(settings)
        if stop.is_set():
            return
        rules = Reloading(
            known,
            settings.detect.rules,
            say,
            lambda old, new: rehearsing.rehearse(Change("rules changed", old, lambda: new)),
            settings.lake.folder / PROMOTED,
        )
        rules.leave_out()
        stack.enter_context(on_signals(_hung_up(stop.set, rules.ask), signal.SIGHUP))
        stores = stack.enter_context(open_stores(settings.lake.folder, settings.casebook.url, writer=True))
        if not wait_for(stores, say, stop):
            return
        rehearsing = Rehearsing(
            stores,
            lambda: Behaviour.open(settings.detect.scenarios),
            clock,
            say,
            anonymised=settings.lake.anonymise != "no",
        )
        web, password = protected(settings.web, settings.lake.folder, shared(settings, stores))
        settings = settings.model_copy(update={"web": web})
        resume = take_up(stores, known, state, anonymised=settings.lake.anonymise != "no")
        reader = source.open(resume.positions)
        stack.callback(reader.close)
        metrics = Metrics()
        live = stack.enter_context(open_live(settings.live.url, metrics))
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
            resume=resume,
            metrics=metrics,
            anonymiser=parts.anonymiser(settings.lake, kept=True),
            stop=stop,
        )
        upkeep = Upkeep(stores, settings.lake, settings.casebook, clock)
        excepting = Excepting(known, stores.casebook)
        problems = {
            "rules": lambda: rules.problem,
            "upkeep": lambda: upkeep.problem,
            "exceptions": lambda: excepting.problem,
            "backtest": lambda: rehearsing.problem,
        }
        health = Health(reader, engine, known, live, clock, others=problems, say=say, metrics=metrics)
        explainer = Explainer(known, casebook=stores.casebook)
        hooks = Hooks(
            sources=health.sources,
            explain=explainer.explain,
            explain_event=lambda found: explained(explainer, found),
            silenced=lambda exception: without(stores, exception, known.detector),
            backtest=lambda asked: rehearsing.rehearse(
                changed(Asked(**asked), known.detector, settings.detect.rules)
            ),
            card=lambda: known.detector.model.card if known.detector.model else {},
            learn=lambda: learned(stores, settings, known.detector, clock),
            backtesting=lambda: (rehearsing.busy, rehearsing.problem),
            checks=health.checks,
        )
        app = page(settings, stores, live, known, hooks=hooks, metrics=metrics)
        stack.enter_context(serving(app, listener))
        stack.enter_context(upkeep.running())
        stack.enter_context(rules.running())
        stack.enter_context(excepting.running())
        stack.enter_context(rehearsing.running())
        stack.enter_context(health.telling())
        announce(address(settings.web, listener), password)
        memory.keep()
        engine.run()
        if not stop.is_set():
            say("everything was read; the page stays up until a signal ends it")
        # Not `wait`: a handler that sets the event would wait for the lock that this thread holds.
        while not stop.is_set():
            time.sleep(TICK_S)
            ticker.tick()


def explained(explainer: Explainer, found: queries.Event) -> Mapping[str, Any]:
    """The explanation of an event of the lake, at its own place."""
    return explainer.explain(line_of(found), about={"site": found.site, "route": found.route})


def learned(stores: Stores, settings: Settings, running: Detector, clock: Clock) -> None:
    """Learn from labels, always from the shipped model; the rules' thread takes a promoted one up."""
    shipped = replace(running, model=Classifier.open(MODEL_FILE))
    learn_from(stores.casebook, settings.lake.folder, shipped, clock)


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
        metrics_token=web.metrics_token,
        attributions=tuple(known.networks.attribution()) if known else (),
    )
    return create_app(stores.lake, stores.casebook, live, options, hooks=hooks, metrics=metrics)


@contextmanager
def listening(web: WebSettings) -> Iterator[socket.socket]:
    """The page's socket, taken before anything else starts. Raises SetupError when the port is taken."""
    family = socket.AF_INET6 if ":" in web.host else socket.AF_INET
    # Named, TCP is what asyncio turns Nagle's waiting off for: without that, every second answer of a
    # connection lay 40 ms until the browser acknowledged its head.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        try:
            listener.bind((web.host, web.port))
        except OSError as error:
            got = f"{web.host}:{web.port}: {error.strerror}"
            if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
                raise SetupError(Problem("web.host", got, "an address of this machine")) from None
            raise SetupError(Problem("web.port", got, "a free port; choose one with --port")) from None
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
def on_signals(call: Callable[[], None], *numbers: signal.Signals) -> Iterator[None]:
    """Call this when one of the signals comes; the former handlers come back afterwards.

    Signals are the main thread's: in any other nothing is changed.
    """

    def asked(_number: int, _frame: FrameType | None) -> None:
        call()

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, asked) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _hung_up(stop: Callable[[], None], reload: Callable[[], None]) -> Callable[[], None]:
    """SIGHUP has two meanings: a terminal that was closed ends the run, anything else asks for a reload."""
    terminal = os.isatty(2)

    def asked() -> None:
        if terminal and not os.isatty(2):
            stop()
        else:
            reload()

    return asked
