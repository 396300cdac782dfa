"""Serving: the page over stores that another process writes, or that are finished."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

from logvision.app import parts
from logvision.app.access import protected, shared
from logvision.app.explaining import Explainer
from logvision.app.follower import Follower
from logvision.app.looker import Onlooker
from logvision.app.reloading import Say
from logvision.app.silenced import without
from logvision.app.stores import MEMORY, open_live, open_stores, wait_for
from logvision.app.watching import Announce, address, explained, listening, on_signals, serving
from logvision.casebook.base import Casebook
from logvision.clock import SystemClock
from logvision.config import Settings
from logvision.enrich.network import Networks
from logvision.errors import StoreError
from logvision.lake import queries
from logvision.lake.queries import Asker, Database
from logvision.lake.segments import Lake
from logvision.metrics import Metrics
from logvision.web.app import create_app
from logvision.web.auth import is_loopback
from logvision.web.services import Hooks, WebOptions

TICK_S: Final = 0.1


def serve(settings: Settings, announce: Announce, say: Say) -> None:
    """Run until a signal comes. Raises SetupError when there is no data folder, or the port is taken.

    The lake is only read; decisions about incidents go to the casebook, which the writer shares. Any
    number may serve the same stores: nothing is kept in the process that another could miss. A casebook
    or a bus that is lost is told on the page and waited for.
    """
    stop = threading.Event()
    clock = SystemClock()
    with ExitStack() as stack:
        stack.enter_context(on_signals(stop.set, signal.SIGINT, signal.SIGTERM))
        listener = stack.enter_context(listening(settings.web))
        beside = settings.live.url == MEMORY  # then nobody but us tells the pages of this process
        folder = settings.lake.folder
        if not beside and not there(folder, say, stop):
            return
        stores = stack.enter_context(open_stores(folder, settings.casebook.url, writer=False))
        asks = settings.web.password_hash is None and not is_loopback(settings.web.host)
        if asks and not wait_for(stores, say, stop):  # the password stands there
            return
        web, password = protected(settings.web, folder, shared(settings, stores))
        metrics = Metrics()
        live = stack.enter_context(open_live(settings.live.url, metrics))
        looker = (Follower if beside else Onlooker)(stores.lake, stores.casebook, live, clock)
        networks = Networks.open(settings.network.country_db, settings.network.asn_db)
        options = WebOptions(
            host=web.host,
            password_hash=web.password_hash,
            allowed_hosts=web.allowed_hosts,
            metrics_token=web.metrics_token,
            mode="embedded" if beside else "distributed",
            attributions=tuple(networks.attribution()),
        )
        explainer = _explainer(settings, stores.casebook)
        hooks = Hooks(
            sources=looker.sources,
            explain=lambda line: explainer().explain(line),
            explain_event=lambda found: explained(explainer(), found),
            silenced=lambda exception: without(stores, exception, explainer().detector),
            checks=looker.checks,
        )
        app = create_app(stores.lake, stores.casebook, live, options, hooks=hooks, metrics=metrics)
        stack.enter_context(serving(app, listener))
        stack.enter_context(preparing(app.state.services.database))
        announce(address(web, listener), password)
        with looker.running():
            while not stop.wait(TICK_S):
                pass


@contextmanager
def preparing(database: Database) -> Iterator[None]:
    """Meanwhile let the lake be known before somebody asks. One that is lost is told on the page."""
    asker = Asker()

    def prepare() -> None:
        with suppress(StoreError):
            queries.prepare(database.asked_by(asker))

    thread = threading.Thread(target=prepare, name="logvision-prepare", daemon=True)
    thread.start()
    try:
        yield
    finally:
        asker.leave()
        thread.join()


def there(folder: Path, say: Say, stop: threading.Event) -> bool:
    """Wait until an engine elsewhere has begun its lake; False: `stop` was set before."""
    told = False
    while not Lake.exists(folder):
        if not told:
            say(f"no lake at {folder} yet; waiting for an engine to begin one")
        told = True
        if stop.wait(TICK_S):
            return False
    return True


def _explainer(settings: Settings, casebook: Casebook) -> Callable[[], Explainer]:
    """The explainer; the rules are compiled when it is first asked for, which takes seconds."""
    lock = threading.Lock()
    made: list[Explainer] = []

    def explainer() -> Explainer:
        with lock:
            if not made:
                known = parts.knowledge(settings, settings.lake.folder)
                made.append(Explainer(known, known.agents, casebook))
        return made[0]

    return explainer
